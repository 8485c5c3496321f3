/* mswsockdef.h - the types of Registered I/O (mswsock/ns-mswsock-rio_extension_function_table). */
#ifndef LINSOCK_MSWSOCKDEF_H
#define LINSOCK_MSWSOCKDEF_H

#include "windef.h"

LINSOCK_EXTERN_C_BEGIN

typedef struct RIO_BUFFERID_t *RIO_BUFFERID, **PRIO_BUFFERID;
typedef struct RIO_CQ_t *RIO_CQ, **PRIO_CQ;
typedef struct RIO_RQ_t *RIO_RQ, **PRIO_RQ;

#define RIO_MSG_DONT_NOTIFY 0x1
#define RIO_MSG_DEFER 0x2
#define RIO_MSG_WAITALL 0x4
#define RIO_MSG_COMMIT_ONLY 0x8

#define RIO_INVALID_BUFFERID ((RIO_BUFFERID)(ULONG_PTR)0xFFFFFFFF)
#define RIO_INVALID_CQ ((RIO_CQ)0)
#define RIO_INVALID_RQ ((RIO_RQ)0)
#define RIO_MAX_CQ_SIZE 0x8000000
#define RIO_CORRUPT_CQ 0xFFFFFFFF

/* mswsockdef/ns-mswsockdef-rioresult */
typedef struct _RIORESULT {
    LONG Status;
    ULONG BytesTransferred;
    ULONGLONG SocketContext;
    ULONGLONG RequestContext;
} RIORESULT, *PRIORESULT;

/* mswsockdef/ns-mswsockdef-rio_buf */
typedef struct _RIO_BUF {
    RIO_BUFFERID BufferId;
    ULONG Offset;
    ULONG Length;
} RIO_BUF, *PRIO_BUF;

LINSOCK_EXTERN_C_END

LINSOCK_ASSERT(sizeof(RIORESULT) == 24, "RIORESULT");
LINSOCK_ASSERT(sizeof(RIO_BUF) == 16, "RIO_BUF");

#endif
