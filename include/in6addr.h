/* in6addr.h - struct in6_addr. */
#ifndef LINSOCK_IN6ADDR_H
#define LINSOCK_IN6ADDR_H

#include "linsock_names.h"

/* in6addr/ns-in6addr-in6_addr */
typedef struct LINSOCK_N(in6_addr) {
    union {
        UCHAR Byte[16];
        USHORT Word[8];
    } u;
} IN6_ADDR, *PIN6_ADDR, *LPIN6_ADDR;

#ifndef USE_WS_PREFIX
#define in_addr6 in6_addr
#define _S6_un u
#define _S6_u8 Byte
#define s6_addr _S6_un._S6_u8
#define s6_bytes u.Byte
#define s6_words u.Word
#endif

LINSOCK_ASSERT(sizeof(IN6_ADDR) == 16, "in6_addr");

#endif
