/* alias/unistd.h - the C library's <unistd.h>. Read after winsock2.h, its gethostname gets another name, so
 * that the inline body it has under _FORTIFY_SOURCE does not become the body of ours. Windows has no getopt, and
 * programs bring theirs: it comes by <getopt.h>, which may be the program's own, and not at all to io.h and direct.h. */
#pragma GCC system_header
#if !defined(_UNISTD_H) && defined(_SIGNAL_H) && __USE_DYNAMIC_STACK_SIZE + 0 && !defined(LINSOCK_WITHOUT_GETOPT)
#define LINSOCK_READ_BY_SIGNAL_H /* not by the program */
#endif
#ifndef _GETOPT_POSIX_H
#define _GETOPT_POSIX_H 1
#define LINSOCK_HIDES_GETOPT
#endif
#if defined(LINSOCK_WINSOCK2_H) && !defined(USE_WS_PREFIX) && !defined(_UNISTD_H)
#define gethostname linsock_libc_gethostname
#include_next <unistd.h>
#undef gethostname
#else
#include_next <unistd.h>
#endif
#ifdef LINSOCK_HIDES_GETOPT
#undef _GETOPT_POSIX_H
#undef LINSOCK_HIDES_GETOPT
#endif
#ifdef LINSOCK_READ_BY_SIGNAL_H
#undef LINSOCK_READ_BY_SIGNAL_H
#elif !defined(LINSOCK_WITHOUT_GETOPT)
#define LINSOCK_UNISTD_GETOPT
#include <getopt.h>
#undef LINSOCK_UNISTD_GETOPT
#endif
