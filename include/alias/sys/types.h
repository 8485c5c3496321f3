/* alias/sys/types.h - the C library's <sys/types.h>, and useconds_t, which compilers for Windows have there. */
#pragma GCC system_header
#include_next <sys/types.h>
#if defined(__GLIBC__) && !defined(__useconds_t_defined)
typedef __useconds_t useconds_t;
#define __useconds_t_defined
#endif
