/* linsock_wide.h - wide texts as the Microsoft C runtime prints and copies them, over units of 16 bits (WCHAR; wchar_t
 * too with -municode) and of 32 (wchar_t otherwise), and programs that begin with wmain. Included by windows.h.
 *
 * The C library's own functions do not do: a stream that has printed one wide text refuses narrow ones, %s in a wide
 * format is a narrow text to it, and with wchar_t of 16 bits it would read beyond every end. What is printed is UTF-8.
 *
 * Differs from Windows: a count of characters counts those of the result, in its units; of the C
 * library's other wide functions those that would read wrongly with -municode are refused by the compiler. */
#ifndef LINSOCK_WIDE_H
#define LINSOCK_WIDE_H

#include "linsock_crt.h"

#ifdef __cplusplus
extern "C++" { /* programs include us within their extern "C" */
#include <cstdio>
#include <cwchar>
#include <string> /* before its names are replaced: it uses some */
}
#define LINSOCK_C extern "C"
#else
#include <stdio.h>
#include <wchar.h>
#define LINSOCK_C
#endif

/* A text that is being put together, in UTF-8. */
struct linsock_wide_text {
    char *at;
    size_t length, size;
    int failed;
};

static __inline__ void linsock_wide_add(struct linsock_wide_text *text, const char *from, size_t n)
{
    if (text->failed)
        return;
    if (text->length + n + 1 > text->size) {
        size_t size = 2 * (text->length + n) + 64;
        char *at = (char *)__builtin_realloc(text->at, size);

        if (at == 0) {
            text->failed = 1;
            return;
        }
        text->at = at;
        text->size = size;
    }
    __builtin_memcpy(text->at + text->length, from, n);
    text->length += n;
    text->at[text->length] = 0;
}

static __inline__ void linsock_wide_put(struct linsock_wide_text *text, unsigned c)
{
    char octets[4];
    size_t n = 0;

    if (c < 0x80) {
        octets[n++] = (char)c;
    } else if (c < 0x800) {
        octets[n++] = (char)(0xc0 | c >> 6);
        octets[n++] = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        octets[n++] = (char)(0xe0 | c >> 12);
        octets[n++] = (char)(0x80 | (c >> 6 & 0x3f));
        octets[n++] = (char)(0x80 | (c & 0x3f));
    } else {
        octets[n++] = (char)(0xf0 | c >> 18);
        octets[n++] = (char)(0x80 | (c >> 12 & 0x3f));
        octets[n++] = (char)(0x80 | (c >> 6 & 0x3f));
        octets[n++] = (char)(0x80 | (c & 0x3f));
    }
    linsock_wide_add(text, octets, n);
}

/* A unit of a text, whose size is 2 or 4. */
static __inline__ unsigned linsock_unit(const void *text, int size, size_t at)
{
    return size == 2 ? ((const unsigned short *)text)[at] : ((const unsigned *)text)[at];
}

/* The character at a place, which it then passes; half a pair is U+FFFD. `left` units belong to the text. */
static __inline__ unsigned linsock_character(const void *text, int size, size_t *at, size_t left)
{
    unsigned c = linsock_unit(text, size, (*at)++), low;

    if (size == 2 && c >= 0xd800 && c < 0xdc00 && left > 1) {
        low = linsock_unit(text, size, *at);
        if (low >= 0xdc00 && low < 0xe000) {
            (*at)++;
            return 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
        }
    }
    return c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c;
}

static __inline__ size_t linsock_wide_length(const void *text, int size, size_t most)
{
    size_t length = 0;

    while (length < most && linsock_unit(text, size, length) != 0)
        length++;
    return length;
}

/* The next character of a text in UTF-8; what is none is U+FFFD. */
static __inline__ unsigned linsock_utf8(const unsigned char **at)
{
    static const unsigned least[] = {0, 0x80, 0x800, 0x10000};
    unsigned c = *(*at)++, value = c, more = 0, n;

    if (c < 0x80)
        return c;
    more = c >= 0xf0 && c < 0xf8 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 4;
    if (more == 4 || c >= 0xf8)
        return 0xfffd;
    value &= 0x3fu >> more;
    for (n = 0; n < more; n++) {
        if ((**at & 0xc0) != 0x80)
            return 0xfffd;
        value = value << 6 | (*(*at)++ & 0x3f);
    }
    return value < least[more] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000) ? 0xfffd : value;
}

/* Turns UTF-8 into units; gives how many there are, without the zero, and writes those for which there is room. */
static __inline__ size_t linsock_widen(const char *from, void *to, int size, size_t room)
{
    const unsigned char *at = (const unsigned char *)from;
    size_t length = 0;

    while (*at != 0) {
        unsigned c = linsock_utf8(&at), units[2] = {c, 0};
        size_t n = 1, i;

        if (size == 2 && c >= 0x10000) {
            units[0] = 0xd800 + ((c - 0x10000) >> 10);
            units[1] = 0xdc00 + (c & 0x3ff);
            n = 2;
        }
        for (i = 0; i < n; i++, length++) {
            if (length >= room)
                continue;
            if (size == 2)
                ((unsigned short *)to)[length] = (unsigned short)units[i];
            else
                ((unsigned *)to)[length] = units[i];
        }
    }
    return length;
}

/* One conversion of a format. */
struct linsock_conversion {
    char flags[8];
    int width, precision; /* below 0: none */
    int is_wide, is_narrow, is_64, is_long_double, is_short, is_char;
};

/* A text in its field. */
static __inline__ void linsock_wide_field(struct linsock_wide_text *text, const struct linsock_conversion *how,
                                          const struct linsock_wide_text *value, size_t length)
{
    size_t blanks = how->width > 0 && (size_t)how->width > length ? (size_t)how->width - length : 0;
    int is_left = 0, i;

    for (i = 0; how->flags[i] != 0; i++)
        is_left |= how->flags[i] == '-';
    for (; !is_left && blanks > 0; blanks--)
        linsock_wide_add(text, " ", 1);
    if (value->at != 0)
        linsock_wide_add(text, value->at, value->length);
    for (; blanks > 0; blanks--)
        linsock_wide_add(text, " ", 1);
}

static __inline__ void linsock_wide_string(struct linsock_wide_text *text, const struct linsock_conversion *how,
                                           const void *from, int size)
{
    struct linsock_wide_text value = {0, 0, 0, 0};
    size_t most = how->precision >= 0 ? (size_t)how->precision : (size_t)-1, length = 0, at = 0;

    if (from == 0) {
        from = "(null)";
        size = 1;
    }
    if (size == 1) {
        while (length < most && ((const char *)from)[length] != 0)
            length++;
        linsock_wide_add(&value, (const char *)from, length);
    } else {
        length = linsock_wide_length(from, size, most);
        while (at < length)
            linsock_wide_put(&value, linsock_character(from, size, &at, length - at));
    }
    linsock_wide_field(text, how, &value, length);
    text->failed |= value.failed;
    __builtin_free(value.at);
}

/* Numbers are left to the C library. */
static __inline__ void linsock_wide_number(struct linsock_wide_text *text, const struct linsock_conversion *how,
                                           const char *kind, int is_float, unsigned long long bits, long double real)
{
    char format[32], digits[64], *room = digits;
    int at = 0, i, length, again;
    size_t size = sizeof digits;

    format[at++] = '%';
    for (i = 0; how->flags[i] != 0; i++)
        format[at++] = how->flags[i];
    format[at++] = '*';
    format[at++] = '.';
    format[at++] = '*';
    for (i = 0; kind[i] != 0; i++)
        format[at++] = kind[i];
    format[at] = 0;
    for (again = 0; again < 2; again++) {
        int width = how->width > 0 ? how->width : 0;

        length = is_float ? __builtin_snprintf(room, size, format, width, how->precision, real)
                          : __builtin_snprintf(room, size, format, width, how->precision, bits);
        if (length < 0 || (size_t)length < size)
            break;
        size = (size_t)length + 1;
        room = (char *)__builtin_malloc(size);
        if (room == 0)
            break;
    }
    if (length < 0 || room == 0)
        text->failed = 1;
    else
        linsock_wide_add(text, room, (size_t)length);
    if (room != digits)
        __builtin_free(room);
}

/* Reads digits or a star. */
#define LINSOCK_WIDE_COUNT(into)                                                                           \
    do {                                                                                                   \
        if (linsock_unit(format, unit, at) == '*') {                                                       \
            (into) = __builtin_va_arg(arguments, int);                                                     \
            at++;                                                                                          \
        } else {                                                                                           \
            (into) = 0;                                                                                    \
            while (linsock_unit(format, unit, at) >= '0' && linsock_unit(format, unit, at) <= '9')         \
                (into) = (into) * 10 + (int)(linsock_unit(format, unit, at++) - '0');                      \
        }                                                                                                  \
    } while (0)

/* A format of units of a size and its arguments, as the Microsoft C runtime reads them: %s and %c are as wide as the
 * format, %S and %C are narrow, l is 32 bits. */
static void __attribute__((unused))
linsock_wide_format(struct linsock_wide_text *text, const void *format, int unit, __builtin_va_list arguments)
{
    size_t at = 0;
    unsigned c;

    while ((c = linsock_unit(format, unit, at)) != 0) {
        struct linsock_conversion how = {"", 0, -1, 0, 0, 0, 0, 0, 0};
        struct linsock_wide_text value = {0, 0, 0, 0};
        int flags = 0, goes_on = 1, size;
        unsigned long long bits;

        if (c != '%') {
            linsock_wide_put(text, linsock_character(format, unit, &at, 2));
            continue;
        }
        at++;
        while ((c = linsock_unit(format, unit, at)) == '-' || c == '+' || c == ' ' || c == '#' || c == '0') {
            if (flags < 6)
                how.flags[flags++] = (char)c;
            at++;
        }
        LINSOCK_WIDE_COUNT(how.width);
        if (how.width < 0) {
            how.width = -how.width;
            how.flags[flags++] = '-';
        }
        if (linsock_unit(format, unit, at) == '.') {
            at++;
            LINSOCK_WIDE_COUNT(how.precision);
        }
        while (goes_on) {
            c = linsock_unit(format, unit, at++);
            switch (c) {
            case 'h': how.is_char = how.is_short; how.is_short = how.is_narrow = 1; break;
            case 'l': how.is_64 = how.is_wide; how.is_wide = 1; break;
            case 'w': how.is_wide = 1; break;
            case 'j': case 'z': case 't': how.is_64 = 1; break;
            case 'L': how.is_long_double = 1; break;
            case 'I':
                how.is_64 = 1;
                if (linsock_unit(format, unit, at) == '3' && linsock_unit(format, unit, at + 1) == '2') {
                    how.is_64 = 0;
                    at += 2;
                } else if (linsock_unit(format, unit, at) == '6' && linsock_unit(format, unit, at + 1) == '4') {
                    at += 2;
                }
                break;
            default: goes_on = 0;
            }
        }
        size = how.is_narrow ? 1 : how.is_wide ? unit : c == 'S' || c == 'C' ? 1 : unit;
        switch (c) {
        case 'd': case 'i':
            bits = how.is_64 ? __builtin_va_arg(arguments, unsigned long long)
                             : (unsigned long long)(long long)__builtin_va_arg(arguments, int);
            if (how.is_char)
                bits = (unsigned long long)(long long)(signed char)bits;
            else if (how.is_short)
                bits = (unsigned long long)(long long)(short)bits;
            linsock_wide_number(text, &how, "lld", 0, bits, 0);
            break;
        case 'u': case 'x': case 'X': case 'o': {
            const char kind[] = {'l', 'l', (char)c, 0};

            bits = how.is_64 ? __builtin_va_arg(arguments, unsigned long long)
                             : (unsigned long long)__builtin_va_arg(arguments, unsigned);
            bits = how.is_char ? (unsigned char)bits : how.is_short ? (unsigned short)bits : bits;
            linsock_wide_number(text, &how, kind, 0, bits, 0);
            break;
        }
        case 'p':
            how.precision = 16;
            linsock_wide_number(text, &how, "llX", 0, (unsigned long long)__builtin_va_arg(arguments, void *), 0);
            break;
        case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case 'a': case 'A': {
            const char kind[] = {'L', (char)c, 0};
            long double real = how.is_long_double ? __builtin_va_arg(arguments, long double)
                                                  : (long double)__builtin_va_arg(arguments, double);

            linsock_wide_number(text, &how, kind, 1, 0, real);
            break;
        }
        case 'c': case 'C':
            linsock_wide_put(&value, (size == 1 ? 0xffu : ~0u) & (unsigned)__builtin_va_arg(arguments, int));
            linsock_wide_field(text, &how, &value, 1);
            text->failed |= value.failed;
            __builtin_free(value.at);
            break;
        case 's': case 'S':
            linsock_wide_string(text, &how, __builtin_va_arg(arguments, const void *), size);
            break;
        case 'n': /* refused, as on Windows */
            text->failed = 1;
            return;
        case 0:
            at--;
            break;
        default:
            linsock_wide_put(text, c);
        }
    }
}

/* Puts a text on a stream; 0 if that failed. One that somebody else has made a wide stream takes nothing else. */
static int __attribute__((unused)) linsock_wide_emit(const struct linsock_wide_text *text, FILE *stream)
{
    const unsigned char *at = (const unsigned char *)text->at;

    if (text->failed || text->at == 0)
        return !text->failed;
    if (fwide(stream, 0) <= 0)
        return fwrite(text->at, 1, text->length, stream) == text->length;
    while (at < (const unsigned char *)text->at + text->length)
        if (fputwc((wchar_t)linsock_utf8(&at), stream) == WEOF)
            return 0;
    return 1;
}

/* vfwprintf: gives how many units were printed, or -1. */
static int __attribute__((unused))
linsock_wide_print(FILE *stream, const void *format, int unit, __builtin_va_list arguments)
{
    struct linsock_wide_text text = {0, 0, 0, 0};
    int printed = -1;

    linsock_wide_format(&text, format, unit, arguments);
    if (linsock_wide_emit(&text, stream))
        printed = text.at != 0 ? (int)linsock_widen(text.at, 0, unit, 0) : 0;
    __builtin_free(text.at);
    return printed;
}

/* Gives how many units the whole text has, of which as many are stored as there is room for beside a zero; or -1. */
static int __attribute__((unused))
linsock_wide_store(void *to, size_t size, const void *format, int unit, __builtin_va_list arguments)
{
    struct linsock_wide_text text = {0, 0, 0, 0};
    size_t length, end;

    linsock_wide_format(&text, format, unit, arguments);
    length = text.at != 0 ? linsock_widen(text.at, to, unit, size) : 0;
    end = length < size ? length : size - 1;
    if (size != 0 && unit == 2)
        ((unsigned short *)to)[end] = 0;
    else if (size != 0)
        ((unsigned *)to)[end] = 0;
    __builtin_free(text.at);
    return text.failed || length > 0x7fffffff ? -1 : (int)length;
}

/* vswprintf: -1 too if the text does not fit; `is_strict`: then the result is empty. */
static __inline__ int linsock_wide_fit(int length, void *to, size_t size, int unit, int is_strict)
{
    if (length >= 0 && (size_t)length < size)
        return length;
    if (is_strict && to != 0 && size != 0)
        __builtin_memset(to, 0, (size_t)unit);
    return -1;
}

/* As vsnprintf, for TCHAR and strsafe.h. */
static __inline__ int linsock_vformat(LPWSTR to, size_t size, LPCWSTR format, __builtin_va_list arguments)
{
    return linsock_wide_store(to, size, format, (int)sizeof(WCHAR), arguments);
}

/* The functions for one type of unit. */
#define LINSOCK_WIDE_BODY(call)                                                                            \
    {                                                                                                      \
        __builtin_va_list arguments;                                                                       \
        int result;                                                                                        \
        __builtin_va_start(arguments, format);                                                             \
        result = call;                                                                                     \
        __builtin_va_end(arguments);                                                                       \
        return result;                                                                                     \
    }
#define LINSOCK_WIDE_FUNCTIONS(name, type)                                                                 \
    static __inline__ FILE *name##fopen(const type *path, const type *mode)                                \
    {                                                                                                      \
        return linsock_wide_open(path, mode, (int)sizeof(type));                                           \
    }                                                                                                      \
    static __inline__ errno_t name##fopen_s(FILE **file, const type *path, const type *mode)               \
    {                                                                                                      \
        return linsock_wide_open_s(file, path, mode, (int)sizeof(type));                                   \
    }                                                                                                      \
    static __inline__ int name##vsnprintf_s(type *to, size_t size, size_t n, const type *format,           \
                                            __builtin_va_list arguments)                                   \
    {                                                                                                      \
        return linsock_wide_cut(to, size, n, format, (int)sizeof(type), arguments);                        \
    }                                                                                                      \
    static __inline__ int name##snprintf_s(type *to, size_t size, size_t n, const type *format, ...)       \
        LINSOCK_WIDE_BODY(linsock_wide_cut(to, size, n, format, (int)sizeof(type), arguments))             \
    static __inline__ int name##vfprintf(FILE *stream, const type *format, __builtin_va_list arguments)    \
    {                                                                                                      \
        return linsock_wide_print(stream, format, (int)sizeof(type), arguments);                           \
    }                                                                                                      \
    static __inline__ int name##vprintf(const type *format, __builtin_va_list arguments)                   \
    {                                                                                                      \
        return linsock_wide_print(stdout, format, (int)sizeof(type), arguments);                           \
    }                                                                                                      \
    static __inline__ int name##vfit(type *to, size_t size, const type *format, __builtin_va_list arguments, int strict) \
    {                                                                                                      \
        int length = linsock_wide_store(to, size, format, (int)sizeof(type), arguments);                   \
        return linsock_wide_fit(length, to, size, (int)sizeof(type), strict);                              \
    }                                                                                                      \
    static __inline__ int name##vsprintf(type *to, size_t size, const type *format, __builtin_va_list arguments) \
    {                                                                                                      \
        return name##vfit(to, size, format, arguments, 0);                                                 \
    }                                                                                                      \
    static __inline__ int name##vsprintf_s(type *to, size_t size, const type *format, __builtin_va_list arguments) \
    {                                                                                                      \
        return name##vfit(to, size, format, arguments, 1);                                                 \
    }                                                                                                      \
    static __inline__ int name##fprintf(FILE *stream, const type *format, ...)                             \
        LINSOCK_WIDE_BODY(linsock_wide_print(stream, format, (int)sizeof(type), arguments))                \
    static __inline__ int name##printf(const type *format, ...)                                            \
        LINSOCK_WIDE_BODY(linsock_wide_print(stdout, format, (int)sizeof(type), arguments))                \
    static __inline__ int name##sprintf(type *to, size_t size, const type *format, ...)                    \
        LINSOCK_WIDE_BODY(name##vfit(to, size, format, arguments, 0))                                      \
    static __inline__ int name##sprintf_s(type *to, size_t size, const type *format, ...)                  \
        LINSOCK_WIDE_BODY(name##vfit(to, size, format, arguments, 1))                                      \
    static __inline__ int name##fputs(const type *text, FILE *stream)                                      \
    {                                                                                                      \
        struct linsock_wide_text out = {0, 0, 0, 0};                                                       \
        size_t at = 0;                                                                                     \
        int failed;                                                                                        \
        while (text[at] != 0)                                                                              \
            linsock_wide_put(&out, linsock_character(text, (int)sizeof(type), &at, 2));                    \
        failed = !linsock_wide_emit(&out, stream);                                                         \
        __builtin_free(out.at);                                                                            \
        return failed ? EOF : 0;                                                                           \
    }                                                                                                      \
    static __inline__ int name##puts(const type *text)                                                     \
    {                                                                                                      \
        const type line[] = {'%', 's', '\n', 0};                                                           \
        return name##printf(line, text) < 0 ? EOF : 0;                                                     \
    }

/* errno without a header, whose numbers programs define themselves */
LINSOCK_C int *linsock_errno(void) __asm__("__errno_location");
/* cpp/c-runtime-library/reference/fopen-wfopen: the name in UTF-8, the mode of ASCII */
static FILE *__attribute__((unused)) linsock_wide_open(const void *name, const void *mode, int unit)
{
    struct linsock_wide_text path = {0, 0, 0, 0}, how = {0, 0, 0, 0};
    FILE *file = 0;
    size_t at;

    for (at = 0; name != 0 && linsock_unit(name, unit, at) != 0;)
        linsock_wide_put(&path, linsock_character(name, unit, &at, 2));
    for (at = 0; mode != 0 && linsock_unit(mode, unit, at) != 0;)
        linsock_wide_put(&how, linsock_character(mode, unit, &at, 2));
    if (path.failed || how.failed)
        *linsock_errno() = LINSOCK_ENOMEM;
    else if (path.at == 0 || how.at == 0)
        *linsock_errno() = name == 0 || mode == 0 || how.at == 0 ? LINSOCK_EINVAL : LINSOCK_ENOENT;
    else
        file = fopen(path.at, how.at);
    __builtin_free(path.at);
    __builtin_free(how.at);
    return file;
}
/* cpp/c-runtime-library/reference/fopen-s-wfopen-s */
static errno_t __attribute__((unused))
linsock_wide_open_s(FILE **file, const void *name, const void *mode, int unit)
{
    if (file == 0)
        return LINSOCK_EINVAL;
    *file = linsock_wide_open(name, mode, unit);
    return *file != 0 ? 0 : *linsock_errno();
}
/* cpp/c-runtime-library/reference/snprintf-s-snprintf-s-l-snwprintf-s-snwprintf-s-l: at most n units, or as many as fit if it
 * is _TRUNCATE; -1 if that is not all. */
static int __attribute__((unused))
linsock_wide_cut(void *to, size_t size, size_t n, const void *format, int unit, __builtin_va_list arguments)
{
    size_t room = n < size ? n + 1 : size;
    int length;

    if (to == 0 || size == 0 || format == 0)
        return -1;
    length = linsock_wide_store(to, room, format, unit, arguments);
    if (length >= 0 && (size_t)length < room)
        return length;
    if (length < 0 || (n != _TRUNCATE && n >= size))
        __builtin_memset(to, 0, (size_t)unit);
    return -1;
}

LINSOCK_WIDE_FUNCTIONS(linsock_w, wchar_t)
LINSOCK_WIDE_FUNCTIONS(linsock_t, WCHAR)

#undef wprintf
#undef fwprintf
#undef vwprintf
#undef vfwprintf
#undef swprintf
#undef vswprintf
#undef fputws
#define wprintf linsock_wprintf
#define fwprintf linsock_wfprintf
#define vwprintf linsock_wvprintf
#define vfwprintf linsock_wvfprintf
#define swprintf linsock_wsprintf
#define vswprintf linsock_wvsprintf
#define swprintf_s linsock_wsprintf_s
#define vswprintf_s linsock_wvsprintf_s
#define wprintf_s linsock_wprintf
#define fwprintf_s linsock_wfprintf
#define _snwprintf linsock_wsprintf
#define _vsnwprintf linsock_wvsprintf
#define _snwprintf_s linsock_wsnprintf_s
#define _vsnwprintf_s linsock_wvsnprintf_s
#define _wfopen linsock_wfopen
#define _wfopen_s linsock_wfopen_s
#define fputws linsock_wfputs
#define _putws linsock_wputs

#ifdef __cplusplus
namespace std {
using ::linsock_wprintf;
using ::linsock_wfprintf;
using ::linsock_wvprintf;
using ::linsock_wvfprintf;
using ::linsock_wsprintf;
using ::linsock_wvsprintf;
using ::linsock_wfputs;
}
#endif

/* winprog/entry points: main turns its arguments, in UTF-8, into units. */
typedef int (*linsock_entry_point)(int, void *, void *);

static int __attribute__((unused)) linsock_run_wide(linsock_entry_point entry, int unit, int argc, char **argv)
{
    static void *volatile kept; /* they are the program's to its end */
    void **wide = (void **)__builtin_calloc((size_t)argc + 1, sizeof *wide);
    int i;

    kept = wide;
    (void)kept;
    for (i = 0; wide != 0 && i < argc; i++) {
        size_t length = linsock_widen(argv[i], 0, unit, 0);

        wide[i] = __builtin_calloc(length + 1, (size_t)unit);
        if (wide[i] == 0)
            return 3;
        linsock_widen(argv[i], wide[i], unit, length);
    }
    return wide == 0 ? 3 : entry(argc, wide, 0);
}

#define LINSOCK_WIDE_MAIN(unit)                                                                            \
    main(int linsock_argc, char **linsock_argv)                                                            \
    {                                                                                                      \
        extern int linsock_entry(int, void *, void *) __asm__("linsock_wmain");                            \
        return linsock_run_wide(linsock_entry, (int)sizeof(unit), linsock_argc, linsock_argv);             \
    }                                                                                                      \
    LINSOCK_C int linsock_wmain
#define wmain LINSOCK_WIDE_MAIN(wchar_t)

#if __SIZEOF_WCHAR_T__ == 2
#include "linsock_wcs.h"
#endif

#endif
