/* strsafe.h - strings that end where their buffers do. */
#ifndef LINSOCK_STRSAFE_H
#define LINSOCK_STRSAFE_H

/* As Windows' own: programs that include it have these without asking. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "winerror.h"
#include "linsock_stdio.h"
#include "linsock_wide.h"

/* strsafe: the most characters of a buffer */
#define STRSAFE_MAX_CCH 2147483647
#define STRSAFE_MAX_LENGTH (STRSAFE_MAX_CCH - 1)
#define STRSAFE_E_INSUFFICIENT_BUFFER ((HRESULT)0x8007007A)
#define STRSAFE_E_INVALID_PARAMETER ((HRESULT)0x80070057)
#define STRSAFE_E_END_OF_FILE ((HRESULT)0x80070026)

/* How long a string in a buffer of that size is; the size if no zero is in it. */
static __inline__ size_t linsock_safe_lengthA(LPCSTR s, size_t size)
{
    size_t length = 0;

    while (length < size && s[length] != 0)
        length++;
    return length;
}
/* Puts at most n characters behind the first `at` of a buffer, cut off if they do not fit. */
static __inline__ HRESULT linsock_safe_putA(LPSTR to, size_t size, size_t at, LPCSTR from, size_t n)
{
    if (size == 0 || size > STRSAFE_MAX_CCH || at >= size)
        return STRSAFE_E_INVALID_PARAMETER;
    for (; n != 0 && *from != 0 && at < size - 1; n--)
        to[at++] = *from++;
    to[at] = 0;
    return n != 0 && *from != 0 ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}
/* strsafe/nf-strsafe-stringcchcopya */
static __inline__ HRESULT StringCchCopyA(LPSTR to, size_t size, LPCSTR from)
{
    return linsock_safe_putA(to, size, 0, from, (size_t)-1);
}
/* strsafe/nf-strsafe-stringcchcopyna */
static __inline__ HRESULT StringCchCopyNA(LPSTR to, size_t size, LPCSTR from, size_t n)
{
    return linsock_safe_putA(to, size, 0, from, n);
}
/* strsafe/nf-strsafe-stringcchcata */
static __inline__ HRESULT StringCchCatA(LPSTR to, size_t size, LPCSTR from)
{
    if (size > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    return linsock_safe_putA(to, size, linsock_safe_lengthA(to, size), from, (size_t)-1);
}
/* strsafe/nf-strsafe-stringcchcatna */
static __inline__ HRESULT StringCchCatNA(LPSTR to, size_t size, LPCSTR from, size_t n)
{
    if (size > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    return linsock_safe_putA(to, size, linsock_safe_lengthA(to, size), from, n);
}
/* strsafe/nf-strsafe-stringcchlengtha */
static __inline__ HRESULT StringCchLengthA(LPCSTR s, size_t most, size_t *length)
{
    size_t found = s == 0 || most > STRSAFE_MAX_CCH ? most : linsock_safe_lengthA(s, most);

    if (length != 0)
        *length = found < most ? found : 0;
    return found < most ? S_OK : STRSAFE_E_INVALID_PARAMETER;
}
/* The sizes of these are in octets. */
static __inline__ HRESULT StringCbCopyA(LPSTR to, size_t size, LPCSTR from)
{
    return StringCchCopyA(to, size / sizeof(char), from);
}
static __inline__ HRESULT StringCbCopyNA(LPSTR to, size_t size, LPCSTR from, size_t n)
{
    return StringCchCopyNA(to, size / sizeof(char), from, n / sizeof(char));
}
static __inline__ HRESULT StringCbCatA(LPSTR to, size_t size, LPCSTR from)
{
    return StringCchCatA(to, size / sizeof(char), from);
}
static __inline__ HRESULT StringCbCatNA(LPSTR to, size_t size, LPCSTR from, size_t n)
{
    return StringCchCatNA(to, size / sizeof(char), from, n / sizeof(char));
}
static __inline__ HRESULT StringCbLengthA(LPCSTR s, size_t most, size_t *length)
{
    HRESULT result = StringCchLengthA(s, most / sizeof(char), length);

    if (length != 0)
        *length *= sizeof(char);
    return result;
}

/* How long a string in a buffer of that size is; the size if no zero is in it. */
static __inline__ size_t linsock_safe_lengthW(LPCWSTR s, size_t size)
{
    size_t length = 0;

    while (length < size && s[length] != 0)
        length++;
    return length;
}
/* Puts at most n characters behind the first `at` of a buffer, cut off if they do not fit. */
static __inline__ HRESULT linsock_safe_putW(LPWSTR to, size_t size, size_t at, LPCWSTR from, size_t n)
{
    if (size == 0 || size > STRSAFE_MAX_CCH || at >= size)
        return STRSAFE_E_INVALID_PARAMETER;
    for (; n != 0 && *from != 0 && at < size - 1; n--)
        to[at++] = *from++;
    to[at] = 0;
    return n != 0 && *from != 0 ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}
/* strsafe/nf-strsafe-stringcchcopyw */
static __inline__ HRESULT StringCchCopyW(LPWSTR to, size_t size, LPCWSTR from)
{
    return linsock_safe_putW(to, size, 0, from, (size_t)-1);
}
/* strsafe/nf-strsafe-stringcchcopynw */
static __inline__ HRESULT StringCchCopyNW(LPWSTR to, size_t size, LPCWSTR from, size_t n)
{
    return linsock_safe_putW(to, size, 0, from, n);
}
/* strsafe/nf-strsafe-stringcchcatw */
static __inline__ HRESULT StringCchCatW(LPWSTR to, size_t size, LPCWSTR from)
{
    if (size > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    return linsock_safe_putW(to, size, linsock_safe_lengthW(to, size), from, (size_t)-1);
}
/* strsafe/nf-strsafe-stringcchcatnw */
static __inline__ HRESULT StringCchCatNW(LPWSTR to, size_t size, LPCWSTR from, size_t n)
{
    if (size > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    return linsock_safe_putW(to, size, linsock_safe_lengthW(to, size), from, n);
}
/* strsafe/nf-strsafe-stringcchlengthw */
static __inline__ HRESULT StringCchLengthW(LPCWSTR s, size_t most, size_t *length)
{
    size_t found = s == 0 || most > STRSAFE_MAX_CCH ? most : linsock_safe_lengthW(s, most);

    if (length != 0)
        *length = found < most ? found : 0;
    return found < most ? S_OK : STRSAFE_E_INVALID_PARAMETER;
}
/* The sizes of these are in octets. */
static __inline__ HRESULT StringCbCopyW(LPWSTR to, size_t size, LPCWSTR from)
{
    return StringCchCopyW(to, size / sizeof(WCHAR), from);
}
static __inline__ HRESULT StringCbCopyNW(LPWSTR to, size_t size, LPCWSTR from, size_t n)
{
    return StringCchCopyNW(to, size / sizeof(WCHAR), from, n / sizeof(WCHAR));
}
static __inline__ HRESULT StringCbCatW(LPWSTR to, size_t size, LPCWSTR from)
{
    return StringCchCatW(to, size / sizeof(WCHAR), from);
}
static __inline__ HRESULT StringCbCatNW(LPWSTR to, size_t size, LPCWSTR from, size_t n)
{
    return StringCchCatNW(to, size / sizeof(WCHAR), from, n / sizeof(WCHAR));
}
static __inline__ HRESULT StringCbLengthW(LPCWSTR s, size_t most, size_t *length)
{
    HRESULT result = StringCchLengthW(s, most / sizeof(WCHAR), length);

    if (length != 0)
        *length *= sizeof(WCHAR);
    return result;
}

/* strsafe/nf-strsafe-stringcchvprintfa */
static __inline__ HRESULT StringCchVPrintfA(LPSTR to, size_t size, LPCSTR format, va_list arguments)
{
    int length;

    if (size == 0 || size > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    length = linsock_vsnprintf(to, size, format, arguments);
    if (length < 0)
        to[0] = 0;
    return length >= 0 && (size_t)length < size ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}
/* strsafe/nf-strsafe-stringcchprintfa */
static __inline__ HRESULT LINSOCK_FORMAT(__printf__, 3, 4)
StringCchPrintfA(LPSTR to, size_t size, LPCSTR format, ...)
{
    va_list arguments;
    HRESULT result;

    va_start(arguments, format);
    result = StringCchVPrintfA(to, size, format, arguments);
    va_end(arguments);
    return result;
}
static __inline__ HRESULT StringCbVPrintfA(LPSTR to, size_t size, LPCSTR format, va_list arguments)
{
    return StringCchVPrintfA(to, size, format, arguments);
}
#define StringCbPrintfA StringCchPrintfA
/* strsafe/nf-strsafe-stringcchvprintfw */
static __inline__ HRESULT StringCchVPrintfW(LPWSTR to, size_t size, LPCWSTR format, va_list arguments)
{
    int length;

    if (size == 0 || size > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    length = linsock_vformat(to, size, format, arguments);
    if (length < 0)
        to[0] = 0;
    return length >= 0 && (size_t)length < size ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}
/* strsafe/nf-strsafe-stringcchprintfw */
static __inline__ HRESULT StringCchPrintfW(LPWSTR to, size_t size, LPCWSTR format, ...)
{
    va_list arguments;
    HRESULT result;

    va_start(arguments, format);
    result = StringCchVPrintfW(to, size, format, arguments);
    va_end(arguments);
    return result;
}
static __inline__ HRESULT StringCbVPrintfW(LPWSTR to, size_t size, LPCWSTR format, va_list arguments)
{
    return StringCchVPrintfW(to, size / sizeof(WCHAR), format, arguments);
}
/* strsafe/nf-strsafe-stringcbprintfw */
static __inline__ HRESULT StringCbPrintfW(LPWSTR to, size_t size, LPCWSTR format, ...)
{
    va_list arguments;
    HRESULT result;

    va_start(arguments, format);
    result = StringCbVPrintfW(to, size, format, arguments);
    va_end(arguments);
    return result;
}

#ifdef UNICODE
#define StringCchCopy StringCchCopyW
#define StringCchCopyN StringCchCopyNW
#define StringCchCat StringCchCatW
#define StringCchCatN StringCchCatNW
#define StringCchLength StringCchLengthW
#define StringCbCopy StringCbCopyW
#define StringCbCopyN StringCbCopyNW
#define StringCbCat StringCbCatW
#define StringCbCatN StringCbCatNW
#define StringCbLength StringCbLengthW
#define StringCchVPrintf StringCchVPrintfW
#define StringCchPrintf StringCchPrintfW
#define StringCbVPrintf StringCbVPrintfW
#define StringCbPrintf StringCbPrintfW
#else
#define StringCchCopy StringCchCopyA
#define StringCchCopyN StringCchCopyNA
#define StringCchCat StringCchCatA
#define StringCchCatN StringCchCatNA
#define StringCchLength StringCchLengthA
#define StringCbCopy StringCbCopyA
#define StringCbCopyN StringCbCopyNA
#define StringCbCat StringCbCatA
#define StringCbCatN StringCbCatNA
#define StringCbLength StringCbLengthA
#define StringCchVPrintf StringCchVPrintfA
#define StringCchPrintf StringCchPrintfA
#define StringCbVPrintf StringCbVPrintfA
#define StringCbPrintf StringCbPrintfA
#endif

#endif
