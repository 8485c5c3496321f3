/* alias/sys/stat.h - the C library's <sys/stat.h>, and the functions that the Microsoft C runtime has there. They are
 * functions with a type of their own, because programs give the names of the C library's to wrappers around them. */
#pragma GCC system_header
#include <sys/types.h>
#include_next <sys/stat.h>
#ifndef LINSOCK_SYS_STAT_H
#define LINSOCK_SYS_STAT_H
/* cpp/c-runtime-library/reference/stat-functions. Where the C library has them, st_mtime and its siblings are names of
 * members of these. */
struct _stat {
    dev_t st_dev;
    ino_t st_ino;
    mode_t st_mode;
    nlink_t st_nlink;
    uid_t st_uid;
    gid_t st_gid;
    dev_t st_rdev;
    off_t st_size;
#ifdef st_mtime
    struct timespec st_atim;
    struct timespec st_mtim;
    struct timespec st_ctim;
#else
    time_t st_atime;
    time_t st_mtime;
    time_t st_ctime;
#endif
};
static __inline__ int linsock_stat_of(int result, const struct stat *from, struct _stat *to)
{
    if (result != 0)
        return -1;
    to->st_dev = from->st_dev;
    to->st_ino = from->st_ino;
    to->st_mode = from->st_mode;
    to->st_nlink = from->st_nlink;
    to->st_uid = from->st_uid;
    to->st_gid = from->st_gid;
    to->st_rdev = from->st_rdev;
    to->st_size = from->st_size;
    to->st_atime = from->st_atime;
    to->st_mtime = from->st_mtime;
    to->st_ctime = from->st_ctime;
    return 0;
}
static __inline__ int _stat(const char *path, struct _stat *buffer)
{
    struct stat known;

    return linsock_stat_of(stat(path, &known), &known, buffer);
}
/* cpp/c-runtime-library/reference/fstat-fstat32-and-siblings */
static __inline__ int _fstat(int fd, struct _stat *buffer)
{
    struct stat known;

    return linsock_stat_of(fstat(fd, &known), &known, buffer);
}
#define _stat64 _stat
#define _fstat64 _fstat
#define _stati64 _stat
#define _fstati64 _fstat
#define _S_IFMT S_IFMT
#define _S_IFDIR S_IFDIR
#define _S_IFREG S_IFREG
#endif
