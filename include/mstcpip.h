/* mstcpip.h - keep-alive and the address helpers. */
#ifndef LINSOCK_MSTCPIP_H
#define LINSOCK_MSTCPIP_H

#include "ws2tcpip.h"

/* mstcpip/ns-mstcpip-tcp_keepalive */
struct tcp_keepalive {
    ULONG onoff;
    ULONG keepalivetime;
    ULONG keepaliveinterval;
};

#define SIO_RCVALL _WSAIOW(IOC_VENDOR, 1)
#define SIO_KEEPALIVE_VALS _WSAIOW(IOC_VENDOR, 4)
#define SIO_UDP_CONNRESET _WSAIOW(IOC_VENDOR, 12)
#define SIO_LOOPBACK_FAST_PATH _WSAIOW(IOC_VENDOR, 16)
#define SIO_TCP_INFO _WSAIORW(IOC_VENDOR, 39)
#define RCVALL_OFF 0
#define RCVALL_ON 1

/* mstcpip/ne-mstcpip-tcpstate */
typedef enum _TCPSTATE {
    TCPSTATE_CLOSED,
    TCPSTATE_LISTEN,
    TCPSTATE_SYN_SENT,
    TCPSTATE_SYN_RCVD,
    TCPSTATE_ESTABLISHED,
    TCPSTATE_FIN_WAIT_1,
    TCPSTATE_FIN_WAIT_2,
    TCPSTATE_CLOSE_WAIT,
    TCPSTATE_CLOSING,
    TCPSTATE_LAST_ACK,
    TCPSTATE_TIME_WAIT,
    TCPSTATE_MAX
} TCPSTATE;
/* mstcpip/ns-mstcpip-tcp_info_v0 */
typedef struct _TCP_INFO_v0 {
    TCPSTATE State;
    ULONG Mss;
    ULONG64 ConnectionTimeMs;
    BOOLEAN TimestampsEnabled;
    ULONG RttUs;
    ULONG MinRttUs;
    ULONG BytesInFlight;
    ULONG Cwnd;
    ULONG SndWnd;
    ULONG RcvWnd;
    ULONG RcvBuf;
    ULONG64 BytesOut;
    ULONG64 BytesIn;
    ULONG BytesReordered;
    ULONG BytesRetrans;
    ULONG FastRetrans;
    ULONG DupAcksIn;
    ULONG TimeoutEpisodes;
    UCHAR SynRetrans;
} TCP_INFO_v0, *PTCP_INFO_v0;

/* mstcpip/nf-mstcpip-in4addr_setany and siblings */
static __inline__ void IN4ADDR_SETANY(PSOCKADDR_IN a)
{
    __builtin_memset(a, 0, sizeof *a);
    a->sin_family = LINSOCK_N(AF_INET);
}
/* mstcpip/nf-mstcpip-in4addr_setloopback */
static __inline__ void IN4ADDR_SETLOOPBACK(PSOCKADDR_IN a)
{
    IN4ADDR_SETANY(a);
    a->sin_addr.S_un.S_un_b.s_b1 = 127;
    a->sin_addr.S_un.S_un_b.s_b4 = 1;
}
/* mstcpip/nf-mstcpip-in6addr_setany */
static __inline__ void IN6ADDR_SETANY(PSOCKADDR_IN6 a)
{
    __builtin_memset(a, 0, sizeof *a);
    a->sin6_family = LINSOCK_N(AF_INET6);
}
/* mstcpip/nf-mstcpip-in6addr_setloopback */
static __inline__ void IN6ADDR_SETLOOPBACK(PSOCKADDR_IN6 a)
{
    IN6ADDR_SETANY(a);
    a->sin6_addr.u.Byte[15] = 1;
}
/* mstcpip/nf-mstcpip-in6addr_setv4mapped */
static __inline__ void IN6ADDR_SETV4MAPPED(PSOCKADDR_IN6 a6, const IN_ADDR *a4, SCOPE_ID scope, USHORT port)
{
    IN6ADDR_SETANY(a6);
    a6->sin6_port = port;
    a6->sin6_scope_struct = scope;
    a6->sin6_addr.u.Byte[10] = a6->sin6_addr.u.Byte[11] = 0xff;
    __builtin_memcpy(&a6->sin6_addr.u.Byte[12], a4, 4);
}
/* mstcpip/nf-mstcpip-inetaddr_setany */
static __inline__ void INETADDR_SETANY(PSOCKADDR a)
{
    ADDRESS_FAMILY family = a->sa_family;
    if (family == LINSOCK_N(AF_INET6))
        IN6ADDR_SETANY((PSOCKADDR_IN6)(void *)a);
    else
        IN4ADDR_SETANY((PSOCKADDR_IN)(void *)a);
}
/* mstcpip/nf-mstcpip-inetaddr_setloopback */
static __inline__ void INETADDR_SETLOOPBACK(PSOCKADDR a)
{
    if (a->sa_family == LINSOCK_N(AF_INET6))
        IN6ADDR_SETLOOPBACK((PSOCKADDR_IN6)(void *)a);
    else
        IN4ADDR_SETLOOPBACK((PSOCKADDR_IN)(void *)a);
}

#endif
