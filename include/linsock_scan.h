/* linsock_scan.h - sscanf_s: each %s, %c and %[ is followed by the size of its buffer. Included by windows.h. The C library
 * reads one conversion after the other; what does not fit stores nothing and ends the reading. */
#ifndef LINSOCK_SCAN_H
#define LINSOCK_SCAN_H

#include "linsock_wide.h"

/* One conversion, with the blanks and texts before it. */
struct linsock_scan {
    char *piece;      /* a format for the C library, which has room for all of the program's and more */
    const char *rest; /* of the program's format */
    char kind;        /* the letter; 0: there was none */
    int is_kept;      /* it stores something */
    int is_wide;      /* it has an l */
    int width;        /* 0: none */
};

/* The set behind %[, up to its bracket. */
static __inline__ const char *linsock_scan_set(const char *at)
{
    at += *at == '^';
    at += *at == ']';
    while (*at != 0 && *at != ']')
        at++;
    return at + (*at == ']');
}

/* Takes the next conversion off a format. The C library knows no I64, I32 and I, which stand for ll, nothing and ll. */
static __inline__ void linsock_scan_next(struct linsock_scan *scan)
{
    const char *at = scan->rest, *from;
    char *to = scan->piece;

    scan->kind = 0;
    scan->width = 0;
    scan->is_kept = 1;
    scan->is_wide = 0;
    while (*at != 0 && scan->kind == 0) {
        *to++ = *at;
        if (*at++ != '%')
            continue;
        if (*at == '%') {
            *to++ = *at++;
            continue;
        }
        if (*at == '*') {
            scan->is_kept = 0;
            *to++ = *at++;
        }
        for (; *at >= '0' && *at <= '9' && scan->width < 100000000; at++) {
            scan->width = 10 * scan->width + (*at - '0');
            *to++ = *at;
        }
        if (at[0] == 'I') {
            int is_32 = at[1] == '3' && at[2] == '2';

            at += is_32 || (at[1] == '6' && at[2] == '4') ? 3 : 1;
            if (!is_32) {
                *to++ = 'l';
                *to++ = 'l';
            }
        }
        while (*at == 'h' || *at == 'l' || *at == 'L' || *at == 'j' || *at == 'z' || *at == 't') {
            scan->is_wide |= *at == 'l';
            *to++ = *at++;
        }
        scan->kind = *at;
        from = at;
        at += *at != 0;
        at = scan->kind == '[' ? linsock_scan_set(at) : at;
        while (from < at)
            *to++ = *from++;
    }
    *to++ = '%';
    *to++ = 'n';
    *to = 0;
    scan->rest = at;
}

/* A text or characters; 0 if they do not fit or do not come. `passed` becomes how far the reading went. */
static __inline__ int linsock_scan_text(struct linsock_scan *scan, const char *text, char *to, size_t size, int *passed)
{
    size_t most = __builtin_strlen(text) + 1, length;
    char *room = (char *)__builtin_malloc(most);
    int result = room != 0 ? sscanf(text, scan->piece, room, passed) : 0;

    if (result == 1 && *passed >= 0) {
        length = scan->kind == 'c' ? (size_t)(scan->width != 0 ? scan->width : 1) : __builtin_strlen(room) + 1;
        result = length <= size ? 1 : 0;
        if (result)
            __builtin_memcpy(to, room, length);
        else if (size != 0)
            to[0] = 0;
    }
    __builtin_free(room);
    return result;
}

/* cpp/c-runtime-library/reference/sscanf-s-sscanf-s-l-swscanf-s-swscanf-s-l. Differs from Windows: l is as wide as the
 * compiler's long; wide texts (%ls, %S) are not read. */
static int __attribute__((unused)) linsock_vsscanf_s(const char *text, const char *format, __builtin_va_list arguments)
{
    struct linsock_scan scan = {0, format, 0, 0, 0, 0};
    int stored = 0, result = 1;
    const char *at = text;

    if (text == 0 || format == 0)
        return EOF;
    /* I becomes ll, and the length is asked for. */
    scan.piece = (char *)__builtin_malloc(2 * __builtin_strlen(format) + 3);
    while (scan.piece != 0 && *scan.rest != 0 && result == 1) {
        int passed = -1;

        linsock_scan_next(&scan);
        if (scan.kind == 0) {
            break;
        } else if (!scan.is_kept) {
            result = sscanf(at, scan.piece, &passed);
            result = result == EOF ? EOF : passed >= 0;
        } else if (scan.kind == 'S' || scan.kind == 'C') {
            result = 0;
        } else if (scan.kind == 's' || scan.kind == '[' || scan.kind == 'c') {
            char *to = __builtin_va_arg(arguments, char *);
            size_t size = __builtin_va_arg(arguments, unsigned);

            result = scan.is_wide ? 0 : linsock_scan_text(&scan, at, to, size, &passed);
            stored += result == 1;
        } else if (scan.kind == 'n') {
            sscanf(at, scan.piece, &passed, &passed);
            *__builtin_va_arg(arguments, int *) = (int)(at - text) + (passed >= 0 ? passed : 0);
        } else {
            result = sscanf(at, scan.piece, __builtin_va_arg(arguments, void *), &passed);
            stored += result == 1;
        }
        at += passed >= 0 ? passed : 0;
    }
    __builtin_free(scan.piece);
    return result == EOF && stored == 0 ? EOF : stored;
}

static int __attribute__((unused)) sscanf_s(const char *text, const char *format, ...)
{
    __builtin_va_list arguments;
    int result;

    __builtin_va_start(arguments, format);
    result = linsock_vsscanf_s(text, format, arguments);
    __builtin_va_end(arguments);
    return result;
}

#endif
