/* io.h - files by number: the C library's own functions under their names in the Microsoft C runtime. A number is a
 * descriptor and never a SOCKET. */
#ifndef LINSOCK_IO_H
#define LINSOCK_IO_H

#include "windef.h"
#include <fcntl.h>
#define LINSOCK_WITHOUT_GETOPT
#include <unistd.h>
#undef LINSOCK_WITHOUT_GETOPT

/* cpp/c-runtime-library/file-constants. Differs from Windows: text is binary. */
#define _O_RDONLY O_RDONLY
#define _O_WRONLY O_WRONLY
#define _O_RDWR O_RDWR
#define _O_APPEND O_APPEND
#define _O_CREAT O_CREAT
#define _O_TRUNC O_TRUNC
#define _O_EXCL O_EXCL
#define _O_BINARY 0
#define _O_TEXT 0
#define _O_NOINHERIT 02000000 /* O_CLOEXEC, which strict C does not show */
#ifndef O_BINARY
#define O_BINARY 0
#endif
#define _S_IREAD 0400
#define _S_IWRITE 0200

/* Functions, because programs give the names of the C library's to wrappers around these. */
/* cpp/c-runtime-library/reference/open-wopen */
static __inline__ int _open(const char *path, int flags, ...)
{
    int mode = 0;

    if (flags & O_CREAT) {
        __builtin_va_list arguments;

        __builtin_va_start(arguments, flags);
        mode = __builtin_va_arg(arguments, int);
        __builtin_va_end(arguments);
    }
    return open(path, flags, mode);
}
/* cpp/c-runtime-library/reference/access-waccess */
static __inline__ int _access(const char *path, int mode) { return access(path, mode); }
/* cpp/c-runtime-library/reference/isatty */
static __inline__ int _isatty(int fd) { return isatty(fd); }
/* cpp/c-runtime-library/reference/dup-dup2 */
static __inline__ int _dup(int fd) { return dup(fd); }
/* cpp/c-runtime-library/reference/dup-dup2 */
static __inline__ int _dup2(int from, int to) { return dup2(from, to) == -1 ? -1 : 0; }
/* cpp/c-runtime-library/reference/unlink-wunlink */
static __inline__ int _unlink(const char *path) { return unlink(path); }
/* cpp/c-runtime-library/reference/lseek-lseeki64 */
static __inline__ long long _lseeki64(int fd, long long by, int from) { return lseek(fd, by, from); }

/* cpp/c-runtime-library/reference/pipe. Differs from Windows: the size is Linux'. */
static __inline__ int _pipe(int *pfds, unsigned psize, int textmode)
{
    (void)psize;
    if (pipe(pfds) != 0)
        return -1;
    if (textmode & _O_NOINHERIT) {
        fcntl(pfds[0], F_SETFD, FD_CLOEXEC);
        fcntl(pfds[1], F_SETFD, FD_CLOEXEC);
    }
    return 0;
}

LINSOCK_EXTERN_C_BEGIN
/* cpp/c-runtime-library/reference/get-osfhandle */
intptr_t __cdecl _get_osfhandle(int fd);
/* cpp/c-runtime-library/reference/open-osfhandle: the number takes the file over */
int __cdecl _open_osfhandle(intptr_t osfhandle, int flags);
LINSOCK_EXTERN_C_END

/* cpp/c-runtime-library/reference/read */
static __inline__ int _read(int fd, void *buffer, unsigned count) { return (int)read(fd, buffer, count); }
/* cpp/c-runtime-library/reference/write */
static __inline__ int _write(int fd, const void *buffer, unsigned count) { return (int)write(fd, buffer, count); }
/* cpp/c-runtime-library/reference/close */
static __inline__ int _close(int fd) { return close(fd); }
/* cpp/c-runtime-library/reference/setmode: everything is binary here */
static __inline__ int _setmode(int fd, int mode)
{
    (void)fd;
    (void)mode;
    return _O_BINARY;
}

#endif
