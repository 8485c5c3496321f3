/* linsock_format.h - printing in UTF-16, which the C library knows nothing of: what strsafe.h and tchar.h have in common.
 * The directives are those of Microsoft's C runtime for wide formats: a text is in UTF-16 unless the directive says %hs or
 * %S, and `l` is 32 bits. */
#ifndef LINSOCK_FORMAT_H
#define LINSOCK_FORMAT_H

#include "windows.h"

/* Where a text goes: `at` counts on behind the end, so that it is the length of the whole. */
struct linsock_text {
    LPWSTR to;
    size_t size, at;
};

/* One directive. `kind` is what its number is: 0 an int, 'L' a LONG, 'l' 64 bits, 'h' and 'H' two and one octets; of a
 * text 'h' says that it is in octets, and 'L' in UTF-16. */
struct linsock_directive {
    char flags[8];
    int width, precision;
    char kind;
};

static __inline__ void linsock_put_unit(struct linsock_text *text, WCHAR unit)
{
    if (text->at + 1 < text->size)
        text->to[text->at] = unit;
    text->at++;
}

/* A text in a field. */
static __inline__ void linsock_put_field(struct linsock_text *text, LPCWSTR s, size_t length, int width, BOOL is_left)
{
    size_t pad = width > 0 && (size_t)width > length ? (size_t)width - length : 0;

    for (; !is_left && pad != 0; pad--)
        linsock_put_unit(text, ' ');
    for (; length != 0; length--)
        linsock_put_unit(text, *s++);
    for (; pad != 0; pad--)
        linsock_put_unit(text, ' ');
}

static __inline__ BOOL linsock_is_left(const struct linsock_directive *d)
{
    const char *flag = d->flags;

    while (*flag != 0 && *flag != '-')
        flag++;
    return *flag == '-';
}

static __inline__ void linsock_put_wide(struct linsock_text *text, const struct linsock_directive *d, LPCWSTR s)
{
    static const WCHAR null[] = {'(', 'n', 'u', 'l', 'l', ')', 0};
    size_t length = 0;

    if (s == 0)
        s = null;
    while ((d->precision < 0 || length < (size_t)d->precision) && s[length] != 0)
        length++;
    linsock_put_field(text, s, length, d->width, linsock_is_left(d));
}

static __inline__ void linsock_put_octets(struct linsock_text *text, const struct linsock_directive *d, LPCSTR s)
{
    size_t length = 0;
    LPWSTR wide;
    int units;

    if (s == 0)
        s = "(null)";
    while ((d->precision < 0 || length < (size_t)d->precision) && s[length] != 0)
        length++;
    wide = (LPWSTR)__builtin_malloc((length + 1) * sizeof *wide);
    if (wide == 0)
        return;
    units = length == 0 ? 0 : MultiByteToWideChar(CP_ACP, 0, s, (int)length, wide, (int)length);
    linsock_put_field(text, wide, (size_t)units, d->width, linsock_is_left(d));
    __builtin_free(wide);
}

/* What comes of a directive of the C library's: octets of ASCII, as many as it likes. */
static __inline__ void linsock_put_printed(struct linsock_text *text, const char *directive, ...)
{
    char some[64], *all = some;
    __builtin_va_list arguments;
    int length, i;

    __builtin_va_start(arguments, directive);
    length = __builtin_vsnprintf(some, sizeof some, directive, arguments);
    __builtin_va_end(arguments);
    if (length >= (int)sizeof some && (all = (char *)__builtin_malloc((size_t)length + 1)) != 0) {
        __builtin_va_start(arguments, directive);
        length = __builtin_vsnprintf(all, (size_t)length + 1, directive, arguments);
        __builtin_va_end(arguments);
    }
    for (i = 0; all != 0 && i < length; i++)
        linsock_put_unit(text, (WCHAR)(unsigned char)all[i]);
    if (all != some)
        __builtin_free(all);
}

/* The C library's directive: flags, width and precision of this one, and the rest. */
static __inline__ void linsock_directive_of(char *to, const struct linsock_directive *d, const char *rest)
{
    const char *flag = d->flags;

    *to++ = '%';
    while (*flag != 0)
        *to++ = *flag++;
    for (flag = "*.*"; *flag != 0; flag++)
        *to++ = *flag;
    while (*rest != 0)
        *to++ = *rest++;
    *to = 0;
}

static __inline__ void linsock_put_number(struct linsock_text *text, const struct linsock_directive *d, char letter,
                                          unsigned long long value)
{
    const char rest[] = {'l', 'l', letter, 0};
    char directive[24];

    if (d->kind != 'l') {
        BOOL is_signed = letter == 'd' || letter == 'i';

        if (d->kind == 'h')
            value = is_signed ? (unsigned long long)(short)value : (unsigned short)value;
        else if (d->kind == 'H')
            value = is_signed ? (unsigned long long)(signed char)value : (unsigned char)value;
        else
            value = is_signed ? (unsigned long long)(int)value : (unsigned)value;
    }
    linsock_directive_of(directive, d, rest);
    linsock_put_printed(text, directive, d->width, d->precision, value);
}

/* How many units of the format are the size of the argument; `kind` is what they say. */
static __inline__ size_t linsock_read_kind(LPCWSTR format, char *kind)
{
    size_t n = 0;

    *kind = 0;
    if (format[0] == 'I' && (format[1] == '6' || format[1] == '3') && (format[2] == '4' || format[2] == '2')) {
        *kind = format[1] == '6' ? 'l' : 0;
        return 3;
    }
    for (;; n++) {
        switch (format[n]) {
        case 'l':
            /* One is a LONG, or a wide text. */
            *kind = *kind == 'L' ? 'l' : 'L';
            break;
        case 'w':
            *kind = 'L';
            break;
        case 'h':
            *kind = *kind == 'h' ? 'H' : 'h';
            break;
        case 'I':
        case 'j':
        case 't':
        case 'z':
            *kind = 'l';
            break;
        default:
            return n;
        }
    }
}

/* The arguments travel in a structure, because a va_list cannot be handed on by address everywhere. */
struct linsock_arguments {
    __builtin_va_list list;
};

/* A width or precision: digits, or an argument. */
static __inline__ LPCWSTR linsock_read_size(LPCWSTR format, struct linsock_arguments *from, int *size)
{
    if (*format == '*') {
        *size = __builtin_va_arg(from->list, int);
        return format + 1;
    }
    for (*size = 0; *format >= '0' && *format <= '9' && *size < 100000; format++)
        *size = *size * 10 + (*format - '0');
    return format;
}

static __inline__ LPCWSTR linsock_read_directive(LPCWSTR format, struct linsock_arguments *from,
                                                 struct linsock_directive *d)
{
    size_t n = 0;

    for (; *format == '-' || *format == '+' || *format == ' ' || *format == '#' || *format == '0'; format++)
        if (n < sizeof d->flags - 2)
            d->flags[n++] = (char)*format;
    d->flags[n] = 0;
    format = linsock_read_size(format, from, &d->width);
    if (d->width < 0) {
        d->width = -d->width;
        d->flags[n] = '-';
        d->flags[n + 1] = 0;
    }
    d->precision = -1;
    if (*format == '.')
        format = linsock_read_size(format + 1, from, &d->precision);
    return format + linsock_read_kind(format, &d->kind);
}

/* A character or a text. */
static __inline__ void linsock_put_text(struct linsock_text *text, struct linsock_arguments *from,
                                        const struct linsock_directive *d, WCHAR letter)
{
    /* %S and %C are of the other kind, unless the size says which. */
    BOOL is_narrow = d->kind == 'h' || (d->kind != 'L' && (letter == 'S' || letter == 'C'));

    if (letter == 'c' || letter == 'C') {
        WCHAR unit = (WCHAR)__builtin_va_arg(from->list, int);

        if (is_narrow)
            unit &= 0xff;
        linsock_put_field(text, &unit, 1, d->width, linsock_is_left(d));
    } else if (is_narrow) {
        linsock_put_octets(text, d, __builtin_va_arg(from->list, LPCSTR));
    } else {
        linsock_put_wide(text, d, __builtin_va_arg(from->list, LPCWSTR));
    }
}

/* What a directive says, without its percent sign; FALSE if there is none such. */
static __inline__ BOOL linsock_put_directive(struct linsock_text *text, struct linsock_arguments *from,
                                             struct linsock_directive *d, WCHAR letter)
{
    char rest[2] = {(char)letter, 0}, directive[24];

    switch (letter) {
    case 'c': case 'C': case 's': case 'S':
        linsock_put_text(text, from, d, letter);
        return TRUE;
    case 'p':
        /* All digits, in capitals. */
        d->kind = 'l';
        d->precision = 2 * (int)sizeof(void *);
        letter = 'X';
        __attribute__((fallthrough));
    case 'd': case 'i': case 'u': case 'o': case 'x': case 'X':
        linsock_put_number(text, d, (char)letter,
                           d->kind == 'l' ? __builtin_va_arg(from->list, unsigned long long)
                                          : __builtin_va_arg(from->list, unsigned));
        return TRUE;
    case 'a': case 'A': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
        linsock_directive_of(directive, d, rest);
        linsock_put_printed(text, directive, d->width, d->precision, __builtin_va_arg(from->list, double));
        return TRUE;
    default:
        return FALSE;
    }
}

/* As vsnprintf: the length of the whole, of which as much is in the buffer as fits; -1 for a directive that does not
 * exist, or that writes. */
static __inline__ int linsock_vformat(LPWSTR to, size_t size, LPCWSTR format, __builtin_va_list arguments)
{
    struct linsock_text text = {to, size, 0};
    struct linsock_arguments from;
    struct linsock_directive d;
    BOOL is_right = TRUE;

    __builtin_va_copy(from.list, arguments);
    while (is_right && *format != 0) {
        if (*format != '%' || *++format == '%') {
            linsock_put_unit(&text, *format++);
            continue;
        }
        format = linsock_read_directive(format, &from, &d);
        is_right = linsock_put_directive(&text, &from, &d, *format);
        if (is_right)
            format++;
    }
    __builtin_va_end(from.list);
    if (size != 0)
        to[text.at < size ? text.at : size - 1] = 0;
    return is_right && text.at <= 0x7fffffff ? (int)text.at : -1;
}

#endif
