/* tchar.h - the generic-text names that socket samples use. With UNICODE a TCHAR is a unit of UTF-16, which the C
 * library knows nothing of: what prints one is in linsock_format.h, and writes UTF-8. */
#ifndef LINSOCK_TCHAR_H
#define LINSOCK_TCHAR_H

#include "windef.h"
#include "linsock_crt.h"

#define _T(x) LINSOCK_TEXT(x)
#define _TEXT(x) LINSOCK_TEXT(x)
typedef TCHAR _TCHAR;
#ifndef UNICODE
#define _tmain main
#define _tprintf printf
#define _ftprintf fprintf
#define _stprintf sprintf
#define _sntprintf snprintf
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
#else
#include <stdio.h>
#include "linsock_format.h"

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
/* Prints UTF-8; what is counted is units of UTF-16. */
static __inline__ int _vftprintf(FILE *file, LPCWSTR format, __builtin_va_list arguments)
{
    int length = linsock_vformat(0, 0, format, arguments), octets;
    LPWSTR wide = (LPWSTR)__builtin_malloc(((size_t)(length < 0 ? 0 : length) + 1) * sizeof *wide);
    /* A unit is three octets at most. */
    char *text = (char *)__builtin_malloc(3 * (size_t)(length < 0 ? 0 : length) + 1);

    if (length > 0 && (wide == 0 || text == 0))
        length = -1;
    if (length > 0) {
        linsock_vformat(wide, (size_t)length + 1, format, arguments);
        octets = WideCharToMultiByte(CP_UTF8, 0, wide, length, text, 3 * length, 0, 0);
        if (fwrite(text, 1, (size_t)octets, file) != (size_t)octets)
            length = -1;
    }
    __builtin_free(text);
    __builtin_free(wide);
    return length;
}
static __inline__ int _vtprintf(LPCWSTR format, __builtin_va_list arguments)
{
    return _vftprintf(stdout, format, arguments);
}
static __inline__ int _ftprintf(FILE *file, LPCWSTR format, ...)
{
    __builtin_va_list arguments;
    int length;

    __builtin_va_start(arguments, format);
    length = _vftprintf(file, format, arguments);
    __builtin_va_end(arguments);
    return length;
}
static __inline__ int _tprintf(LPCWSTR format, ...)
{
    __builtin_va_list arguments;
    int length;

    __builtin_va_start(arguments, format);
    length = _vftprintf(stdout, format, arguments);
    __builtin_va_end(arguments);
    return length;
}
static __inline__ int _fputts(LPCWSTR s, FILE *file)
{
    static const WCHAR as_it_is[] = {'%', 's', 0};

    return _ftprintf(file, as_it_is, s) < 0 ? -1 : 0;
}
static __inline__ int _putts(LPCWSTR s) { return _fputts(s, stdout) < 0 ? -1 : putchar('\n') < 0 ? -1 : 0; }

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
static __inline__ int _vstprintf_s(LPWSTR to, size_t size, LPCWSTR format, __builtin_va_list arguments)
{
    return _vsntprintf_s(to, size, _TRUNCATE - 1, format, arguments);
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
static __inline__ int _stprintf_s(LPWSTR to, size_t size, LPCWSTR format, ...)
{
    __builtin_va_list arguments;
    int length;

    __builtin_va_start(arguments, format);
    length = _vstprintf_s(to, size, format, arguments);
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

/* The arguments in UTF-16; they are the program's for as long as it runs, and no leak. */
static __inline__ LPWSTR *linsock_wide_arguments(int argc, char **argv)
{
    static LPWSTR *wide;

    wide = (LPWSTR *)__builtin_calloc((size_t)argc + 1, sizeof *wide);

    for (int i = 0; wide != 0 && i < argc; i++) {
        int units = MultiByteToWideChar(CP_ACP, 0, argv[i], -1, 0, 0);

        wide[i] = (LPWSTR)__builtin_calloc((size_t)units + 1, sizeof **wide);
        if (wide[i] != 0)
            MultiByteToWideChar(CP_ACP, 0, argv[i], -1, wide[i], units);
    }
    return wide;
}
/* The program's function, with as many arguments as it has, is called by a main in front of it. */
#ifdef __cplusplus
inline int linsock_call_main(int (*start)(), int, LPWSTR *) { return start(); }
inline int linsock_call_main(int (*start)(int, LPWSTR *), int argc, LPWSTR *argv) { return start(argc, argv); }
inline int linsock_call_main(int (*start)(int, LPCWSTR *), int argc, LPWSTR *argv)
{
    return start(argc, (LPCWSTR *)argv);
}
#define LINSOCK_CALL_MAIN(argc, argv) linsock_call_main(linsock_tmain, argc, argv)
#else
#define LINSOCK_CALL_MAIN(argc, argv) ((int (*)(int, LPWSTR *))(void (*)(void))linsock_tmain)(argc, argv)
#endif
#define _tmain(...)                                                                                          \
    linsock_tmain(__VA_ARGS__);                                                                              \
    int main(int argc, char **argv) { return LINSOCK_CALL_MAIN(argc, linsock_wide_arguments(argc, argv)); }  \
    int linsock_tmain(__VA_ARGS__)

#define _tcscpy lstrcpyW
#define _tcscat lstrcatW
#define _tcscmp lstrcmpW
#define _tcsicmp lstrcmpiW
#define _ttoi _wtoi
#define _tstoi _wtoi
#ifdef __cplusplus
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
#endif
#endif

#endif
