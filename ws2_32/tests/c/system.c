/*
 * system.c - what programs ask the system in passing: its version, and random octets. And that no thread is
 * ended from outside.
 */
#include "check.h"
#include <versionhelpers.h>
#include <bcrypt.h>

static const char *const V = "D VerifyVersionInfo";

/* Compares the version with major.minor, and service pack `pack`, by one condition. */
static BOOL compares(DWORD major, DWORD minor, WORD pack, BYTE condition)
{
    OSVERSIONINFOEXA wanted;
    DWORDLONG mask = 0;

    memset(&wanted, 0, sizeof wanted);
    wanted.dwOSVersionInfoSize = sizeof wanted;
    wanted.dwMajorVersion = major;
    wanted.dwMinorVersion = minor;
    wanted.wServicePackMajor = pack;
    mask = VerSetConditionMask(mask, VER_MAJORVERSION, condition);
    mask = VerSetConditionMask(mask, VER_MINORVERSION, condition);
    VER_SET_CONDITION(mask, VER_SERVICEPACKMAJOR, condition);
    SetLastError(CHECK_UNSET);
    return VerifyVersionInfoA(&wanted, VER_MAJORVERSION | VER_MINORVERSION | VER_SERVICEPACKMAJOR, mask);
}

static void versions(void)
{
    OSVERSIONINFOEXW wide;

    CHECK(compares(6, 0, 0, VER_GREATER_EQUAL), V);
    CHECK(compares(6, 1, 1, VER_GREATER), "D VerifyVersionInfo: a later part counts only where the earlier are equal");
    CHECK(!compares(6, 0, 0, VER_EQUAL), V);
    CHECK_EQ(GetLastError(), ERROR_OLD_WIN_VERSION, V);
    CHECK(!compares(99, 0, 0, VER_GREATER_EQUAL), V);
    CHECK_EQ(GetLastError(), ERROR_OLD_WIN_VERSION, V);
    CHECK(compares(99, 0, 0, VER_LESS) && compares(99, 0, 0, VER_LESS_EQUAL), V);
#ifndef __MINGW32__
    CHECK(compares(6, 2, 0, VER_EQUAL) && compares(6, 2, 0, VER_GREATER_EQUAL), "choice: as GetVersion, 6.2");
    CHECK(!compares(6, 2, 0, VER_GREATER) && !compares(6, 2, 1, VER_GREATER_EQUAL), "choice: as GetVersion, 6.2");
    CHECK(compares(6, 2, 0, VER_LESS_EQUAL) && compares(6, 2, 1, VER_LESS), "choice: as GetVersion, 6.2");
    CHECK(!compares(10, 0, 0, VER_GREATER_EQUAL), "D VerifyVersionInfo: for a program without a manifest, 6.2");
    CHECK(IsWindows8OrGreater() && !IsWindows8Point1OrGreater() && !IsWindows10OrGreater(),
          "D IsWindows10OrGreater: false without a manifest");
    CHECK(!IsWindowsServer(), "choice: a workstation");
    CHECK(IsWindowsVersionOrGreater(6, 2, 0) && !IsWindowsVersionOrGreater(6, 2, 1), "choice: as GetVersion, 6.2");
#endif

    memset(&wide, 0, sizeof wide);
    wide.dwOSVersionInfoSize = sizeof wide;
    wide.dwBuildNumber = 6000;
    wide.dwPlatformId = VER_PLATFORM_WIN32_NT;
    CHECK(VerifyVersionInfoW(&wide, VER_BUILDNUMBER, VerSetConditionMask(0, VER_BUILDNUMBER, VER_GREATER)), V);
    CHECK(VerifyVersionInfoW(&wide, VER_PLATFORMID, VerSetConditionMask(0, VER_PLATFORMID, VER_EQUAL)), V);
    CHECK(!VerifyVersionInfoW(&wide, VER_PLATFORMID, VerSetConditionMask(0, VER_PLATFORMID, VER_GREATER)), V);
    CHECK(VerifyVersionInfoW(&wide, VER_SUITENAME, VerSetConditionMask(0, VER_SUITENAME, VER_AND)),
          "D VerifyVersionInfo: of no suite, all are here");
    CHECK_FALSE(VerifyVersionInfoW(&wide, 0, 0), ERROR_BAD_ARGUMENTS, "choice: the page names no error");
    CHECK(IsWindowsXPSP3OrGreater() && IsWindowsVistaOrGreater() && IsWindows7OrGreater(), "D versionhelpers");
#ifndef __MINGW32__
    wide.wSuiteMask = 0x2;
    CHECK(!VerifyVersionInfoW(&wide, VER_SUITENAME, VerSetConditionMask(0, VER_SUITENAME, VER_OR)), "choice: no suites");
    wide.wProductType = VER_NT_SERVER;
    CHECK(!VerifyVersionInfoW(&wide, VER_PRODUCT_TYPE, VerSetConditionMask(0, VER_PRODUCT_TYPE, VER_EQUAL)),
          "choice: this is a workstation");
    CHECK_FALSE(VerifyVersionInfoA((LPOSVERSIONINFOEXA)16, VER_MAJORVERSION, 3), ERROR_NOACCESS,
                "choice: an error, and no crash");
#endif
}

static void randoms(void)
{
    const NTSTATUS invalid_handle = (NTSTATUS)0xC0000008, invalid_parameter = (NTSTATUS)0xC000000D;
    UCHAR one[1000], other[1000];
    size_t i, alike = 0;

    memset(one, 0, sizeof one);
    memset(other, 0, sizeof other);
    CHECK_EQ(BCryptGenRandom(NULL, one, sizeof one, BCRYPT_USE_SYSTEM_PREFERRED_RNG), 0, "D BCryptGenRandom");
    CHECK_EQ(BCryptGenRandom(BCRYPT_RNG_ALG_HANDLE, other, 999, 0), 0, "D CNG algorithm pseudo-handles");
    for (i = 0; i < sizeof one; i++)
        alike += one[i] == other[i];
    /* Four are expected; with fifty the octets are not random. */
    CHECK(alike < 50 && other[999] == 0, "D BCryptGenRandom: all of the buffer, and no more");
    CHECK_EQ(BCryptGenRandom(NULL, one, sizeof one, 0), invalid_handle, "D BCryptGenRandom");
    CHECK_EQ(BCryptGenRandom(NULL, one, 0, BCRYPT_USE_SYSTEM_PREFERRED_RNG), 0, "choice: of nothing, nothing");
    CHECK_EQ(BCryptGenRandom(NULL, NULL, 1, BCRYPT_USE_SYSTEM_PREFERRED_RNG), invalid_parameter, "D BCryptGenRandom");
#ifndef __MINGW32__
    CHECK_EQ(BCryptGenRandom(BCRYPT_RNG_ALG_HANDLE, one, 1, BCRYPT_USE_SYSTEM_PREFERRED_RNG), invalid_handle,
             "D BCryptGenRandom: with that flag no handle");
    CHECK_EQ(BCryptGenRandom(NULL, (PUCHAR)16, 1, BCRYPT_USE_SYSTEM_PREFERRED_RNG), invalid_parameter,
             "choice: an error, and no crash");
    CHECK_EQ(BCryptGenRandom(NULL, one, 1, 0x80), invalid_parameter, "choice: a flag that does not exist");
#endif
}

#ifndef __MINGW32__
static DWORD WINAPI wait_for_event(void *event)
{
    return WaitForSingleObject(event, CHECK_WAIT_MS);
}

static void termination(void)
{
    HANDLE event = new_event(), thread = CreateThread(NULL, 0, wait_for_event, event, 0, NULL);
    DWORD code = 0;

    REQUIRE(thread != NULL);
    CHECK_FALSE(TerminateThread(thread, 7), ERROR_ACCESS_DENIED, "choice: no handle has THREAD_TERMINATE");
    CHECK_FALSE(TerminateThread(event, 7), ERROR_INVALID_HANDLE, "choice: the page names no error");
    CHECK_EQ(WaitForSingleObject(thread, 0), WAIT_TIMEOUT, "choice: the thread goes on");
    SetEvent(event);
    CHECK(is_set(thread, CHECK_WAIT_MS) && GetExitCodeThread(thread, &code), "choice: the thread goes on");
    CHECK_EQ(code, WAIT_OBJECT_0, "choice: the thread goes on");
    CloseHandle(thread);
    CloseHandle(event);
}
#endif

int main(void)
{
    check_begin_bare("system");
    versions();
    randoms();
#ifndef __MINGW32__
    termination();
#endif
    return check_end_bare();
}
