/* iphlpapi.h - the part of the IP helper that socket programs use: adapters, who answers questions of names, and the
 * tables and counters of TCP and UDP. */
#ifndef LINSOCK_IPHLPAPI_H
#define LINSOCK_IPHLPAPI_H

#include "ipexport.h"
#include "iprtrmib.h"
#include "iptypes.h"
#include "netioapi.h"

LINSOCK_EXTERN_C_BEGIN

/* iphlpapi/nf-iphlpapi-getadaptersaddresses */
ULONG WINAPI GetAdaptersAddresses(ULONG Family, ULONG Flags, PVOID Reserved, PIP_ADAPTER_ADDRESSES AdapterAddresses,
                                  PULONG SizePointer);
/* iphlpapi/nf-iphlpapi-getnetworkparams */
DWORD WINAPI GetNetworkParams(PFIXED_INFO pFixedInfo, PULONG pOutBufLen);
/* iphlpapi/nf-iphlpapi-getadaptersinfo */
ULONG WINAPI GetAdaptersInfo(PIP_ADAPTER_INFO AdapterInfo, PULONG SizePointer);
/* iphlpapi/nf-iphlpapi-getipaddrtable */
DWORD WINAPI GetIpAddrTable(PMIB_IPADDRTABLE pIpAddrTable, PULONG pdwSize, BOOL bOrder);
/* iphlpapi/nf-iphlpapi-getnumberofinterfaces */
DWORD WINAPI GetNumberOfInterfaces(PDWORD pdwNumIf);
/* iphlpapi/nf-iphlpapi-getbestinterface and nf-iphlpapi-getbestinterfaceex */
DWORD WINAPI GetBestInterface(IPAddr dwDestAddr, PDWORD pdwBestIfIndex);
DWORD WINAPI GetBestInterfaceEx(struct sockaddr *pDestAddr, PDWORD pdwBestIfIndex);

/* iphlpapi/nf-iphlpapi-gettcptable and its siblings */
ULONG WINAPI GetTcpTable(PMIB_TCPTABLE TcpTable, PULONG SizePointer, BOOL Order);
ULONG WINAPI GetTcpTable2(PMIB_TCPTABLE2 TcpTable, PULONG SizePointer, BOOL Order);
ULONG WINAPI GetTcp6Table(PMIB_TCP6TABLE TcpTable, PULONG SizePointer, BOOL Order);
ULONG WINAPI GetTcp6Table2(PMIB_TCP6TABLE2 TcpTable, PULONG SizePointer, BOOL Order);
/* iphlpapi/nf-iphlpapi-getextendedtcptable */
DWORD WINAPI GetExtendedTcpTable(PVOID pTcpTable, PDWORD pdwSize, BOOL bOrder, ULONG ulAf, TCP_TABLE_CLASS TableClass,
                                 ULONG Reserved);
/* iphlpapi/nf-iphlpapi-getudptable and its siblings */
ULONG WINAPI GetUdpTable(PMIB_UDPTABLE UdpTable, PULONG SizePointer, BOOL Order);
ULONG WINAPI GetUdp6Table(PMIB_UDP6TABLE Udp6Table, PULONG SizePointer, BOOL Order);
/* iphlpapi/nf-iphlpapi-getextendedudptable */
DWORD WINAPI GetExtendedUdpTable(PVOID pUdpTable, PDWORD pdwSize, BOOL bOrder, ULONG ulAf, UDP_TABLE_CLASS TableClass,
                                 ULONG Reserved);
/* iphlpapi/nf-iphlpapi-settcpentry */
DWORD WINAPI SetTcpEntry(PMIB_TCPROW pTcpRow);
/* iphlpapi/nf-iphlpapi-gettcpstatistics and its siblings */
ULONG WINAPI GetTcpStatistics(PMIB_TCPSTATS Statistics);
ULONG WINAPI GetTcpStatisticsEx(PMIB_TCPSTATS Statistics, ULONG Family);
ULONG WINAPI GetUdpStatistics(PMIB_UDPSTATS Stats);
ULONG WINAPI GetUdpStatisticsEx(PMIB_UDPSTATS Statistics, ULONG Family);

LINSOCK_EXTERN_C_END

#endif
