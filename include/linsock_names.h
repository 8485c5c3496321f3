/* linsock_names.h - how a Winsock name finds the library and not the C library. The reasons are told at
 * the top of winsock2.h; this file is shared by the headers that declare colliding names. */
#ifndef LINSOCK_NAMES_H
#define LINSOCK_NAMES_H

#include "windef.h"

#if !defined(USE_WS_PREFIX) && (defined(_SYS_SOCKET_H) || defined(_NETINET_IN_H))
#error "linsock: <sys/socket.h> and <winsock2.h> define the same names. Drop the former, or define USE_WS_PREFIX before including ours to get WS_connect, WS_AF_INET6, struct WS_sockaddr and so on."
#endif

#ifdef USE_WS_PREFIX
#define LINSOCK_N(name) WS_##name
#define LINSOCK_BIND(name)
#else
#define LINSOCK_N(name) name
#define LINSOCK_BIND(name) __asm__("WS_" #name)

/* Which of the C library's definitions came before us? */
#ifdef _SYS_SELECT_H
#define LINSOCK_SELECT_TAKEN
#else
#define _SYS_SELECT_H 1
#endif
#ifdef __u_char_defined
#define LINSOCK_U_CHAR_TAKEN
#else
#define __u_char_defined
#endif
/* Held: the C library has not defined its own yet; <sys/time.h> in alias/ lets go. */
#ifndef __timeval_defined
#define __timeval_defined 1
#define LINSOCK_TIMEVAL_HELD
#endif
/* struct timex holds a struct timeval of the C library; nobody needs it here. */
#ifndef _BITS_TIMEX_H
#define _BITS_TIMEX_H 1
#endif

#define fd_set WS_fd_set
#define timeval WS_timeval
#define u_long WS_u_long

#ifdef LINSOCK_SELECT_TAKEN
/* Told apart from a program's own FD_SETSIZE: the C library's reads __FD_SETSIZE. */
#ifdef FD_SETSIZE
#pragma push_macro("__FD_SETSIZE")
#undef __FD_SETSIZE
#define __FD_SETSIZE 0
#if FD_SETSIZE == 0
#undef FD_SETSIZE
#endif
#pragma pop_macro("__FD_SETSIZE")
#endif
#undef FD_SET
#undef FD_CLR
#undef FD_ISSET
#undef FD_ZERO
#endif
#endif

typedef unsigned int WS_u_long;
#ifndef USE_WS_PREFIX
#ifndef LINSOCK_U_CHAR_TAKEN
typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;
#endif
typedef unsigned long long u_int64;
#endif

#endif
