/* wshisotp.h - ISO transport: protocols and addresses. */
#ifndef LINSOCK_WSHISOTP_H
#define LINSOCK_WSHISOTP_H

#include "winsock2.h"

#define ISOPROTO_TP0 25
#define ISOPROTO_TP1 26
#define ISOPROTO_TP2 27
#define ISOPROTO_TP3 28
#define ISOPROTO_TP4 29
#define ISOPROTO_TP ISOPROTO_TP4
#define ISOPROTO_CLTP 30
#define ISOPROTO_CLNP 31
#define ISOPROTO_X25 32
#define ISOPROTO_INACT_NL 33
#define ISOPROTO_ESIS 34
#define ISOPROTO_INTRAISIS 35
#define ISO_MAX_ADDR_LENGTH 64
#define ISO_HIERARCHICAL 0
#define ISO_NON_HIERARCHICAL 1
#define ISO_EXP_DATA_USE 0
#define ISO_EXP_DATA_NUSE 1

/* The selector, then the network address; or, as ISO_NON_HIERARCHICAL, text: selector@host:port. */
typedef struct sockaddr_tp {
    u_short tp_family;    /* AF_ISO */
    u_short tp_addr_type; /* ISO_HIERARCHICAL or ISO_NON_HIERARCHICAL */
    u_short tp_taddr_len; /* of the whole address */
    u_short tp_tsel_len;  /* of the selector */
    u_char tp_addr[ISO_MAX_ADDR_LENGTH];
} SOCKADDR_TP, *PSOCKADDR_TP, *LPSOCKADDR_TP;

#endif
