/* alias/getopt.h - the C library's <getopt.h>, or as much of it as <unistd.h> has: alias/unistd.h reads it by this name, because a
 * program may have one of its own. */
#pragma GCC system_header
#ifdef LINSOCK_UNISTD_GETOPT
#include <bits/getopt_posix.h>
#else
#include_next <getopt.h>
#endif
