/* alias/unistd.h - the C library's <unistd.h>. Read after winsock2.h, its gethostname gets another name, so
 * that the inline body it has under _FORTIFY_SOURCE does not become the body of ours. */
#pragma GCC system_header
#if defined(LINSOCK_WINSOCK2_H) && !defined(USE_WS_PREFIX) && !defined(_UNISTD_H)
#define gethostname linsock_libc_gethostname
#include_next <unistd.h>
#undef gethostname
#else
#include_next <unistd.h>
#endif
