/* alias/stdio.h - the C library's <stdio.h>, with printf and scanf that know the sizes of the Microsoft C runtime (I64, I32, I;
 * linsock_stdio.h). They have the usual names and other symbols, so that pointers to them, and those of <cstdio>, are the same.
 * LINSOCK_NO_PRINTF leaves them to the C library. A macro that a program has made of a name stays. */
#pragma GCC system_header
#if !defined(LINSOCK_NO_PRINTF) && !defined(LINSOCK_STDIO_H)
#define LINSOCK_STDIO_H
#pragma push_macro("printf")
#undef printf
#define printf linsock_c_library_printf
#pragma push_macro("fprintf")
#undef fprintf
#define fprintf linsock_c_library_fprintf
#pragma push_macro("sprintf")
#undef sprintf
#define sprintf linsock_c_library_sprintf
#pragma push_macro("snprintf")
#undef snprintf
#define snprintf linsock_c_library_snprintf
#pragma push_macro("vprintf")
#undef vprintf
#define vprintf linsock_c_library_vprintf
#pragma push_macro("vfprintf")
#undef vfprintf
#define vfprintf linsock_c_library_vfprintf
#pragma push_macro("vsprintf")
#undef vsprintf
#define vsprintf linsock_c_library_vsprintf
#pragma push_macro("vsnprintf")
#undef vsnprintf
#define vsnprintf linsock_c_library_vsnprintf
#pragma push_macro("scanf")
#undef scanf
#define scanf linsock_c_library_scanf
#pragma push_macro("fscanf")
#undef fscanf
#define fscanf linsock_c_library_fscanf
#pragma push_macro("sscanf")
#undef sscanf
#define sscanf linsock_c_library_sscanf
#pragma push_macro("vscanf")
#undef vscanf
#define vscanf linsock_c_library_vscanf
#pragma push_macro("vfscanf")
#undef vfscanf
#define vfscanf linsock_c_library_vfscanf
#pragma push_macro("vsscanf")
#undef vsscanf
#define vsscanf linsock_c_library_vsscanf
#include_next <stdio.h>
#undef printf
#undef fprintf
#undef sprintf
#undef snprintf
#undef vprintf
#undef vfprintf
#undef vsprintf
#undef vsnprintf
#undef scanf
#undef fscanf
#undef sscanf
#undef vscanf
#undef vfscanf
#undef vsscanf
#include "../linsock_stdio.h"
#ifdef __cplusplus
extern "C" {
#endif
extern int printf(const char *__restrict format, ...)
    LINSOCK_FORMATTED("printf") LINSOCK_FORMAT(__printf__, 1, 2);
extern int fprintf(FILE *__restrict to, const char *__restrict format, ...)
    LINSOCK_FORMATTED("fprintf") LINSOCK_FORMAT(__printf__, 2, 3);
extern int sprintf(char *__restrict to, const char *__restrict format, ...)
    LINSOCK_FORMATTED("sprintf") LINSOCK_FORMAT(__printf__, 2, 3);
extern int vprintf(const char *__restrict format, __builtin_va_list arguments)
    LINSOCK_FORMATTED("vprintf") LINSOCK_FORMAT(__printf__, 1, 0);
extern int vfprintf(FILE *__restrict to, const char *__restrict format, __builtin_va_list arguments)
    LINSOCK_FORMATTED("vfprintf") LINSOCK_FORMAT(__printf__, 2, 0);
extern int vsprintf(char *__restrict to, const char *__restrict format, __builtin_va_list arguments)
    LINSOCK_FORMATTED("vsprintf") LINSOCK_FORMAT(__printf__, 2, 0);
extern int scanf(const char *__restrict format, ...)
    LINSOCK_FORMATTED("scanf") LINSOCK_FORMAT(__scanf__, 1, 2);
extern int fscanf(FILE *__restrict from, const char *__restrict format, ...)
    LINSOCK_FORMATTED("fscanf") LINSOCK_FORMAT(__scanf__, 2, 3);
extern int sscanf(const char *__restrict from, const char *__restrict format, ...)
    LINSOCK_FORMATTED("sscanf") LINSOCK_FORMAT(__scanf__, 2, 3);
#if defined(__USE_ISOC99) || defined(__USE_UNIX98)
extern int snprintf(char *__restrict to, __SIZE_TYPE__ size, const char *__restrict format, ...)
    LINSOCK_FORMATTED("snprintf") LINSOCK_FORMAT(__printf__, 3, 4);
extern int vsnprintf(char *__restrict to, __SIZE_TYPE__ size, const char *__restrict format, __builtin_va_list arguments)
    LINSOCK_FORMATTED("vsnprintf") LINSOCK_FORMAT(__printf__, 3, 0);
extern int vscanf(const char *__restrict format, __builtin_va_list arguments)
    LINSOCK_FORMATTED("vscanf") LINSOCK_FORMAT(__scanf__, 1, 0);
extern int vfscanf(FILE *__restrict from, const char *__restrict format, __builtin_va_list arguments)
    LINSOCK_FORMATTED("vfscanf") LINSOCK_FORMAT(__scanf__, 2, 0);
extern int vsscanf(const char *__restrict from, const char *__restrict format, __builtin_va_list arguments)
    LINSOCK_FORMATTED("vsscanf") LINSOCK_FORMAT(__scanf__, 2, 0);
#endif
#ifdef __cplusplus
}
#endif
#pragma pop_macro("printf")
#pragma pop_macro("fprintf")
#pragma pop_macro("sprintf")
#pragma pop_macro("snprintf")
#pragma pop_macro("vprintf")
#pragma pop_macro("vfprintf")
#pragma pop_macro("vsprintf")
#pragma pop_macro("vsnprintf")
#pragma pop_macro("scanf")
#pragma pop_macro("fscanf")
#pragma pop_macro("sscanf")
#pragma pop_macro("vscanf")
#pragma pop_macro("vfscanf")
#pragma pop_macro("vsscanf")
#else
#include_next <stdio.h>
#endif
