/* alias/sys/stat.h - the C library's <sys/stat.h>, with the names that the Microsoft C runtime has for it. */
#pragma GCC system_header
#include_next <sys/stat.h>
#ifndef LINSOCK_SYS_STAT_H
#define LINSOCK_SYS_STAT_H
/* cpp/c-runtime-library/reference/stat-functions, fstat-fstat32-and-siblings */
#define _stat stat
#define _fstat fstat
#define _stat64 stat
#define _fstat64 fstat
#define _stati64 stat
#define _fstati64 fstat
#define _S_IFMT S_IFMT
#define _S_IFDIR S_IFDIR
#define _S_IFREG S_IFREG
#endif
