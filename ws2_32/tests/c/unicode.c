/*
 * unicode.c - a program that is built with UNICODE: its texts and its functions are those of UTF-16.
 */
#define UNICODE
#define _UNICODE
#include "check.h"
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

int main(void)
{
    check_begin("unicode");
    texts();
    functions();
    return check_end();
}
