/* prefix.c - USE_WS_PREFIX: both socket interfaces in one source file, in C and in C++. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#define USE_WS_PREFIX
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <mstcpip.h>

#ifdef __cplusplus
#define CHECK(e) static_assert(e, #e)
#else
#define CHECK(e) _Static_assert(e, #e)
#endif
CHECK(sizeof(struct timeval) == 16);
CHECK(sizeof(struct WS_timeval) == 8);
CHECK(sizeof(fd_set) == 128);
CHECK(sizeof(WS_fd_set) == 520);
CHECK(sizeof(struct linger) == 8);
CHECK(sizeof(struct WS_linger) == 4);
CHECK((int)AF_INET6 == 10);
CHECK(WS_AF_INET6 == 23);
CHECK((int)SOL_SOCKET == 1);
CHECK(WS_SOL_SOCKET == 0xffff);
CHECK(POLLIN == 1);
CHECK(WS_POLLIN == 0x300);

int use_both(void);
int use_both(void)
{
    struct WS_sockaddr_in w;
    struct sockaddr_in l;
    struct WS_addrinfo *res = NULL;
    WS_fd_set set;
    char host[WS_NI_MAXHOST];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    SOCKET s = WS_socket(WS_AF_INET, WS_SOCK_STREAM, WS_IPPROTO_TCP);
    WS_u_long one = 1;
    memset(&w, 0, sizeof w);
    memset(&l, 0, sizeof l);
    w.sin_addr.S_un.S_addr = WS_htonl(WS_INADDR_LOOPBACK);
    l.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    WS_FD_ZERO(&set);
    WS_FD_SET(s, &set);
    ioctlsocket(s, WS_FIONBIO, &one);
    WS_getaddrinfo(NULL, "80", NULL, &res);
    WS_setsockopt(s, WS_SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&s, sizeof s);
    return connect(fd, (struct sockaddr *)&l, sizeof l) + WS_connect(s, (struct WS_sockaddr *)&w, sizeof w) +
           WS_select(0, &set, NULL, NULL, NULL) + select(0, NULL, NULL, NULL, NULL) + WS_gethostname(host, 9) +
           WS_FD_ISSET(s, &set);
}
