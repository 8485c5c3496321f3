/* ws2tcpip.h - names and addresses. */
#ifndef LINSOCK_WS2TCPIP_H
#define LINSOCK_WS2TCPIP_H

#include "winsock2.h"
#include "ws2ipdef.h"

LINSOCK_EXTERN_C_BEGIN

/* ws2tcpip/nf-ws2tcpip-getaddrinfo: return values */
#ifndef USE_WS_PREFIX
#define EAI_AGAIN WSATRY_AGAIN
#define EAI_BADFLAGS WSAEINVAL
#define EAI_FAIL WSANO_RECOVERY
#define EAI_FAMILY WSAEAFNOSUPPORT
#define EAI_MEMORY WSA_NOT_ENOUGH_MEMORY
#define EAI_NONAME WSAHOST_NOT_FOUND
#define EAI_NODATA EAI_NONAME
#define EAI_SERVICE WSATYPE_NOT_FOUND
#define EAI_SOCKTYPE WSAESOCKTNOSUPPORT
#else
#define WS_EAI_AGAIN WSATRY_AGAIN
#define WS_EAI_BADFLAGS WSAEINVAL
#define WS_EAI_FAIL WSANO_RECOVERY
#define WS_EAI_FAMILY WSAEAFNOSUPPORT
#define WS_EAI_MEMORY WSA_NOT_ENOUGH_MEMORY
#define WS_EAI_NONAME WSAHOST_NOT_FOUND
#define WS_EAI_NODATA WS_EAI_NONAME
#define WS_EAI_SERVICE WSATYPE_NOT_FOUND
#define WS_EAI_SOCKTYPE WSAESOCKTNOSUPPORT
#endif

/* winsock: socklen_t is signed here; <unistd.h> has an unsigned one */
typedef int WS_socklen_t;
#ifndef USE_WS_PREFIX
#define socklen_t WS_socklen_t
#ifndef __socklen_t_defined
#define __socklen_t_defined
#endif
#endif

/* ws2tcpip/nf-ws2tcpip-inet_ntop */
PCSTR WSAAPI LINSOCK_N(inet_ntop)(INT Family, const VOID *pAddr, PSTR pStringBuf, size_t StringBufSize)
    LINSOCK_BIND(inet_ntop);
/* ws2tcpip/nf-ws2tcpip-inet_pton */
INT WSAAPI LINSOCK_N(inet_pton)(INT Family, PCSTR pszAddrString, PVOID pAddrBuf) LINSOCK_BIND(inet_pton);
/* ws2tcpip/nf-ws2tcpip-getaddrinfo */
INT WSAAPI LINSOCK_N(getaddrinfo)(PCSTR pNodeName, PCSTR pServiceName, const ADDRINFOA *pHints, PADDRINFOA *ppResult)
    LINSOCK_BIND(getaddrinfo);
/* ws2tcpip/nf-ws2tcpip-freeaddrinfo */
VOID WSAAPI LINSOCK_N(freeaddrinfo)(PADDRINFOA pAddrInfo) LINSOCK_BIND(freeaddrinfo);
/* ws2tcpip/nf-ws2tcpip-getnameinfo */
INT WSAAPI LINSOCK_N(getnameinfo)(const SOCKADDR *pSockaddr, INT SockaddrLength, char *pNodeBuffer,
                                  DWORD NodeBufferSize, char *pServiceBuffer, DWORD ServiceBufferSize, INT Flags)
    LINSOCK_BIND(getnameinfo);

/* ws2tcpip/nf-ws2tcpip-inetntopw */
PCWSTR WSAAPI InetNtopW(INT Family, const VOID *pAddr, PWSTR pStringBuf, size_t StringBufSize);
/* ws2tcpip/nf-ws2tcpip-inetptonw */
INT WSAAPI InetPtonW(INT Family, PCWSTR pszAddrString, PVOID pAddrBuf);
/* ws2tcpip/nf-ws2tcpip-getaddrinfow */
INT WSAAPI GetAddrInfoW(PCWSTR pNodeName, PCWSTR pServiceName, const ADDRINFOW *pHints, PADDRINFOW *ppResult);
/* ws2tcpip/nf-ws2tcpip-freeaddrinfow */
VOID WSAAPI FreeAddrInfoW(PADDRINFOW pAddrInfo);
/* ws2tcpip/nf-ws2tcpip-getnameinfow */
INT WSAAPI GetNameInfoW(const SOCKADDR *pSockaddr, WS_socklen_t SockaddrLength, PWCHAR pNodeBuffer,
                        DWORD NodeBufferSize, PWCHAR pServiceBuffer, DWORD ServiceBufferSize, INT Flags);

/* ws2tcpip/nc-ws2tcpip-lplookupservice_completion_routine */
typedef void(CALLBACK *LPLOOKUPSERVICE_COMPLETION_ROUTINE)(DWORD dwError, DWORD dwBytes,
                                                            LPWSAOVERLAPPED lpOverlapped);
/* ws2tcpip/nf-ws2tcpip-getaddrinfoexa */
INT WSAAPI GetAddrInfoExA(PCSTR pName, PCSTR pServiceName, DWORD dwNameSpace, LPGUID lpNspId,
                          const ADDRINFOEXA *hints, PADDRINFOEXA *ppResult, struct WS_timeval *timeout,
                          LPOVERLAPPED lpOverlapped, LPLOOKUPSERVICE_COMPLETION_ROUTINE lpCompletionRoutine,
                          LPHANDLE lpNameHandle);
/* ws2tcpip/nf-ws2tcpip-getaddrinfoexw */
INT WSAAPI GetAddrInfoExW(PCWSTR pName, PCWSTR pServiceName, DWORD dwNameSpace, LPGUID lpNspId,
                          const ADDRINFOEXW *hints, PADDRINFOEXW *ppResult, struct WS_timeval *timeout,
                          LPOVERLAPPED lpOverlapped, LPLOOKUPSERVICE_COMPLETION_ROUTINE lpCompletionRoutine,
                          LPHANDLE lpHandle);
/* ws2tcpip/nf-ws2tcpip-getaddrinfoexcancel */
INT WSAAPI GetAddrInfoExCancel(LPHANDLE lpHandle);
/* ws2tcpip/nf-ws2tcpip-getaddrinfoexoverlappedresult */
INT WSAAPI GetAddrInfoExOverlappedResult(LPOVERLAPPED lpOverlapped);
/* ws2tcpip/nf-ws2tcpip-freeaddrinfoex */
VOID WSAAPI FreeAddrInfoEx(PADDRINFOEXA pAddrInfoEx);
/* ws2tcpip/nf-ws2tcpip-freeaddrinfoexw */
VOID WSAAPI FreeAddrInfoExW(PADDRINFOEXW pAddrInfoEx);

#define FreeAddrInfoExA FreeAddrInfoEx
#define InetNtopA LINSOCK_N(inet_ntop)
#define InetPtonA LINSOCK_N(inet_pton)
#define GetAddrInfoA LINSOCK_N(getaddrinfo)
#define FreeAddrInfoA LINSOCK_N(freeaddrinfo)
#define GetNameInfoA LINSOCK_N(getnameinfo)
#ifdef UNICODE
#define InetNtop InetNtopW
#define InetPton InetPtonW
#define GetAddrInfo GetAddrInfoW
#define FreeAddrInfo FreeAddrInfoW
#define GetNameInfo GetNameInfoW
#define GetAddrInfoEx GetAddrInfoExW
#define FreeAddrInfoEx FreeAddrInfoExW
typedef ADDRINFOW ADDRINFOT, *PADDRINFOT;
typedef ADDRINFOEXW ADDRINFOEX, *PADDRINFOEX, *LPADDRINFOEX;
#else
#define InetNtop InetNtopA
#define InetPton InetPtonA
#define GetAddrInfo GetAddrInfoA
#define FreeAddrInfo FreeAddrInfoA
#define GetNameInfo GetNameInfoA
#define GetAddrInfoEx GetAddrInfoExA
typedef ADDRINFOA ADDRINFOT, *PADDRINFOT;
typedef ADDRINFOEXA ADDRINFOEX, *PADDRINFOEX, *LPADDRINFOEX;
#endif

/* The C library's own objects: sixteen octets are the same on both systems. */
#ifdef USE_WS_PREFIX
extern const struct WS_in6_addr WS_in6addr_any __asm__("in6addr_any");
extern const struct WS_in6_addr WS_in6addr_loopback __asm__("in6addr_loopback");
#else
extern const struct in6_addr in6addr_any;
extern const struct in6_addr in6addr_loopback;
#endif
#ifndef USE_WS_PREFIX
#define IN6ADDR_ANY_INIT {{{0}}}
#define IN6ADDR_LOOPBACK_INIT {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}}
#endif

/* ws2tcpip/nf-ws2tcpip-gai_strerrora */
static __inline__ char *gai_strerrorA(int ecode)
{
    const char *text;
    switch (ecode) {
    case 0: text = "success"; break;
    case WSATRY_AGAIN: text = "temporary failure in name resolution"; break;
    case WSAEINVAL: text = "invalid flags"; break;
    case WSANO_RECOVERY: text = "nonrecoverable failure in name resolution"; break;
    case WSAEAFNOSUPPORT: text = "address family not supported"; break;
    case WSA_NOT_ENOUGH_MEMORY: text = "not enough memory"; break;
    case WSAHOST_NOT_FOUND: text = "no such host is known"; break;
    case WSANO_DATA: text = "host has no address of that kind"; break;
    case WSATYPE_NOT_FOUND: text = "service not known for this socket type"; break;
    case WSAESOCKTNOSUPPORT: text = "socket type not supported"; break;
    default: text = "unknown name resolution error"; break;
    }
    return (char *)(ULONG_PTR)text;
}
/* ws2tcpip/nf-ws2tcpip-gai_strerrorw: the text stays until the thread's next call */
static __inline__ WCHAR *gai_strerrorW(int ecode)
{
    static __thread WCHAR text[64];
    const char *narrow = gai_strerrorA(ecode);
    unsigned i;
    for (i = 0; i < 63 && narrow[i] != 0; i++)
        text[i] = (WCHAR)narrow[i];
    text[i] = 0;
    return text;
}
#ifdef UNICODE
#define LINSOCK_GAI_STRERROR gai_strerrorW
#else
#define LINSOCK_GAI_STRERROR gai_strerrorA
#endif
#ifndef USE_WS_PREFIX
#define gai_strerror LINSOCK_GAI_STRERROR
#else
#define WS_gai_strerror LINSOCK_GAI_STRERROR
#endif

/* ws2ipdef, ws2tcpip: tests on IPv6 addresses */
static __inline__ BOOLEAN IN6_ADDR_EQUAL(const IN6_ADDR *x, const IN6_ADDR *y)
{
    return __builtin_memcmp(x, y, sizeof(IN6_ADDR)) == 0;
}
static __inline__ BOOLEAN LINSOCK_N(IN6_IS_ADDR_UNSPECIFIED)(const IN6_ADDR *a)
{
    const IN6_ADDR zero = {{{0}}};
    return IN6_ADDR_EQUAL(a, &zero);
}
static __inline__ BOOLEAN LINSOCK_N(IN6_IS_ADDR_LOOPBACK)(const IN6_ADDR *a)
{
    const IN6_ADDR one = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}};
    return IN6_ADDR_EQUAL(a, &one);
}
static __inline__ BOOLEAN LINSOCK_N(IN6_IS_ADDR_MULTICAST)(const IN6_ADDR *a) { return a->u.Byte[0] == 0xff; }
static __inline__ BOOLEAN LINSOCK_N(IN6_IS_ADDR_LINKLOCAL)(const IN6_ADDR *a)
{
    return a->u.Byte[0] == 0xfe && (a->u.Byte[1] & 0xc0) == 0x80;
}
static __inline__ BOOLEAN LINSOCK_N(IN6_IS_ADDR_SITELOCAL)(const IN6_ADDR *a)
{
    return a->u.Byte[0] == 0xfe && (a->u.Byte[1] & 0xc0) == 0xc0;
}
static __inline__ BOOLEAN LINSOCK_N(IN6_IS_ADDR_V4MAPPED)(const IN6_ADDR *a)
{
    int i;
    for (i = 0; i < 10; i++)
        if (a->u.Byte[i] != 0)
            return FALSE;
    return a->u.Byte[10] == 0xff && a->u.Byte[11] == 0xff;
}

LINSOCK_EXTERN_C_END

#endif
