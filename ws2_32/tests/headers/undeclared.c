/* undeclared.c - winsock2.h leaves these names to the program, which may define its own statics. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#if defined(WSAID_ACCEPTEX) || defined(WSAID_CONNECTEX) || defined(WSAID_DISCONNECTEX)
#error winsock2.h must not define WSAID_*
#endif
static int AcceptEx, ConnectEx, DisconnectEx, GetAcceptExSockaddrs, TransmitFile;
int use(void);
int use(void) { return AcceptEx + ConnectEx + DisconnectEx + GetAcceptExSockaddrs + TransmitFile; }
