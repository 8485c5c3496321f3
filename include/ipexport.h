/* ipexport.h - the types of the IP helper's older functions. */
#ifndef LINSOCK_IPEXPORT_H
#define LINSOCK_IPEXPORT_H

#include "windef.h"

/* iphlpapi/nf-iphlpapi-sendarp: an address or a mask in network order, a status */
typedef ULONG IPAddr;
typedef ULONG IPMask;
typedef ULONG IP_STATUS;

#endif
