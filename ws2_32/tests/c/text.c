/*
 * text.c - UTF-16 and octets, texts of errors in UTF-16, and the older allocator that they come from.
 */
#include "check.h"

static BOOL same(const WCHAR *a, const WCHAR *b, int count)
{
    return memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

static void to_wide(void)
{
    static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
    static const WCHAR expected[] = {'a', 0xe4, 0x20ac, 0xd83d, 0xde00, 0};
    WCHAR wide[16];

    CHECK_EQ(MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0), 6, "D MultiByteToWideChar: size 0 asks, with the zero");
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, 6), 6, "D MultiByteToWideChar");
    CHECK(same(wide, expected, 6), "D MultiByteToWideChar");
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, 0, text, 3, NULL, 0), 2, "D MultiByteToWideChar: a length leaves the zero out");
    wide[2] = 7;
    CHECK_EQ(MultiByteToWideChar(CP_ACP, 0, text, 3, wide, 16), 2, "choice: CP_ACP is UTF-8");
    CHECK(same(wide, expected, 2) && wide[2] == 7, "D MultiByteToWideChar: no zero is added");
    CHECK_EQ(MultiByteToWideChar(CP_OEMCP, MB_PRECOMPOSED, "x", -1, wide, 2), 2, "D MultiByteToWideChar: MB_PRECOMPOSED");
    SetLastError(CHECK_UNSET);
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, 5), 0, "D MultiByteToWideChar: too small");
    CHECK_EQ(GetLastError(), ERROR_INSUFFICIENT_BUFFER, "D MultiByteToWideChar: too small");
}

static void what_is_not_utf8(void)
{
    static const WCHAR replaced[] = {'a', 0xfffd, 'b', 0};
    WCHAR wide[8];

    CHECK_EQ(MultiByteToWideChar(CP_UTF8, 0, "a\xff""b", -1, wide, 8), 4, "D MultiByteToWideChar: U+FFFD");
    CHECK(same(wide, replaced, 4), "D MultiByteToWideChar: U+FFFD");
    SetLastError(CHECK_UNSET);
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, "a\xff""b", -1, wide, 8), 0,
             "D MultiByteToWideChar: MB_ERR_INVALID_CHARS");
    CHECK_EQ(GetLastError(), ERROR_NO_UNICODE_TRANSLATION, "D MultiByteToWideChar: MB_ERR_INVALID_CHARS");
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, "\xed\xa0\x80", 3, NULL, 0), 0,
             "D MultiByteToWideChar: a surrogate is no UTF-8");
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, "ab", -1, wide, 8), 3,
             "D MultiByteToWideChar: MB_ERR_INVALID_CHARS");
}

static void to_octets(void)
{
    static const WCHAR text[] = {'a', 0xe4, 0x20ac, 0xd83d, 0xde00, 0};
    static const WCHAR half[] = {'a', 0xd83d, 'b', 0};
    char octets[16];
    BOOL used = 7;

    CHECK_EQ(WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL), 11, "D WideCharToMultiByte: size 0 asks");
    CHECK_EQ(WideCharToMultiByte(CP_UTF8, 0, text, -1, octets, 11, NULL, NULL), 11, "D WideCharToMultiByte");
    CHECK(strcmp(octets, "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80") == 0, "D WideCharToMultiByte");
    octets[3] = 'x';
    CHECK_EQ(WideCharToMultiByte(CP_UTF8, 0, text, 2, octets, 16, NULL, NULL), 3, "D WideCharToMultiByte");
    CHECK_EQ(octets[3], 'x', "D WideCharToMultiByte: no zero is added");
    CHECK_EQ(WideCharToMultiByte(CP_UTF8, 0, half, -1, octets, 16, NULL, NULL), 6, "D WideCharToMultiByte: U+FFFD");
    CHECK(strcmp(octets, "a\xef\xbf\xbd""b") == 0, "D WideCharToMultiByte: U+FFFD");
    SetLastError(CHECK_UNSET);
    CHECK_EQ(WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, half, -1, octets, 16, NULL, NULL), 0,
             "D WideCharToMultiByte: WC_ERR_INVALID_CHARS");
    CHECK_EQ(GetLastError(), ERROR_NO_UNICODE_TRANSLATION, "D WideCharToMultiByte: WC_ERR_INVALID_CHARS");
    CHECK_EQ(WideCharToMultiByte(CP_ACP, 0, text, -1, octets, 16, "?", &used), 11, "choice: CP_ACP is UTF-8");
    CHECK_EQ(used, FALSE, "D WideCharToMultiByte: lpUsedDefaultChar");
    SetLastError(CHECK_UNSET);
    CHECK_EQ(WideCharToMultiByte(CP_UTF8, 0, text, -1, octets, 10, NULL, NULL), 0, "D WideCharToMultiByte: too small");
    CHECK_EQ(GetLastError(), ERROR_INSUFFICIENT_BUFFER, "D WideCharToMultiByte: too small");
}

#define REFUSED(call, error, source) do { \
        SetLastError(CHECK_UNSET); \
        CHECK_EQ(call, 0, source); \
        CHECK_EQ(GetLastError(), error, source); \
    } while (0)

static void refuses(void)
{
    WCHAR wide[4] = {'a', 0};
    char octets[4] = "a";
    BOOL used;

    REFUSED(MultiByteToWideChar(CP_UTF8, 0, octets, 0, wide, 4), ERROR_INVALID_PARAMETER,
            "D MultiByteToWideChar: a length of 0 fails");
    REFUSED(MultiByteToWideChar(CP_UTF8, 0, NULL, -1, wide, 4), ERROR_INVALID_PARAMETER, "D MultiByteToWideChar");
    REFUSED(MultiByteToWideChar(CP_UTF8, 0, octets, -1, NULL, 4), ERROR_INVALID_PARAMETER, "D MultiByteToWideChar");
    REFUSED(MultiByteToWideChar(CP_UTF8, 0, octets, -1, wide, -1), ERROR_INVALID_PARAMETER, "D MultiByteToWideChar");
    REFUSED(MultiByteToWideChar(CP_UTF8, 0, (LPCCH)wide, -1, wide, 4), ERROR_INVALID_PARAMETER,
            "D MultiByteToWideChar: the two must not be the same");
    REFUSED(MultiByteToWideChar(CP_UTF8, MB_PRECOMPOSED, octets, -1, wide, 4), ERROR_INVALID_FLAGS,
            "D MultiByteToWideChar: with UTF-8, 0 or MB_ERR_INVALID_CHARS");
    REFUSED(MultiByteToWideChar(54321, 0, octets, -1, wide, 4), ERROR_INVALID_PARAMETER,
            "D MultiByteToWideChar: no such code page");
    REFUSED(WideCharToMultiByte(CP_UTF8, 0, wide, -1, octets, 4, "?", NULL), ERROR_INVALID_PARAMETER,
            "D WideCharToMultiByte: no default character with UTF-8");
    REFUSED(WideCharToMultiByte(CP_UTF8, 0, wide, -1, octets, 4, NULL, &used), ERROR_INVALID_PARAMETER,
            "D WideCharToMultiByte: no default character with UTF-8");
    REFUSED(WideCharToMultiByte(CP_UTF8, WC_NO_BEST_FIT_CHARS, wide, -1, octets, 4, NULL, NULL), ERROR_INVALID_FLAGS,
            "D WideCharToMultiByte: with UTF-8, 0 or WC_ERR_INVALID_CHARS");
    REFUSED(WideCharToMultiByte(CP_UTF8, 0, wide, 0, octets, 4, NULL, NULL), ERROR_INVALID_PARAMETER,
            "D WideCharToMultiByte: a length of 0 fails");
#ifndef __MINGW32__
    REFUSED(MultiByteToWideChar(CP_UTF8, 0, (LPCCH)16, -1, wide, 4), ERROR_NOACCESS, "choice: an error, and no crash");
    REFUSED(MultiByteToWideChar(CP_UTF8, 0, octets, -1, (LPWSTR)16, 4), ERROR_NOACCESS, "choice: an error, and no crash");
    REFUSED(WideCharToMultiByte(CP_UTF8, 0, (LPCWCH)16, 5, octets, 4, NULL, NULL), ERROR_NOACCESS,
            "choice: an error, and no crash");
    REFUSED(WideCharToMultiByte(CP_ACP, 0, wide, -1, octets, 4, NULL, (LPBOOL)16), ERROR_NOACCESS,
            "choice: an error, and no crash");
    CHECK_EQ(GetACP(), CP_UTF8, "choice: the code page is UTF-8");
#endif
}

static void strings(void)
{
    static const WCHAR one[] = {'A', 'b', 'c', 0}, two[] = {'a', 'B', 'd', 0};
    WCHAR to[8];

    CHECK_EQ(lstrlenW(one), 3, "D lstrlenW");
    CHECK_EQ(lstrlenW(NULL), 0, "D lstrlenW: NULL is 0");
    CHECK(lstrcpyW(to, one) == to && same(to, one, 4), "D lstrcpyW");
    CHECK(lstrcatW(to, two) == to && lstrlenW(to) == 6 && to[3] == 'a', "D lstrcatW");
    CHECK(lstrcpynW(to, two, 3) == to && lstrlenW(to) == 2 && to[1] == 'B', "D lstrcpynW: the zero counts");
    CHECK_EQ(lstrcmpW(one, one), 0, "D lstrcmpW");
    CHECK(lstrcmpiW(one, two) < 0 && lstrcmpiW(two, one) > 0, "D lstrcmpiW");
    to[0] = 'A';
    CHECK_EQ(lstrcmpiW(to, u"ab"), 0, "D lstrcmpiW");
    CHECK(lstrcmpW(u"b", u"c") < 0 && lstrcmpW(u"c", u"b") > 0 && lstrcmpW(u"c", u"") > 0, "D lstrcmpW");
}

static void messages(void)
{
    char narrow[200];
    WCHAR wide[200], *allocated = NULL;
    DWORD length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, WSAECONNREFUSED, 0, narrow, 200, NULL), i;

    CHECK_EQ(FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM, NULL, WSAECONNREFUSED, 0, wide, 200, NULL), length,
             "D FormatMessageW");
    CHECK(length > 10 && wide[length] == 0, "D FormatMessageW: a zero is added");
    for (i = 0; i < length && wide[i] == (WCHAR)narrow[i]; i++)
        ;
    CHECK_EQ(i, length, "D FormatMessageW: the same text");
    REFUSED(FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM, NULL, WSAECONNREFUSED, 0, wide, length, NULL),
            ERROR_INSUFFICIENT_BUFFER, "D FormatMessageW");
    CHECK_EQ(FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL, WSAECONNREFUSED, 0,
                            (LPWSTR)&allocated, 300, NULL), length, "D FormatMessageW: FORMAT_MESSAGE_ALLOCATE_BUFFER");
    CHECK(allocated != NULL && same(allocated, wide, (int)length), "D FormatMessageW: FORMAT_MESSAGE_ALLOCATE_BUFFER");
    CHECK(LocalSize(allocated) >= 600, "D FormatMessageW: the least size is in characters");
    CHECK(LocalFree(allocated) == NULL, "D FormatMessageW: freed with LocalFree");
    OutputDebugStringW(wide);
}

static void global_memory(void)
{
    unsigned char *p = GlobalAlloc(GPTR, 100);
    HGLOBAL movable = GlobalAlloc(GHND, 50);
    int i, sum = 0;

    REQUIRE(p != NULL && movable != NULL);
    for (i = 0; i < 100; i++)
        sum += p[i];
    CHECK_EQ(sum, 0, "D GlobalAlloc: GPTR is zero");
    CHECK(GlobalLock(p) == p, "D GlobalLock: of fixed memory its address");
    CHECK(GlobalUnlock(p), "D GlobalUnlock: TRUE for fixed memory");
    memset(p, 9, 100);
    p = GlobalReAlloc(p, 1000, GMEM_MOVEABLE | GMEM_ZEROINIT);
    REQUIRE(p != NULL);
    for (i = 100; i < 1000; i++)
        sum += p[i];
    CHECK(p[0] == 9 && p[99] == 9 && sum == 0, "D GlobalReAlloc: GMEM_ZEROINIT");
    CHECK(GlobalSize(p) >= 1000, "D GlobalSize");
    CHECK(GlobalFree(p) == NULL, "D GlobalFree");
    p = GlobalLock(movable);
    REQUIRE(p != NULL);
    p[49] = 1;
    GlobalUnlock(movable);
    CHECK(GlobalSize(movable) >= 50, "D GlobalSize");
    CHECK(GlobalFree(movable) == NULL, "D GlobalFree");
    CHECK(GlobalFree(NULL) == NULL, "choice: as free");
}

static void local_memory(void)
{
    char *p = LocalAlloc(LPTR, 10);
    HLOCAL larger;

    REQUIRE(p != NULL);
    CHECK_EQ(p[9], 0, "D LocalAlloc: LPTR is zero");
    CHECK(LocalLock(p) == p, "D LocalLock: of fixed memory its address");
    strcpy(p, "123456789");
    larger = LocalReAlloc(p, 100000, LMEM_MOVEABLE);
    REQUIRE(larger != NULL);
    CHECK(strcmp(larger, "123456789") == 0, "D LocalReAlloc");
    CHECK(LocalSize(larger) >= 100000, "D LocalSize");
    CHECK(LocalFree(larger) == NULL, "D LocalFree");
#ifndef __MINGW32__
    CHECK(LocalFree((HLOCAL)&larger) == (HLOCAL)&larger, "D LocalFree: the handle, for what is no such memory");
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE, "choice: an error, and no crash");
    CHECK(GlobalLock((HGLOBAL)16) == NULL && GetLastError() == ERROR_INVALID_HANDLE, "choice: an error, and no crash");
    CHECK(GlobalReAlloc((HGLOBAL)16, 10, 0) == NULL && GetLastError() == ERROR_INVALID_HANDLE,
          "choice: an error, and no crash");
    CHECK_EQ(GlobalSize((HGLOBAL)16), 0, "choice: an error, and no crash");
    CHECK(GlobalAlloc(GPTR, (SIZE_T)-1) == NULL && GetLastError() == ERROR_NOT_ENOUGH_MEMORY, "D GlobalAlloc");
    p = LocalAlloc(LPTR, 10);
    CHECK(!LocalUnlock(p) && GetLastError() == ERROR_NOT_LOCKED, "choice: fixed memory is never locked");
    CHECK(LocalFree(p) == NULL, "D LocalFree");
#endif
}

int main(void)
{
    check_begin("text");
    to_wide();
    what_is_not_utf8();
    to_octets();
    refuses();
    strings();
    messages();
    global_memory();
    local_memory();
    return check_end();
}
