/* linsock_wcs.h - the wide strings of the C runtime where wchar_t has 16 bits (-municode), as on Windows. The C
 * library's functions count in units of 32 bits, so the names lead here, and those that do not are refused. */
#ifndef LINSOCK_WCS_H
#define LINSOCK_WCS_H

#include "linsock_wide.h"

#include <stdlib.h>

#define LINSOCK_WCS static __inline__ __attribute__((unused))

LINSOCK_WCS size_t linsock_wcsnlen(const wchar_t *s, size_t most) { return linsock_wide_length(s, 2, most); }
LINSOCK_WCS size_t linsock_wcslen(const wchar_t *s) { return linsock_wide_length(s, 2, (size_t)-1); }
LINSOCK_WCS wchar_t *linsock_wmemcpy(wchar_t *to, const wchar_t *from, size_t n)
{
    return (wchar_t *)__builtin_memcpy(to, from, 2 * n);
}
LINSOCK_WCS wchar_t *linsock_wmemmove(wchar_t *to, const wchar_t *from, size_t n)
{
    return (wchar_t *)__builtin_memmove(to, from, 2 * n);
}
LINSOCK_WCS wchar_t *linsock_wmemset(wchar_t *to, wchar_t c, size_t n)
{
    size_t at;

    for (at = 0; at < n; at++)
        to[at] = c;
    return to;
}
LINSOCK_WCS int linsock_wmemcmp(const wchar_t *a, const wchar_t *b, size_t n)
{
    for (; n != 0; n--, a++, b++)
        if (*a != *b)
            return *a < *b ? -1 : 1;
    return 0;
}
LINSOCK_WCS wchar_t *linsock_wmemchr(const wchar_t *s, wchar_t c, size_t n)
{
    for (; n != 0; n--, s++)
        if (*s == c)
            return (wchar_t *)(ULONG_PTR)s;
    return 0;
}
LINSOCK_WCS wchar_t *linsock_wcscpy(wchar_t *to, const wchar_t *from)
{
    return linsock_wmemcpy(to, from, linsock_wcslen(from) + 1);
}
LINSOCK_WCS wchar_t *linsock_wcsncpy(wchar_t *to, const wchar_t *from, size_t n)
{
    size_t length = linsock_wcsnlen(from, n);

    linsock_wmemcpy(to, from, length);
    linsock_wmemset(to + length, 0, n - length);
    return to;
}
LINSOCK_WCS wchar_t *linsock_wcsncat(wchar_t *to, const wchar_t *from, size_t n)
{
    size_t at = linsock_wcslen(to), length = linsock_wcsnlen(from, n);

    linsock_wmemcpy(to + at, from, length);
    to[at + length] = 0;
    return to;
}
LINSOCK_WCS wchar_t *linsock_wcscat(wchar_t *to, const wchar_t *from) { return linsock_wcsncat(to, from, (size_t)-1); }
LINSOCK_WCS int linsock_wcsncmp(const wchar_t *a, const wchar_t *b, size_t n)
{
    for (; n != 0; n--, a++, b++)
        if (*a != *b || *a == 0)
            return *a < *b ? -1 : *a > *b;
    return 0;
}
LINSOCK_WCS int linsock_wcscmp(const wchar_t *a, const wchar_t *b) { return linsock_wcsncmp(a, b, (size_t)-1); }
LINSOCK_WCS wchar_t *linsock_wcschr(const wchar_t *s, wchar_t c)
{
    return linsock_wmemchr(s, c, linsock_wcslen(s) + 1);
}
LINSOCK_WCS wchar_t *linsock_wcsrchr(const wchar_t *s, wchar_t c)
{
    size_t at = linsock_wcslen(s) + 1;

    while (at-- > 0)
        if (s[at] == c)
            return (wchar_t *)(ULONG_PTR)(s + at);
    return 0;
}
LINSOCK_WCS wchar_t *linsock_wcsstr(const wchar_t *s, const wchar_t *part)
{
    size_t length = linsock_wcslen(part);

    for (; linsock_wcsncmp(s, part, length) != 0; s++)
        if (*s == 0)
            return 0;
    return (wchar_t *)(ULONG_PTR)s;
}
LINSOCK_WCS size_t linsock_wcscspn(const wchar_t *s, const wchar_t *set)
{
    size_t at = 0;

    while (s[at] != 0 && linsock_wmemchr(set, s[at], linsock_wcslen(set)) == 0)
        at++;
    return at;
}
LINSOCK_WCS size_t linsock_wcsspn(const wchar_t *s, const wchar_t *set)
{
    size_t at = 0;

    while (s[at] != 0 && linsock_wmemchr(set, s[at], linsock_wcslen(set)) != 0)
        at++;
    return at;
}
LINSOCK_WCS wchar_t *linsock_wcspbrk(const wchar_t *s, const wchar_t *set)
{
    s += linsock_wcscspn(s, set);
    return *s != 0 ? (wchar_t *)(ULONG_PTR)s : 0;
}
LINSOCK_WCS wchar_t *linsock_wcstok(wchar_t *s, const wchar_t *set, wchar_t **next)
{
    s = s != 0 ? s : *next;
    s += linsock_wcsspn(s, set);
    *next = s + linsock_wcscspn(s, set);
    if (**next != 0)
        *(*next)++ = 0;
    return *s != 0 ? s : 0;
}
LINSOCK_WCS wchar_t *linsock_wcsdup(const wchar_t *s)
{
    size_t n = linsock_wcslen(s) + 1;
    wchar_t *to = (wchar_t *)__builtin_malloc(2 * n);

    return to != 0 ? linsock_wmemcpy(to, s, n) : 0;
}

/* The copies that are told how much room there is; as in linsock_crt.h. */
LINSOCK_WCS errno_t linsock_wcsncpy_s(wchar_t *to, size_t size, const wchar_t *from, size_t n)
{
    size_t length;

    if (to == 0 || size == 0)
        return LINSOCK_EINVAL;
    to[0] = 0;
    if (from == 0)
        return LINSOCK_EINVAL;
    length = linsock_wcsnlen(from, n);
    if (length >= size && n != _TRUNCATE)
        return LINSOCK_ERANGE;
    n = length < size ? length : size - 1;
    linsock_wmemcpy(to, from, n);
    to[n] = 0;
    return n == length ? 0 : STRUNCATE;
}
LINSOCK_WCS errno_t linsock_wcscpy_s(wchar_t *to, size_t size, const wchar_t *from)
{
    return linsock_wcsncpy_s(to, size, from, _TRUNCATE - 1);
}
LINSOCK_WCS errno_t linsock_wcscat_s(wchar_t *to, size_t size, const wchar_t *from)
{
    size_t at = to != 0 ? linsock_wcsnlen(to, size) : 0;
    errno_t failed = at < size ? linsock_wcscpy_s(to != 0 ? to + at : 0, size - at, from) : LINSOCK_EINVAL;

    if (failed && to != 0 && size != 0)
        to[0] = 0;
    return failed;
}

/* Letters of ASCII, as in the locale "C". */
LINSOCK_WCS int linsock_wcsnicmp(const wchar_t *a, const wchar_t *b, size_t n)
{
    for (; n != 0; n--, a++, b++) {
        int x = *a >= 'A' && *a <= 'Z' ? *a + 32 : *a, y = *b >= 'A' && *b <= 'Z' ? *b + 32 : *b;

        if (x != y || x == 0)
            return x - y;
    }
    return 0;
}
LINSOCK_WCS int linsock_wcsicmp(const wchar_t *a, const wchar_t *b) { return linsock_wcsnicmp(a, b, (size_t)-1); }

/* Numbers are of ASCII: the C library reads a copy, of as much as a number can be. */
LINSOCK_WCS void linsock_wcs_copy(char *to, size_t size, const wchar_t *s)
{
    size_t at;

    for (at = 0; at + 1 < size && s[at] != 0; at++)
        to[at] = s[at] < 0x80 ? (char)s[at] : '?';
    to[at] = 0;
}
#define LINSOCK_WCS_NUMBER(type, name, narrow, parameters, arguments)                                      \
    LINSOCK_WCS type name parameters                                                                       \
    {                                                                                                      \
        char copy[1024], *stopped = copy;                                                                  \
        type value;                                                                                        \
        linsock_wcs_copy(copy, sizeof copy, s);                                                            \
        value = (type)narrow arguments;                                                                    \
        if (end != 0)                                                                                      \
            *end = (wchar_t *)(ULONG_PTR)(s + (stopped - copy));                                           \
        return value;                                                                                      \
    }
LINSOCK_WCS_NUMBER(LONG, linsock_wcstol, strtol, (const wchar_t *s, wchar_t **end, int radix), (copy, &stopped, radix))
LINSOCK_WCS_NUMBER(ULONG, linsock_wcstoul, strtoul, (const wchar_t *s, wchar_t **end, int radix), (copy, &stopped, radix))
LINSOCK_WCS_NUMBER(long long, linsock_wcstoll, strtoll, (const wchar_t *s, wchar_t **end, int radix),
                   (copy, &stopped, radix))
LINSOCK_WCS_NUMBER(unsigned long long, linsock_wcstoull, strtoull, (const wchar_t *s, wchar_t **end, int radix),
                   (copy, &stopped, radix))
LINSOCK_WCS_NUMBER(double, linsock_wcstod, strtod, (const wchar_t *s, wchar_t **end), (copy, &stopped))

/* Between wide texts and UTF-8. */
LINSOCK_WCS size_t linsock_mbstowcs(wchar_t *to, const char *from, size_t n)
{
    size_t length = linsock_widen(from, to, 2, to != 0 ? n : 0);

    if (to == 0)
        return length;
    if (length < n)
        to[length] = 0;
    return length < n ? length : n;
}
LINSOCK_WCS size_t linsock_wcstombs(char *to, const wchar_t *from, size_t n)
{
    struct linsock_wide_text text = {0, 0, 0, 0};
    size_t at = 0, length;

    while (from[at] != 0)
        linsock_wide_put(&text, linsock_character(from, 2, &at, 2));
    length = text.length;
    if (to != 0 && length >= n)
        length = n;
    if (to != 0 && length != 0)
        __builtin_memcpy(to, text.at, length);
    if (to != 0 && length < n)
        to[length] = 0;
    __builtin_free(text.at);
    return text.failed ? (size_t)-1 : length;
}
#ifdef __cplusplus
namespace std {
using ::linsock_wcscat;
using ::linsock_wcschr;
using ::linsock_wcscmp;
using ::linsock_wcscpy;
using ::linsock_wcslen;
using ::linsock_wcsncmp;
using ::linsock_wcsncpy;
using ::linsock_wcsrchr;
using ::linsock_wcsstr;
using ::linsock_wcstol;
using ::linsock_wcstoul;
using ::linsock_wmemcpy;
using ::linsock_wmemset;
}
#endif

#define wcslen linsock_wcslen
#define wcsnlen linsock_wcsnlen
#define wcsnlen_s linsock_wcsnlen
#define wmemcpy linsock_wmemcpy
#define wmemmove linsock_wmemmove
#define wmemset linsock_wmemset
#define wmemcmp linsock_wmemcmp
#define wmemchr linsock_wmemchr
#define wcscpy linsock_wcscpy
#define wcsncpy linsock_wcsncpy
#define wcscat linsock_wcscat
#define wcsncat linsock_wcsncat
#define wcscmp linsock_wcscmp
#define wcsncmp linsock_wcsncmp
#define wcschr linsock_wcschr
#define wcsrchr linsock_wcsrchr
#define wcsstr linsock_wcsstr
#define wcsspn linsock_wcsspn
#define wcscspn linsock_wcscspn
#define wcspbrk linsock_wcspbrk
#define wcstok linsock_wcstok
#define wcstok_s linsock_wcstok
#define wcsdup linsock_wcsdup
#define _wcsdup linsock_wcsdup
#define wcscpy_s linsock_wcscpy_s
#define wcsncpy_s linsock_wcsncpy_s
#define wcscat_s linsock_wcscat_s
#define wcscasecmp linsock_wcsicmp
#define wcsncasecmp linsock_wcsnicmp
#define _wcsicmp linsock_wcsicmp
#define _wcsnicmp linsock_wcsnicmp
#define wcstol linsock_wcstol
#define wcstoul linsock_wcstoul
#define wcstoll linsock_wcstoll
#define wcstoull linsock_wcstoull
#define _wcstoi64 linsock_wcstoll
#define _wcstoui64 linsock_wcstoull
#define wcstod linsock_wcstod
#define _wtol _wtoi
#define mbstowcs linsock_mbstowcs
#define wcstombs linsock_wcstombs

/* These would write or read units of 32 bits. */
#define wscanf linsock_has_no_wscanf_with_municode
#define fwscanf linsock_has_no_fwscanf_with_municode
#define swscanf linsock_has_no_swscanf_with_municode
#define wcsftime linsock_has_no_wcsftime_with_municode
#define wcscoll linsock_has_no_wcscoll_with_municode
#define wcsxfrm linsock_has_no_wcsxfrm_with_municode
#define fgetws linsock_has_no_fgetws_with_municode
#define mbtowc linsock_has_no_mbtowc_with_municode
#define wctomb linsock_has_no_wctomb_with_municode
#define mbrtowc linsock_has_no_mbrtowc_with_municode
#define wcrtomb linsock_has_no_wcrtomb_with_municode
#define mbsrtowcs linsock_has_no_mbsrtowcs_with_municode
#define wcsrtombs linsock_has_no_wcsrtombs_with_municode
/* The C++ library was compiled for units of 32 bits; std::basic_string<WCHAR> is of no use either. */
#define wstring linsock_has_no_wstring_with_municode
#define wcout linsock_has_no_wcout_with_municode
#define wcerr linsock_has_no_wcerr_with_municode
#define wcin linsock_has_no_wcin_with_municode

#endif
