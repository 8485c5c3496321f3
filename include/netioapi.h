/* netioapi.h - interfaces by name and by number. */
#ifndef LINSOCK_NETIOAPI_H
#define LINSOCK_NETIOAPI_H

#include "iptypes.h"

LINSOCK_EXTERN_C_BEGIN

#ifndef USE_WS_PREFIX
/* ifdef: the room that if_indextoname wants, with the zero */
#undef IF_NAMESIZE
#define IF_NAMESIZE 256
#endif

/* netioapi/nf-netioapi-if_nametoindex */
NET_IFINDEX WINAPI LINSOCK_N(if_nametoindex)(PCSTR InterfaceName) LINSOCK_BIND(if_nametoindex);
/* netioapi/nf-netioapi-if_indextoname */
PCHAR WINAPI LINSOCK_N(if_indextoname)(NET_IFINDEX InterfaceIndex, PCHAR InterfaceName) LINSOCK_BIND(if_indextoname);

LINSOCK_EXTERN_C_END

#endif
