/* iphlpapi.h - the part of the IP helper that socket programs use: adapters, and who answers questions of names. */
#ifndef LINSOCK_IPHLPAPI_H
#define LINSOCK_IPHLPAPI_H

#include "ipexport.h"
#include "iptypes.h"
#include "netioapi.h"

LINSOCK_EXTERN_C_BEGIN

/* iphlpapi/nf-iphlpapi-getadaptersaddresses */
ULONG WINAPI GetAdaptersAddresses(ULONG Family, ULONG Flags, PVOID Reserved, PIP_ADAPTER_ADDRESSES AdapterAddresses,
                                  PULONG SizePointer);
/* iphlpapi/nf-iphlpapi-getnetworkparams */
DWORD WINAPI GetNetworkParams(PFIXED_INFO pFixedInfo, PULONG pOutBufLen);

LINSOCK_EXTERN_C_END

#endif
