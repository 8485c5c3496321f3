/* alias/stdlib.h - the C library's <stdlib.h>, and errno, which the Microsoft C runtime has there too
 * (cpp/c-runtime-library/errno-doserrno-sys-errlist-and-sys-nerr) beside the texts for its numbers. Not the numbers: programs
 * define some of their own, as they do functions that the Microsoft C runtime has not. */
#pragma GCC system_header
#define arc4random linsock_c_library_arc4random
#define arc4random_buf linsock_c_library_arc4random_buf
#define arc4random_uniform linsock_c_library_arc4random_uniform
#include_next <stdlib.h>
#undef arc4random
#undef arc4random_buf
#undef arc4random_uniform
#ifndef errno
#if defined(__cplusplus) && __cplusplus >= 201103L
extern "C" int *__errno_location(void) noexcept(true);
#elif defined(__cplusplus)
extern "C" int *__errno_location(void) throw();
#else
extern int *__errno_location(void);
#endif
#define errno (*__errno_location ())
#endif
/* cpp/c-runtime-library/environ-wenviron */
#ifdef __cplusplus
extern "C" char **environ;
#else
extern char **environ;
#endif
#ifndef _environ
#define _environ environ
#endif
#ifndef LINSOCK_STDLIB_H
#define LINSOCK_STDLIB_H
#ifdef __cplusplus
extern "C"
#else
extern
#endif
const char *linsock_strerror(int) __asm__("strerrordesc_np");
/* Those that the kernel has. Each text is the C library's own, which stays where it is. */
enum { LINSOCK_SYS_NERR = 134 };
static __inline__ char **linsock_sys_errlist(void)
{
    static char *texts[LINSOCK_SYS_NERR];
    static int is_full;
    static char unknown[] = "Unknown error";
    int n;

    for (n = 0; !__atomic_load_n(&is_full, __ATOMIC_ACQUIRE) && n < LINSOCK_SYS_NERR; n++)
        __atomic_store_n(&texts[n], linsock_strerror(n) ? (char *)linsock_strerror(n) : unknown, __ATOMIC_RELAXED);
    __atomic_store_n(&is_full, 1, __ATOMIC_RELEASE);
    return texts;
}
#define _sys_nerr LINSOCK_SYS_NERR
#define _sys_errlist (linsock_sys_errlist())
#ifndef sys_nerr
#define sys_nerr LINSOCK_SYS_NERR
#define sys_errlist (linsock_sys_errlist())
#endif
#endif
