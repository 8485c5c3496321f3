/* linsock_crt.h - names of the Microsoft C runtime that socket programs use in passing. Included by
 * windows.h; no function of the library is behind them. */
#ifndef LINSOCK_CRT_H
#define LINSOCK_CRT_H

#include "windef.h"
#include "linsock_stdio.h"

LINSOCK_EXTERN_C_BEGIN
/* ntsecapi/nf-ntsecapi-rtlgenrandom, which advapi32 exports under this name */
BOOLEAN APIENTRY SystemFunction036(PVOID RandomBuffer, ULONG RandomBufferLength);
LINSOCK_EXTERN_C_END
#define RtlGenRandom SystemFunction036

/* cpp/c-runtime-library/reference/strnicmp-wcsnicmp-mbsnicmp-strnicmp-l-wcsnicmp-l-mbsnicmp-l */
static __inline__ int _strnicmp(const char *a, const char *b, size_t n)
{
    for (; n != 0; n--, a++, b++) {
        int x = (unsigned char)*a, y = (unsigned char)*b;
        if (x >= 'A' && x <= 'Z')
            x += 'a' - 'A';
        if (y >= 'A' && y <= 'Z')
            y += 'a' - 'A';
        if (x != y)
            return x - y;
        if (x == 0)
            return 0;
    }
    return 0;
}

/* cpp/c-runtime-library/reference/stricmp-wcsicmp-mbsicmp-stricmp-l-wcsicmp-l-mbsicmp-l */
static __inline__ int _stricmp(const char *a, const char *b) { return _strnicmp(a, b, (size_t)-1); }

/* winuser/nf-winuser-chartooembuffa and siblings: both code pages are UTF-8, so a text stays what it is */
static __inline__ BOOL CharToOemBuffA(LPCSTR from, LPSTR to, DWORD length)
{
    __builtin_memmove(to, from, length);
    return TRUE;
}
static __inline__ BOOL OemToCharBuffA(LPCSTR from, LPSTR to, DWORD length)
{
    __builtin_memmove(to, from, length);
    return TRUE;
}
static __inline__ BOOL CharToOemA(LPCSTR from, LPSTR to) { return CharToOemBuffA(from, to, (DWORD)__builtin_strlen(from) + 1); }
static __inline__ BOOL OemToCharA(LPCSTR from, LPSTR to) { return OemToCharBuffA(from, to, (DWORD)__builtin_strlen(from) + 1); }
#ifndef UNICODE
#define CharToOem CharToOemA
#define OemToChar OemToCharA
#define CharToOemBuff CharToOemBuffA
#define OemToCharBuff OemToCharBuffA
#endif

/* winbase/nf-winbase-lstrlena and siblings are macros on what the compiler knows */
#define lstrlenA(s) ((int)__builtin_strlen(s))
#define lstrcpyA(d, s) __builtin_strcpy((d), (s))
#define lstrcmpA(a, b) __builtin_strcmp((a), (b))
#define lstrcmpiA(a, b) _stricmp((a), (b))

/* The same in UTF-16; differs from Windows: compared unit by unit, not as a language sorts its words. */
static __inline__ int lstrlenW(LPCWSTR s)
{
    int length = 0;

    while (s != 0 && s[length] != 0)
        length++;
    return length;
}
/* winbase/nf-winbase-lstrcpynw: n counts the zero */
static __inline__ LPWSTR lstrcpynW(LPWSTR to, LPCWSTR from, int n)
{
    LPWSTR at = to;

    if (to == 0 || from == 0 || n <= 0)
        return 0;
    for (; n > 1 && *from != 0; n--)
        *at++ = *from++;
    *at = 0;
    return to;
}
static __inline__ LPSTR lstrcpynA(LPSTR to, LPCSTR from, int n)
{
    LPSTR at = to;

    if (to == 0 || from == 0 || n <= 0)
        return 0;
    for (; n > 1 && *from != 0; n--)
        *at++ = *from++;
    *at = 0;
    return to;
}
static __inline__ LPWSTR lstrcpyW(LPWSTR to, LPCWSTR from) { return lstrcpynW(to, from, 0x7fffffff); }
static __inline__ LPWSTR lstrcatW(LPWSTR to, LPCWSTR from)
{
    lstrcpyW(to + lstrlenW(to), from);
    return to;
}
#define lstrcatA(to, from) __builtin_strcat((to), (from))
static __inline__ unsigned linsock_lower(unsigned c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; }
static __inline__ int lstrcmpW(LPCWSTR a, LPCWSTR b)
{
    for (; *a == *b && *a != 0; a++)
        b++;
    return *a < *b ? -1 : *a > *b;
}
static __inline__ int lstrcmpiW(LPCWSTR a, LPCWSTR b)
{
    for (; linsock_lower(*a) == linsock_lower(*b) && *a != 0; a++)
        b++;
    return linsock_lower(*a) < linsock_lower(*b) ? -1 : linsock_lower(*a) > linsock_lower(*b);
}
#ifdef UNICODE
#define lstrlen lstrlenW
#define lstrcpy lstrcpyW
#define lstrcpyn lstrcpynW
#define lstrcat lstrcatW
#define lstrcmp lstrcmpW
#define lstrcmpi lstrcmpiW
#else
#define lstrlen lstrlenA
#define lstrcpy lstrcpyA
#define lstrcpyn lstrcpynA
#define lstrcat lstrcatA
#define lstrcmp lstrcmpA
#define lstrcmpi lstrcmpiA
#endif

/* cpp/c-runtime-library/reference/snprintf-snprintf-snprintf-l-snwprintf-snwprintf-l and vsnprintf. Differs from Windows:
 * they are snprintf and vsnprintf, which end a text that is cut off. Functions, because programs make the names of those
 * two unusable. */
#ifndef _vsnprintf
static __inline__ int _vsnprintf(char *to, size_t size, const char *format, __builtin_va_list arguments)
{
    return linsock_vsnprintf(to, size, format, arguments);
}
#endif
#ifndef _snprintf
static __inline__ int LINSOCK_FORMAT(__printf__, 3, 4)
_snprintf(char *to, size_t size, const char *format, ...)
{
    __builtin_va_list arguments;
    int length;

    __builtin_va_start(arguments, format);
    length = linsock_vsnprintf(to, size, format, arguments);
    __builtin_va_end(arguments);
    return length;
}
#endif
#ifndef _strdup
static __inline__ char *_strdup(const char *s)
{
    size_t size = __builtin_strlen(s) + 1;
    char *copy = (char *)__builtin_malloc(size);

    return copy != 0 ? (char *)__builtin_memcpy(copy, s, size) : 0;
}
#endif
#ifndef _strtoui64
#define _strtoui64 strtoull
#endif
#ifndef _atoi64
#define _atoi64 atoll
#endif

#ifndef stricmp
#define stricmp _stricmp
#endif
#ifndef strnicmp
#define strnicmp _strnicmp
#endif

/* The functions that end in _s (cpp/c-runtime-library/security-features-in-the-crt). Differs from Windows: what breaks
 * their rules is told by the return value, and an empty result; there is no invalid parameter handler that ends the
 * process. */
#define _TRUNCATE ((size_t)-1)
#define STRUNCATE 80
#ifndef LINSOCK_ERRNO_T
#define LINSOCK_ERRNO_T
typedef int errno_t;
#endif
enum { LINSOCK_ENOENT = 2, LINSOCK_ENOMEM = 12, LINSOCK_EINVAL = 22, LINSOCK_ERANGE = 34 };

/* Puts at most n octets of a string behind the first `at` of a buffer. */
static __inline__ errno_t linsock_put_s(char *to, size_t size, size_t at, const char *from, size_t n)
{
    size_t length = 0;

    if (to == 0 || size == 0)
        return LINSOCK_EINVAL;
    if (from == 0 || at >= size) {
        to[0] = 0;
        return LINSOCK_EINVAL;
    }
    while (length < n && from[length] != 0)
        length++;
    if (length >= size - at && n != _TRUNCATE) {
        to[0] = 0;
        return LINSOCK_ERANGE;
    }
    if (length >= size - at) {
        __builtin_memcpy(to + at, from, size - at - 1);
        to[size - 1] = 0;
        return STRUNCATE;
    }
    __builtin_memcpy(to + at, from, length);
    to[at + length] = 0;
    return 0;
}

static __inline__ size_t linsock_length_s(const char *s, size_t size)
{
    size_t length = 0;

    while (s != 0 && length < size && s[length] != 0)
        length++;
    return length;
}

static __inline__ errno_t strcpy_s(char *to, size_t size, const char *from)
{
    return linsock_put_s(to, size, 0, from, _TRUNCATE - 1);
}
static __inline__ errno_t strncpy_s(char *to, size_t size, const char *from, size_t n)
{
    return linsock_put_s(to, size, 0, from, n);
}
static __inline__ errno_t strcat_s(char *to, size_t size, const char *from)
{
    return linsock_put_s(to, size, linsock_length_s(to, size), from, _TRUNCATE - 1);
}
static __inline__ errno_t strncat_s(char *to, size_t size, const char *from, size_t n)
{
    return linsock_put_s(to, size, linsock_length_s(to, size), from, n);
}
static __inline__ errno_t memcpy_s(void *to, size_t size, const void *from, size_t n)
{
    if (n == 0)
        return 0;
    if (to == 0)
        return LINSOCK_EINVAL;
    if (from == 0 || n > size) {
        __builtin_memset(to, 0, size);
        return from == 0 ? LINSOCK_EINVAL : LINSOCK_ERANGE;
    }
    __builtin_memcpy(to, from, n);
    return 0;
}
static __inline__ errno_t memmove_s(void *to, size_t size, const void *from, size_t n)
{
    if (n == 0)
        return 0;
    if (to == 0 || from == 0)
        return LINSOCK_EINVAL;
    if (n > size)
        return LINSOCK_ERANGE;
    __builtin_memmove(to, from, n);
    return 0;
}

/* At most n characters, as many as fit if it is _TRUNCATE; -1 if that is not all. */
static __inline__ int _vsnprintf_s(char *to, size_t size, size_t n, const char *format, __builtin_va_list arguments)
{
    size_t room = n < size ? n + 1 : size;
    int length;

    if (to == 0 || size == 0 || format == 0)
        return -1;
    length = linsock_vsnprintf(to, room, format, arguments);
    if (length >= 0 && (size_t)length < room)
        return length;
    if (length < 0 || (n != _TRUNCATE && n >= size))
        to[0] = 0;
    return -1;
}
static __inline__ int vsprintf_s(char *to, size_t size, const char *format, __builtin_va_list arguments)
{
    return _vsnprintf_s(to, size, _TRUNCATE - 1, format, arguments);
}
/* cpp/c-runtime-library/reference/vscprintf-vscprintf-l-vscwprintf-vscwprintf-l: the length alone */
static __inline__ int _vscprintf(const char *format, __builtin_va_list arguments)
{
    return linsock_vsnprintf(0, 0, format, arguments);
}
static __inline__ int LINSOCK_FORMAT(__printf__, 1, 2) _scprintf(const char *format, ...)
{
    __builtin_va_list arguments;
    int length;

    __builtin_va_start(arguments, format);
    length = _vscprintf(format, arguments);
    __builtin_va_end(arguments);
    return length;
}
static __inline__ int LINSOCK_FORMAT(__printf__, 4, 5)
_snprintf_s(char *to, size_t size, size_t n, const char *format, ...)
{
    __builtin_va_list arguments;
    int length;

    __builtin_va_start(arguments, format);
    length = _vsnprintf_s(to, size, n, format, arguments);
    __builtin_va_end(arguments);
    return length;
}
static __inline__ int LINSOCK_FORMAT(__printf__, 3, 4)
sprintf_s(char *to, size_t size, const char *format, ...)
{
    __builtin_va_list arguments;
    int length;

    __builtin_va_start(arguments, format);
    length = vsprintf_s(to, size, format, arguments);
    __builtin_va_end(arguments);
    return length;
}

/* Those that need a header of the C library's are macros, for programs that have included it. */
#define strtok_s strtok_r
#define localtime_s(tm, time) (localtime_r((time), (tm)) != 0 ? 0 : LINSOCK_EINVAL)
#define gmtime_s(tm, time) (gmtime_r((time), (tm)) != 0 ? 0 : LINSOCK_EINVAL)
/* cpp/c-runtime-library/reference/ctime-s-ctime32-s-ctime64-s-wctime-s-wctime32-s-wctime64-s */
#define ctime_s(to, size, time)                                                                              \
    ((to) == 0 || (size) < 26 || (time) == 0 || ctime_r((time), (to)) == 0 ? LINSOCK_EINVAL : 0)
/* cpp/c-runtime-library/reference/mkgmtime-mkgmtime32-mkgmtime64 */
#define _mkgmtime timegm
/* cpp/c-runtime-library/path-field-limits */
#ifndef _MAX_PATH
#define _MAX_PATH 260
#define _MAX_DRIVE 3
#define _MAX_DIR 256
#define _MAX_FNAME 256
#define _MAX_EXT 256
#endif
/* A part of a path and a zero, if it is wanted and fits; else nothing. */
static __inline__ void linsock_path_part(char *to, const char *from, size_t length, size_t room)
{
    if (to == 0)
        return;
    if (length >= room)
        length = 0;
    __builtin_memcpy(to, from, length);
    to[length] = 0;
}
/* cpp/c-runtime-library/reference/splitpath-wsplitpath. Differs from Windows: a part that is longer than its limit is
 * left out. */
static __inline__ void _splitpath(const char *path, char *drive, char *directory, char *name, char *extension)
{
    const char *rest = path[0] != 0 && path[1] == ':' ? path + 2 : path, *base = rest, *dot = 0, *end;

    for (end = rest; *end != 0; end++) {
        if (*end == '/' || *end == '\\') {
            base = end + 1;
            dot = 0;
        } else if (*end == '.') {
            dot = end;
        }
    }
    if (dot == 0)
        dot = end;
    linsock_path_part(drive, path, (size_t)(rest - path), _MAX_DRIVE);
    linsock_path_part(directory, rest, (size_t)(base - rest), _MAX_DIR);
    linsock_path_part(name, base, (size_t)(dot - base), _MAX_FNAME);
    linsock_path_part(extension, dot, (size_t)(end - dot), _MAX_EXT);
}
LINSOCK_EXTERN_C_BEGIN
struct _IO_FILE *linsock_c_library_popen(const char *command, const char *mode) __asm__("popen");
int linsock_c_library_pclose(struct _IO_FILE *stream) __asm__("pclose");
int *linsock_c_library_errno(void) __asm__("__errno_location");
LINSOCK_EXTERN_C_END
/* cpp/c-runtime-library/reference/popen-wpopen: "r" or "w", and "b" or "t", which mean the same here. Differs from Windows:
 * the command is for Linux' shell. */
static __inline__ struct _IO_FILE *_popen(const char *command, const char *mode)
{
    char way[2] = { 0, 0 };

    if (command != 0 && mode != 0 && (mode[0] == 'r' || mode[0] == 'w')
        && (mode[1] == 0 || ((mode[1] == 'b' || mode[1] == 't') && mode[2] == 0))) {
        way[0] = mode[0];
        return linsock_c_library_popen(command, way);
    }
    *linsock_c_library_errno() = LINSOCK_EINVAL;
    return 0;
}
/* cpp/c-runtime-library/reference/pclose: the shell's exit code. Differs from Windows: 128 and the number of the signal that
 * has ended the shell. */
static __inline__ int _pclose(struct _IO_FILE *stream)
{
    int status;

    if (stream == 0) {
        *linsock_c_library_errno() = LINSOCK_EINVAL;
        return -1;
    }
    status = linsock_c_library_pclose(stream);
    if (status == -1 || (status & 0x7F) == 0)
        return status == -1 ? -1 : status >> 8 & 0xFF;
    return 128 + (status & 0x7F);
}
#define fopen_s(file, name, mode) ((*(file) = fopen((name), (mode))) != 0 ? 0 : errno)

/* A number in any base from 2 to 36. */
static __inline__ char *linsock_digits(unsigned long long rest, int is_negative, char *to, int radix)
{
    char digits[64], *at = digits + sizeof digits, *into = to;

    do {
        *--at = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % (unsigned)radix];
        rest /= (unsigned)radix;
    } while (rest != 0);
    if (is_negative)
        *into++ = '-';
    while (at < digits + sizeof digits)
        *into++ = *at++;
    *into = 0;
    return to;
}
/* cpp/c-runtime-library/reference/itoa-itow: a sign in base 10 only. A long has 32 bits on Windows. */
static __inline__ char *_i64toa(long long value, char *to, int radix)
{
    int is_negative = value < 0 && radix == 10;
    unsigned long long rest = (unsigned long long)value;

    return linsock_digits(is_negative ? 0 - rest : rest, is_negative, to, radix);
}
static __inline__ char *_ui64toa(unsigned long long value, char *to, int radix)
{
    return linsock_digits(value, 0, to, radix);
}
static __inline__ char *_itoa(int value, char *to, int radix)
{
    return radix == 10 ? _i64toa(value, to, radix) : _ui64toa((unsigned)value, to, radix);
}
static __inline__ char *_ltoa(LONG value, char *to, int radix) { return _itoa(value, to, radix); }
static __inline__ char *_ultoa(ULONG value, char *to, int radix) { return _ui64toa(value, to, radix); }
/* cpp/c-runtime-library/reference/itoa-s-itow-s: what does not fit is an empty text */
static __inline__ errno_t _itoa_s(int value, char *to, size_t size, int radix)
{
    char text[40];

    if (to == 0 || size == 0)
        return LINSOCK_EINVAL;
    to[0] = 0;
    if (radix < 2 || radix > 36)
        return LINSOCK_EINVAL;
    _itoa(value, text, radix);
    if (__builtin_strlen(text) >= size)
        return LINSOCK_ERANGE;
    __builtin_strcpy(to, text);
    return 0;
}
#ifndef itoa
#define itoa _itoa
#endif

/* cpp/c-runtime-library/reference/atoi-atoi-l-wtoi-wtoi-l. Differs from Windows: blanks are those of ASCII. */
static __inline__ int _wtoi(LPCWSTR s)
{
    unsigned value = 0;
    int is_negative;

    while (*s == ' ' || (*s >= 9 && *s <= 13))
        s++;
    is_negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    for (; *s >= '0' && *s <= '9'; s++)
        value = value * 10 + (unsigned)(*s - '0');
    return (int)(is_negative ? 0 - value : value);
}

/* cpp/c-runtime-library/reference/strlwr-wcslwr-mbslwr and siblings: ASCII, as in the locale "C" */
static __inline__ char *_strlwr(char *s)
{
    char *at;

    for (at = s; *at != 0; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + ('a' - 'A'));
    return s;
}
static __inline__ char *_strupr(char *s)
{
    char *at;

    for (at = s; *at != 0; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - ('a' - 'A'));
    return s;
}
static __inline__ char *_strrev(char *s)
{
    char *front = s, *back = s + __builtin_strlen(s);

    while (front + 1 < back) {
        char kept = *front;

        *front++ = *--back;
        *back = kept;
    }
    return s;
}

/* cpp/c-runtime-library/reference/aligned-malloc: in front of the block is the address that free wants. */
static __inline__ void *_aligned_malloc(size_t size, size_t alignment)
{
    char *base, *block;

    if (alignment == 0 || (alignment & (alignment - 1)) != 0 || size > (size_t)-1 - alignment - sizeof(void *))
        return 0;
    base = (char *)__builtin_malloc(size + alignment + sizeof(void *));
    if (base == 0)
        return 0;
    block = base + sizeof(void *) + alignment - 1;
    block -= (size_t)block & (alignment - 1);
    __builtin_memcpy(block - sizeof(void *), &base, sizeof(void *));
    return block;
}
static __inline__ void _aligned_free(void *block)
{
    void *base;

    if (block == 0)
        return;
    __builtin_memcpy(&base, (char *)block - sizeof(void *), sizeof(void *));
    __builtin_free(base);
}

/* cpp/c-runtime-library/reference/alloca, malloca, freea. _malloca always takes from the heap, as Windows' debug
 * libraries do; whoever calls it has to call _freea. */
#define _alloca(size) __builtin_alloca(size)
#define _malloca(size) __builtin_malloc(size)
#define _freea(block) __builtin_free(block)

/* cpp/c-runtime-library/reference/rand-s. Programs define _CRT_RAND_S to have it; it is always here. */
static __inline__ errno_t rand_s(unsigned *value)
{
    if (value == 0)
        return LINSOCK_EINVAL;
    return SystemFunction036(value, sizeof *value) ? 0 : LINSOCK_ENOMEM;
}

/* cpp/c-runtime-library/reference/byteswap-uint64-byteswap-ulong-byteswap-ushort */
static __inline__ unsigned short _byteswap_ushort(unsigned short n) { return __builtin_bswap16(n); }
static __inline__ ULONG _byteswap_ulong(ULONG n) { return __builtin_bswap32(n); }
static __inline__ unsigned long long _byteswap_uint64(unsigned long long n) { return __builtin_bswap64(n); }

/* More that need a header of the C library's. */
#define _fseeki64 fseeko
#define _ftelli64 ftello
#define _strtoi64 strtoll
#define printf_s printf
#define fprintf_s fprintf
#define vprintf_s vprintf
#define vfprintf_s vfprintf
#define _fileno fileno

#ifdef __cplusplus
extern "C++" {
/* An array knows its size. */
template <size_t N> inline errno_t _itoa_s(int value, char (&to)[N], int radix) { return _itoa_s(value, to, N, radix); }
template <size_t N> inline errno_t strcpy_s(char (&to)[N], const char *from) { return strcpy_s(to, N, from); }
template <size_t N> inline errno_t strcat_s(char (&to)[N], const char *from) { return strcat_s(to, N, from); }
template <size_t N> inline errno_t strncpy_s(char (&to)[N], const char *from, size_t n)
{
    return strncpy_s(to, N, from, n);
}
template <size_t N> inline errno_t strncat_s(char (&to)[N], const char *from, size_t n)
{
    return strncat_s(to, N, from, n);
}
template <size_t N> inline int vsprintf_s(char (&to)[N], const char *format, __builtin_va_list arguments)
{
    return vsprintf_s(to, N, format, arguments);
}
template <size_t N> inline int sprintf_s(char (&to)[N], const char *format, ...)
{
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    int length = vsprintf_s(to, N, format, arguments);
    __builtin_va_end(arguments);
    return length;
}
}
#endif

#endif
