/* alias/stdlib.h - the C library's <stdlib.h>, and errno, which the Microsoft C runtime has there too
 * (cpp/c-runtime-library/errno-doserrno-sys-errlist-and-sys-nerr). Not the numbers: programs define some of their own, as
 * they do functions that the Microsoft C runtime has not. */
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
