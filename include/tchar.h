/* tchar.h - the generic-text names that socket samples use. With UNICODE a TCHAR is a unit of UTF-16, which the C
 * library knows nothing of: these names lead to functions of our own. */
#ifndef LINSOCK_TCHAR_H
#define LINSOCK_TCHAR_H

#include "windef.h"
#include "linsock_crt.h"
#include "linsock_wide.h"

#define _T(x) LINSOCK_TEXT(x)
#define _TEXT(x) LINSOCK_TEXT(x)
typedef TCHAR _TCHAR;
#ifndef UNICODE
#define _tmain main
#define _tprintf printf
#define _ftprintf fprintf
#define _stprintf sprintf
#define _sntprintf snprintf
#define _vtprintf vprintf
#define _putts puts
#define _fputts fputs
#define _stprintf_s sprintf_s
#define _tcslen strlen
#define _tcscpy strcpy
#define _tcscpy_s strcpy_s
#define _tcsncpy strncpy
#define _tcscat strcat
#define _tcscmp strcmp
#define _tcsncmp strncmp
#define _tcsicmp _stricmp
#define _tcsnicmp _strnicmp
#define _tcschr strchr
#define _tcsrchr strrchr
#define _tcsstr strstr
#define _tcspbrk strpbrk
#define _tcsdup _strdup
#define _ttoi _tstoi
#define _tstoi atoi
#define _tcstol strtol
#define _tcstoul strtoul
#define _tcstok_s strtok_s
#define _tcscat_s strcat_s
#define _tcsncpy_s strncpy_s
#define _sntprintf_s _snprintf_s
#define _vtprintf vprintf
#define _vftprintf vfprintf
#define _vstprintf_s vsprintf_s
#define _vsntprintf_s _vsnprintf_s
#define _putts puts
#define _fputts fputs
#define _fgetts fgets
#define _tfopen fopen
#define _tfopen_s fopen_s
#else
#include <stdio.h>

/* cpp/c-runtime-library/reference/strlen-wcslen-mbslen-mbslen-l-mbstrlen-mbstrlen-l and siblings, on WCHAR */
static __inline__ size_t _tcslen(LPCWSTR s)
{
    size_t length = 0;

    while (s[length] != 0)
        length++;
    return length;
}
static __inline__ LPWSTR _tcsncpy(LPWSTR to, LPCWSTR from, size_t n)
{
    size_t at = 0;

    for (; at < n && from[at] != 0; at++)
        to[at] = from[at];
    for (; at < n; at++)
        to[at] = 0;
    return to;
}
static __inline__ int _tcsncmp(LPCWSTR a, LPCWSTR b, size_t n)
{
    for (; n != 0; n--, a++, b++)
        if (*a != *b || *a == 0)
            return *a < *b ? -1 : *a > *b;
    return 0;
}
static __inline__ LPWSTR _tcschr(LPCWSTR s, WCHAR c)
{
    for (; *s != c; s++)
        if (*s == 0)
            return 0;
    return (LPWSTR)(ULONG_PTR)s;
}
static __inline__ LPWSTR _tcsrchr(LPCWSTR s, WCHAR c)
{
    LPWSTR found = 0;

    for (;; s++) {
        if (*s == c)
            found = (LPWSTR)(ULONG_PTR)s;
        if (*s == 0)
            return found;
    }
}
static __inline__ LPWSTR _tcsstr(LPCWSTR s, LPCWSTR part)
{
    size_t length = _tcslen(part);

    for (; _tcsncmp(s, part, length) != 0; s++)
        if (*s == 0)
            return 0;
    return (LPWSTR)(ULONG_PTR)s;
}
static __inline__ LPWSTR _tcspbrk(LPCWSTR s, LPCWSTR set)
{
    for (; *s != 0; s++)
        if (_tcschr(set, *s) != 0)
            return (LPWSTR)(ULONG_PTR)s;
    return 0;
}
/* As the functions for octets: what breaks their rules is told by the return value, and an empty result. */
static __inline__ int _vsntprintf_s(LPWSTR to, size_t size, size_t n, LPCWSTR format, __builtin_va_list arguments)
{
    size_t room = n < size ? n + 1 : size;
    int length;

    if (to == 0 || size == 0 || format == 0)
        return -1;
    length = linsock_vformat(to, room, format, arguments);
    if (length >= 0 && (size_t)length < room)
        return length;
    if (length < 0 || (n != _TRUNCATE && n >= size))
        to[0] = 0;
    return -1;
}
static __inline__ int _sntprintf_s(LPWSTR to, size_t size, size_t n, LPCWSTR format, ...)
{
    __builtin_va_list arguments;
    int length;

    __builtin_va_start(arguments, format);
    length = _vsntprintf_s(to, size, n, format, arguments);
    __builtin_va_end(arguments);
    return length;
}
/* Puts a string behind the first `at` units of a buffer. */
static __inline__ errno_t linsock_put_wide_s(LPWSTR to, size_t size, size_t at, LPCWSTR from)
{
    if (to == 0 || size == 0)
        return LINSOCK_EINVAL;
    if (from == 0 || at >= size) {
        to[0] = 0;
        return LINSOCK_EINVAL;
    }
    if (_tcslen(from) >= size - at) {
        to[0] = 0;
        return LINSOCK_ERANGE;
    }
    lstrcpyW(to + at, from);
    return 0;
}
static __inline__ errno_t _tcscpy_s(LPWSTR to, size_t size, LPCWSTR from)
{
    return linsock_put_wide_s(to, size, 0, from);
}
static __inline__ errno_t _tcscat_s(LPWSTR to, size_t size, LPCWSTR from)
{
    size_t at = 0;

    while (to != 0 && at < size && to[at] != 0)
        at++;
    return linsock_put_wide_s(to, size, at, from);
}

#define _tmain LINSOCK_WIDE_MAIN(TCHAR)
#define _tprintf linsock_tprintf
#define _ftprintf linsock_tfprintf
#define _vtprintf linsock_tvprintf
#define _stprintf(to, ...) linsock_tsprintf((to), (size_t)-1 / 8, __VA_ARGS__)
#define _sntprintf linsock_tsprintf
#define _stprintf_s linsock_tsprintf_s
#define _vstprintf_s linsock_tvsprintf_s
#define _vftprintf linsock_tvfprintf
#define _putts linsock_tputs
#define _fputts linsock_tfputs
#define _tfopen linsock_tfopen
#define _tfopen_s linsock_tfopen_s
#define _tcscpy lstrcpyW
#define _tcscat lstrcatW
#define _tcscmp lstrcmpW
#define _tcsicmp lstrcmpiW
#define _ttoi _wtoi
#define _tstoi _wtoi
#ifdef __cplusplus
extern "C++" {
/* An array knows its size. */
template <size_t N> inline errno_t _tcscpy_s(WCHAR (&to)[N], LPCWSTR from) { return _tcscpy_s(to, N, from); }
template <size_t N> inline errno_t _tcscat_s(WCHAR (&to)[N], LPCWSTR from) { return _tcscat_s(to, N, from); }
template <size_t N> inline int _stprintf_s(WCHAR (&to)[N], LPCWSTR format, ...)
{
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    int length = _vstprintf_s(to, N, format, arguments);
    __builtin_va_end(arguments);
    return length;
}
}
#endif
#endif

#endif
