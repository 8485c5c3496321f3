/* alias/sys/locking.h - how _locking locks (cpp/c-runtime-library/reference/locking); the function itself is not here. */
#ifndef LINSOCK_SYS_LOCKING_H
#define LINSOCK_SYS_LOCKING_H
#define _LK_UNLCK 0
#define _LK_LOCK 1
#define _LK_NBLCK 2
#define _LK_RLCK 3
#define _LK_NBRLCK 4
#endif
