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
#ifndef O_BINARY
#define O_BINARY 0
#endif
#define _S_IREAD 0400
#define _S_IWRITE 0200

#define _open open
#define _access access
#define _isatty isatty
#define _dup dup
#define _dup2 dup2
#define _unlink unlink
#define _lseeki64 lseek

LINSOCK_EXTERN_C_BEGIN
/* cpp/c-runtime-library/reference/get-osfhandle: of regular files */
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
