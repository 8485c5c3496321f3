/* linsock_stdio.h - printf and scanf with the sizes of the Microsoft C runtime: I64, I32 and I
 * (cpp/c-runtime-library/format-specification-syntax-printf-and-wprintf-functions). alias/stdio.h gives them the usual names. */
#ifndef LINSOCK_PRINTF_H
#define LINSOCK_PRINTF_H

/* Neither gcc nor clang can check such formats here: to them I asks for other digits, and 64 is a width. Who has none of
 * them, and prints a DWORD with %u, has formats checked by LINSOCK_CHECK_FORMATS. */
#ifdef LINSOCK_CHECK_FORMATS
#define LINSOCK_FORMAT(use, at, first) __attribute__((__format__(use, at, first)))
#else
#define LINSOCK_FORMAT(use, at, first)
#endif

/* The C library's FILE. */
struct _IO_FILE;

#ifdef __cplusplus
extern "C" {
#endif
int linsock_vprintf(const char *format, __builtin_va_list arguments);
int linsock_vfprintf(struct _IO_FILE *to, const char *format, __builtin_va_list arguments);
int linsock_vsprintf(char *to, const char *format, __builtin_va_list arguments);
int linsock_vsnprintf(char *to, __SIZE_TYPE__ size, const char *format, __builtin_va_list arguments);
int linsock_vscanf(const char *format, __builtin_va_list arguments);
int linsock_vfscanf(struct _IO_FILE *from, const char *format, __builtin_va_list arguments);
int linsock_vsscanf(const char *from, const char *format, __builtin_va_list arguments);
int linsock_printf(const char *format, ...);
int linsock_fprintf(struct _IO_FILE *to, const char *format, ...);
int linsock_sprintf(char *to, const char *format, ...);
int linsock_snprintf(char *to, __SIZE_TYPE__ size, const char *format, ...);
int linsock_scanf(const char *format, ...);
int linsock_fscanf(struct _IO_FILE *from, const char *format, ...);
int linsock_sscanf(const char *from, const char *format, ...);
/* Those of programs with L"" of 16-bit units. */
int linsock_short_vprintf(const char *format, __builtin_va_list arguments);
int linsock_short_vfprintf(struct _IO_FILE *to, const char *format, __builtin_va_list arguments);
int linsock_short_vsprintf(char *to, const char *format, __builtin_va_list arguments);
int linsock_short_vsnprintf(char *to, __SIZE_TYPE__ size, const char *format, __builtin_va_list arguments);
int linsock_short_vscanf(const char *format, __builtin_va_list arguments);
int linsock_short_vfscanf(struct _IO_FILE *from, const char *format, __builtin_va_list arguments);
int linsock_short_vsscanf(const char *from, const char *format, __builtin_va_list arguments);
int linsock_short_printf(const char *format, ...);
int linsock_short_fprintf(struct _IO_FILE *to, const char *format, ...);
int linsock_short_sprintf(char *to, const char *format, ...);
int linsock_short_snprintf(char *to, __SIZE_TYPE__ size, const char *format, ...);
int linsock_short_scanf(const char *format, ...);
int linsock_short_fscanf(struct _IO_FILE *from, const char *format, ...);
int linsock_short_sscanf(const char *from, const char *format, ...);
#ifdef __cplusplus
}
#endif

/* Which of them it is. */
#if __SIZEOF_WCHAR_T__ == 2
#define LINSOCK_FORMATTED(name) __asm__("linsock_short_" name)
#define linsock_vsnprintf linsock_short_vsnprintf
#else
#define LINSOCK_FORMATTED(name) __asm__("linsock_" name)
#endif

#endif
