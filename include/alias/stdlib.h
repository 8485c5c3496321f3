/* alias/stdlib.h - the C library's <stdlib.h>, and errno, which the Microsoft C runtime has there too
 * (cpp/c-runtime-library/errno-doserrno-sys-errlist-and-sys-nerr). Not the numbers: programs define some of their own. */
#pragma GCC system_header
#include_next <stdlib.h>
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
