/* ipmib.h - the table of IPv4 addresses, as GetIpAddrTable gives it. */
#ifndef LINSOCK_IPMIB_H
#define LINSOCK_IPMIB_H

#include "windef.h"

#define MIB_IPADDR_PRIMARY 0x0001
#define MIB_IPADDR_DYNAMIC 0x0004
#define MIB_IPADDR_DISCONNECTED 0x0008
#define MIB_IPADDR_DELETED 0x0040
#define MIB_IPADDR_TRANSIENT 0x0080

/* ipmib/ns-ipmib-mib_ipaddrrow_xp */
typedef struct _MIB_IPADDRROW_XP {
    DWORD dwAddr;
    DWORD dwIndex;
    DWORD dwMask;
    DWORD dwBCastAddr;
    DWORD dwReasmSize;
    USHORT unused1;
    USHORT wType;
} MIB_IPADDRROW_XP, *PMIB_IPADDRROW_XP, MIB_IPADDRROW, *PMIB_IPADDRROW;
/* ipmib/ns-ipmib-mib_ipaddrtable */
typedef struct _MIB_IPADDRTABLE {
    DWORD dwNumEntries;
    MIB_IPADDRROW table[1];
} MIB_IPADDRTABLE, *PMIB_IPADDRTABLE;

#endif
