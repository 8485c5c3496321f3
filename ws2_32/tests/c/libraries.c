/*
 * libraries.c - libraries by name and their functions, as programs look them up that also run where a function is
 * missing; random octets; the registry and the shell's folders, in which nothing is found.
 */
#include "check.h"
#include <wincrypt.h>
#include <winreg.h>
#include <shlobj.h>

#define REFUSED(call, error, source) do { \
        SetLastError(CHECK_UNSET); \
        CHECK(!(call), source); \
        CHECK_EQ(GetLastError(), error, source); \
    } while (0)

typedef ULONGLONG(WINAPI *tick_count)(void);
typedef u_short(WINAPI *swap)(u_short);

static void functions(void)
{
    HMODULE kernel = LoadLibraryA("kernel32.dll"), sockets = LoadLibraryW(u"WS2_32");
    tick_count ticks = (tick_count)(void *)GetProcAddress(kernel, "GetTickCount64");
    swap htons_too = (swap)(void *)GetProcAddress(sockets, "htons");
    ULONGLONG before = GetTickCount64();

    CHECK(kernel != NULL && sockets != NULL && kernel != sockets, "D LoadLibrary");
    CHECK(ticks != NULL && ticks() >= before, "D GetProcAddress");
    CHECK(htons_too != NULL && htons_too(0x1234) == 0x3412, "D GetProcAddress: also where the C library has the name");
    CHECK(GetModuleHandleA("KERNEL32") == kernel, "D GetModuleHandle: in any case, .dll is added");
    CHECK(GetModuleHandleW(u"Kernel32.DLL") == kernel, "D GetModuleHandle");
    CHECK(GetProcAddress(GetModuleHandleA("kernelbase"), "WaitOnAddress") != NULL, "D WaitOnAddress: KernelBase.dll");
    REFUSED(GetProcAddress(kernel, "gettickcount64"), ERROR_PROC_NOT_FOUND, "D GetProcAddress: case matters");
    REFUSED(GetProcAddress(kernel, "htons"), ERROR_PROC_NOT_FOUND, "D GetProcAddress: of that library");
    REFUSED(GetProcAddress(kernel, "NoSuchFunction"), ERROR_PROC_NOT_FOUND, "D GetProcAddress");
    CHECK(FreeLibrary(kernel) && FreeLibrary(sockets), "D FreeLibrary");
    REFUSED(LoadLibraryA("no-such-library.dll"), ERROR_MOD_NOT_FOUND, "D LoadLibrary: what programs look for");
    REFUSED(LoadLibraryExA("kernel32", new_event(), 0), ERROR_INVALID_PARAMETER, "D LoadLibraryEx: hFile must be NULL");
    kernel = LoadLibraryExW(u"kernel32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    CHECK(kernel != NULL && FreeLibrary(kernel), "D LoadLibraryEx");
    REFUSED(GetProcAddress(NULL, "main"), ERROR_PROC_NOT_FOUND, "choice: a program has no functions to be looked up");
#ifndef __MINGW32__
    REFUSED(LoadLibraryA((LPCSTR)16), ERROR_NOACCESS, "choice: an error, and no crash");
    REFUSED(GetProcAddress(kernel, NULL), ERROR_NOACCESS, "choice: an error, and no crash");
    REFUSED(GetProcAddress(kernel, (LPCSTR)16), ERROR_PROC_NOT_FOUND, "choice: functions have no numbers here");
    REFUSED(FreeLibrary((HMODULE)16), ERROR_MOD_NOT_FOUND, "choice: the page names no code");
#endif
}

static void directory(void)
{
    char path[MAX_PATH];
    WCHAR wide[MAX_PATH];
    UINT length = GetSystemDirectoryA(path, sizeof path);

    CHECK(length > 0 && length < MAX_PATH && strlen(path) == length, "D GetSystemDirectory");
    CHECK_EQ(GetSystemDirectoryA(path, length), length + 1, "D GetSystemDirectory: too small, with the zero");
    CHECK_EQ(GetSystemDirectoryA(NULL, 0), length + 1, "D GetSystemDirectory: too small, with the zero");
    CHECK_EQ(GetSystemDirectoryW(wide, MAX_PATH), length, "D GetSystemDirectory");
    CHECK(wide[0] == (WCHAR)path[0] && wide[length] == 0, "D GetSystemDirectory");
    strcat(path, "\\ws2_32.dll");
    CHECK(LoadLibraryA(path) == GetModuleHandleA("ws2_32"), "D LoadLibrary: with a path");
    CHECK(LOBYTE(LOWORD(GetVersion())) >= 6, "D GetVersion: major, of Windows Vista at least");
    CHECK(GetVersion() >> 31 == 0, "D GetVersion: not Windows 95");
}

static void random_octets(void)
{
    HCRYPTPROV context = 0, other = 0;
    BYTE first[32] = {0}, second[32] = {0}, nothing[32] = {0};

    CHECK(CryptAcquireContextA(&context, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT), "D CryptAcquireContext");
    CHECK(CryptAcquireContextW(&other, NULL, NULL, PROV_RSA_AES, CRYPT_VERIFYCONTEXT | CRYPT_SILENT),
          "D CryptAcquireContext");
    CHECK(context != 0 && other != 0, "D CryptAcquireContext");
    CHECK(CryptGenRandom(context, sizeof first, first), "D CryptGenRandom");
    CHECK(CryptGenRandom(other, sizeof second, second), "D CryptGenRandom");
    CHECK(memcmp(first, nothing, sizeof first) != 0 && memcmp(first, second, sizeof first) != 0,
          "D CryptGenRandom: random, never the same but once in 2^256");
    CHECK(CryptGenRandom(context, 0, first), "D CryptGenRandom: nothing is asked for");
    CHECK(CryptReleaseContext(other, 0), "D CryptReleaseContext");
    REFUSED(CryptGenRandom(other, sizeof first, first), ERROR_INVALID_HANDLE, "D CryptGenRandom");
    REFUSED(CryptReleaseContext(other, 0), ERROR_INVALID_HANDLE, "D CryptReleaseContext");
    REFUSED(CryptReleaseContext(context, 1), (DWORD)NTE_BAD_FLAGS, "D CryptReleaseContext: released all the same");
    REFUSED(CryptGenRandom(context, 1, first), ERROR_INVALID_HANDLE, "D CryptReleaseContext: released all the same");
    REFUSED(CryptAcquireContextA(&context, NULL, NULL, PROV_RSA_FULL, 0), (DWORD)NTE_BAD_KEYSET,
            "D CryptAcquireContext: the key container does not exist");
#ifndef __MINGW32__
    REFUSED(CryptAcquireContextA(&context, NULL, NULL, 999, CRYPT_VERIFYCONTEXT), (DWORD)NTE_PROV_TYPE_NOT_DEF,
            "D CryptAcquireContext: no provider of the type");
    REFUSED(CryptAcquireContextA(&context, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT | CRYPT_NEWKEYSET),
            (DWORD)NTE_BAD_FLAGS, "D CryptAcquireContext; choice: no keys can be made");
    REFUSED(CryptAcquireContextA(&context, "name", NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT), (DWORD)NTE_BAD_FLAGS,
            "D CryptAcquireContext: no name with this flag; choice: the code");
    REFUSED(CryptAcquireContextA(NULL, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT), ERROR_NOACCESS,
            "choice: an error, and no crash");
    CHECK(CryptAcquireContextA(&context, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT), "D CryptAcquireContext");
    REFUSED(CryptGenRandom(context, 4, (BYTE *)16), ERROR_NOACCESS, "choice: an error, and no crash");
    REFUSED(CryptGenRandom(context, 0xffffffff, first), ERROR_NOACCESS, "choice: an error, and no crash");
    CHECK(CryptReleaseContext(context, 0), "D CryptReleaseContext");
#endif
}

static void nothing_is_found(void)
{
#ifndef __MINGW32__
    char path[MAX_PATH] = "former";
    HKEY key = NULL;
    DWORD size = 0;

    CHECK_EQ(RegOpenKeyExA(HKEY_LOCAL_MACHINE, "Software", 0, KEY_READ, &key), ERROR_FILE_NOT_FOUND,
             "choice: there is no registry");
    CHECK_EQ(RegOpenKeyExW(HKEY_CURRENT_USER, u"Software", 0, KEY_READ, &key), ERROR_FILE_NOT_FOUND,
             "choice: there is no registry");
    CHECK(key == NULL, "choice: there is no registry");
    CHECK_EQ(RegQueryValueExA(HKEY_USERS, "value", NULL, NULL, NULL, &size), ERROR_FILE_NOT_FOUND,
             "choice: there is no registry");
    CHECK_EQ(RegCloseKey(HKEY_LOCAL_MACHINE), ERROR_SUCCESS, "D RegCloseKey: a predefined handle");
    CHECK_EQ(RegCloseKey(NULL), ERROR_INVALID_HANDLE, "D RegCloseKey: an error code");
    CHECK(!SHGetSpecialFolderPathA(NULL, path, CSIDL_SYSTEM, FALSE), "choice: there are no such folders");
#endif
}

int main(void)
{
    check_begin("libraries");
    functions();
    directory();
    random_octets();
    nothing_is_found();
    return check_end();
}
