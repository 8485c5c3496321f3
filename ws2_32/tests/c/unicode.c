/*
 * unicode.c - a program that is built with UNICODE: its texts and its functions are those of UTF-16.
 */
#define UNICODE
#define _UNICODE
#include "check.h"
#include <strsafe.h>
#include <tchar.h>

static void texts(void)
{
    TCHAR to[16];

    CHECK_EQ(sizeof(TCHAR), 2, "D TCHAR");
    CHECK_EQ(_tcslen(_T("four")), 4, "D _tcslen");
    CHECK(_tcscpy(to, TEXT("one")) == to && _tcscmp(to, _T("one")) == 0, "D _tcscpy");
    CHECK(_tcscat(to, _T(" two")) == to && _tcscmp(to, _T("one two")) == 0, "D _tcscat");
    CHECK(_tcschr(to, 'o') == to && _tcsrchr(to, 'o') == to + 6, "D _tcschr, _tcsrchr");
    CHECK(_tcschr(to, 'x') == NULL && _tcsrchr(to, 'x') == NULL, "D _tcschr, _tcsrchr");
    CHECK(_tcschr(to, 0) == to + 7 && _tcsrchr(to, 0) == to + 7, "D _tcschr: the zero is a part of the string");
    CHECK(_tcsstr(to, _T("tw")) == to + 4 && _tcsstr(to, _T("tx")) == NULL, "D _tcsstr");
    CHECK(_tcsstr(to, _T("")) == to && _tcsstr(_T(""), _T("a")) == NULL, "D _tcsstr: nothing is found at once");
    CHECK(_tcsncmp(to, _T("one x"), 4) == 0 && _tcsncmp(to, _T("one x"), 5) < 0, "D _tcsncmp");
    CHECK(_tcsicmp(to, _T("ONE Two")) == 0, "D _tcsicmp");
    to[3] = 'x';
    CHECK(_tcsncpy(to, _T("ab"), 4) == to && to[1] == 'b' && to[2] == 0 && to[3] == 0, "D _tcsncpy: filled with zeros");
    CHECK_EQ(to[4], 't', "D _tcsncpy: and nothing behind");
    CHECK_EQ(_ttoi(_T("123x")), 123, "D _ttoi");
}

static void functions(void)
{
    TCHAR text[200], *allocated = NULL;
    HANDLE event = CreateEvent(NULL, TRUE, FALSE, TEXT("linsock-unicode")), same;
    DWORD length = FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 5, 0, text, 200, NULL);

    same = OpenEvent(EVENT_ALL_ACCESS, FALSE, TEXT("linsock-unicode"));
    CHECK(event != NULL && same != NULL && SetEvent(same) && is_set(event, 0), "D CreateEvent, OpenEvent");
    CloseHandle(same);
    CloseHandle(event);
    CHECK(length > 4 && _tcslen(text) == length, "D FormatMessage");
    CHECK_EQ(FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL, 5, 0,
                           (LPTSTR)&allocated, 0, NULL), length, "D FormatMessage: FORMAT_MESSAGE_ALLOCATE_BUFFER");
    CHECK(allocated != NULL && _tcscmp(allocated, text) == 0, "D FormatMessage");
    LocalFree(allocated);
    CHECK(SetEnvironmentVariable(_T("LINSOCK_UNICODE"), _T("yes")), "D SetEnvironmentVariable");
    CHECK_EQ(GetEnvironmentVariable(_T("LINSOCK_UNICODE"), text, 200), 3, "D GetEnvironmentVariable");
    CHECK(_tcscmp(text, _T("yes")) == 0, "D GetEnvironmentVariable");
    CHECK(GetModuleFileName(NULL, text, 200) > 0 && GetModuleHandle(NULL) != NULL, "D GetModuleFileName");
    CHECK(GetCommandLine()[0] != 0, "D GetCommandLine");
    OutputDebugString(_T("nobody reads this\n"));
}

static BOOL prints(LPCTSTR expected, LPCTSTR format, ...)
{
    static const char *const source = "D format specification syntax: printf and wprintf functions";
    TCHAR text[200];
    va_list arguments;

    va_start(arguments, format);
    CHECK_EQ(StringCchVPrintf(text, ARRAYSIZE(text), format, arguments), S_OK, "D StringCchVPrintf");
    va_end(arguments);
    return CHECK(_tcscmp(text, expected) == 0, source);
}

static void directives(void)
{
    LONG max = 0x7fffffff, min = -max - 1;

    CHECK(prints(_T("100% of 7"), _T("%d%% of %i"), 100, 7), "D printf: %d, %i, %%");
    CHECK(prints(_T("-2147483648 4294967295"), _T("%ld %lu"), min, (DWORD)-1), "D printf: %ld is a LONG");
    CHECK(prints(_T("-1 18446744073709551615"), _T("%lld %I64u"), -1LL, (ULONGLONG)-1), "D printf: %lld, %I64u");
    CHECK(prints(_T("-1 255 65535"), _T("%hd %hhu %hu"), 65535, 511, -1), "D printf: %hd, %hhu, %hu");
    CHECK(prints(_T("12 ff FF 0x1f"), _T("%I32u %x %X %#x"), 12u, 255, 255, 31), "D printf: %I32u, %x");
    CHECK(prints(_T("[   42][42   ][00042][+42]"), _T("[%5d][%-5d][%05d][%+d]"), 42, 42, 42, 42), "D printf: flags");
    CHECK(prints(_T("[   42][42  ][007]"), _T("[%*d][%*d][%.*d]"), 5, 42, -4, 42, 3, 7), "D printf: *");
    CHECK(prints(_T("wide wide narrow narrow"), _T("%s %ls %hs %S"), TEXT("wide"), TEXT("wide"), "narrow", "narrow"),
          "D printf: %s is wide in a wide format");
    CHECK(prints(_T("[ab][  ab][abc ]"), _T("[%.2s][%4.2hs][%-4ws]"), TEXT("abcd"), "abcd", TEXT("abc")),
          "D printf: precision of a text");
    CHECK(prints(_T("a b(null)"), _T("%c %C%s"), 'a', 'b', NULL), "D printf: %c, %C");
    CHECK(prints(_T("1.50 2e+03 0000000000000ABC"), _T("%.2f %.0e %p"), 1.5, 2000.0, (void *)0xabc), "D printf: %f, %p");
    CHECK(prints(_T("\u00e4\u20ac"), _T("%hs%s"), "\xc3\xa4", TEXT("\u20ac")), "choice: octets are UTF-8");
    CHECK(prints(_T("00000000000000000000000000000000000000000000000000000000000000000000000000000001"), _T("%080d"), 1),
          "D printf: any width");
}

static void bounds(void)
{
    TCHAR to[6];
    char octets[16] = "";
    FILE *file = tmpfile();

    CHECK_EQ(StringCchPrintf(to, 6, _T("%d-%s"), 12, TEXT("ab")), S_OK, "D StringCchPrintf");
    CHECK(_tcscmp(to, _T("12-ab")) == 0, "D StringCchPrintf");
    CHECK_EQ(StringCbPrintf(to, sizeof to, _T("%s"), TEXT("1234567")), STRSAFE_E_INSUFFICIENT_BUFFER, "D StringCbPrintf");
    CHECK(_tcscmp(to, _T("12345")) == 0, "D StringCbPrintf: what fits");
    CHECK_EQ(StringCchPrintf(to, 0, _T("x")), STRSAFE_E_INVALID_PARAMETER, "D StringCchPrintf");
    CHECK_EQ(_stprintf_s(to, 6, _T("%d"), 12345), 5, "D swprintf_s");
    CHECK_EQ(_stprintf_s(to, 6, _T("%d"), 123456), -1, "D swprintf_s");
    CHECK_EQ(to[0], 0, "D swprintf_s");
    CHECK_EQ(_sntprintf_s(to, 6, _TRUNCATE, _T("%d"), 123456), -1, "D _snwprintf_s: _TRUNCATE");
    CHECK(_tcscmp(to, _T("12345")) == 0, "D _snwprintf_s: _TRUNCATE");
    CHECK_EQ(_sntprintf_s(to, 6, 2, _T("%d"), 123456), -1, "D _snwprintf_s: count");
    CHECK(_tcscmp(to, _T("12")) == 0, "D _snwprintf_s: count");
    CHECK_EQ(_tcscat_s(to, 6, _T("345")), 0, "D wcscat_s");
    CHECK_EQ(_tcscat_s(to, 6, _T("6")), 34, "D wcscat_s: ERANGE");
    CHECK_EQ(to[0], 0, "D wcscat_s");
    CHECK_EQ(_tcscpy_s(to, 6, _T("12345")), 0, "D wcscpy_s");
    CHECK_EQ(_tcscpy_s(to, 5, _T("12345")), 34, "D wcscpy_s: ERANGE");
    CHECK_EQ(_tcscpy_s(to, 5, NULL), 22, "D wcscpy_s: EINVAL");
    REQUIRE(file != NULL);
    CHECK_EQ(_ftprintf(file, _T("%s%d"), TEXT("\u20ac"), 5), 2, "D fwprintf: characters");
    CHECK_EQ(_fputts(_T("%d\n"), file), 0, "D fputws");
    rewind(file);
    CHECK(fgets(octets, sizeof octets, file) != NULL && strcmp(octets, "\xe2\x82\xac""5%d\n") == 0, "choice: UTF-8");
    fclose(file);
    _tprintf(_T("%s\n"), TEXT("a line"));
    _putts(_T("another"));
}

int main(void)
{
    check_begin("unicode");
    texts();
    functions();
    directives();
    bounds();
    return check_end();
}
