/* inaddr.h - struct in_addr. */
#ifndef LINSOCK_INADDR_H
#define LINSOCK_INADDR_H

#include "linsock_names.h"

/* winsock2/ns-winsock2-in_addr (inaddr/ns-inaddr-in_addr) */
typedef struct LINSOCK_N(in_addr) {
    union {
        struct {
            UCHAR s_b1, s_b2, s_b3, s_b4;
        } S_un_b;
        struct {
            USHORT s_w1, s_w2;
        } S_un_w;
        ULONG S_addr;
    } S_un;
} IN_ADDR, *PIN_ADDR, *LPIN_ADDR;

#ifndef USE_WS_PREFIX
#define s_addr S_un.S_addr
#define s_host S_un.S_un_b.s_b2
#define s_net S_un.S_un_b.s_b1
#define s_imp S_un.S_un_w.s_w2
#define s_impno S_un.S_un_b.s_b4
#define s_lh S_un.S_un_b.s_b3
#endif

LINSOCK_ASSERT(sizeof(IN_ADDR) == 4, "in_addr");

#endif
