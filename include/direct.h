/* direct.h - directories: the C library's own functions under their names in the Microsoft C runtime. */
#ifndef LINSOCK_DIRECT_H
#define LINSOCK_DIRECT_H

#include "windef.h"
#include <sys/stat.h>
#define LINSOCK_WITHOUT_GETOPT
#include <unistd.h>
#undef LINSOCK_WITHOUT_GETOPT

/* cpp/c-runtime-library/reference/mkdir-wmkdir */
static __inline__ int _mkdir(const char *path) { return mkdir(path, 0777); }
/* cpp/c-runtime-library/reference/rmdir-wrmdir */
static __inline__ int _rmdir(const char *path) { return rmdir(path); }
/* cpp/c-runtime-library/reference/chdir-wchdir */
static __inline__ int _chdir(const char *path) { return chdir(path); }
/* cpp/c-runtime-library/reference/getcwd-wgetcwd */
static __inline__ char *_getcwd(char *buffer, int size) { return getcwd(buffer, (size_t)(size < 0 ? 0 : size)); }

#endif
