/*
 * startup.c - WSAStartup and WSACleanup: what every call says before the first and after the last of them, and
 * how they count.
 */
#include "check.h"

static const char *const N = "D each page: WSANOTINITIALISED";

/* Every call that takes a socket, and those that make one, while Winsock is not started. */
static void all_refused(SOCKET s)
{
    struct sockaddr_in address = loopback(htons(1));
    struct addrinfo *found = NULL;
    char buffer[64];
    int length = sizeof address, value = 0, size = sizeof value;
    DWORD bytes = 0, flags = 0;
    u_long mode = 0;
    WSABUF data;
    WSAPOLLFD fd;
    fd_set set;
    struct timeval now = { 0, 0 };
    GUID id = WSAID_DISCONNECTEX;
    void *function = NULL;

    data.buf = buffer;
    data.len = sizeof buffer;
    fd.fd = s;
    fd.events = POLLIN;
    fd.revents = 0;
    FD_ZERO(&set);
    FD_SET(s, &set);

    CHECK_CALL(socket(AF_INET, SOCK_STREAM, 0), INVALID_SOCKET, WSANOTINITIALISED, N);
    CHECK_CALL(WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, 0), INVALID_SOCKET, WSANOTINITIALISED, N);
    CHECK_CALL(WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, 0), INVALID_SOCKET, WSANOTINITIALISED,
               "T test_WithoutWSAStartup");
    CHECK_FAIL(bind(s, (struct sockaddr *)&address, sizeof address), WSANOTINITIALISED, N);
    CHECK_FAIL(listen(s, 5), WSANOTINITIALISED, N);
    CHECK_CALL(accept(s, NULL, NULL), INVALID_SOCKET, WSANOTINITIALISED, N);
    CHECK_CALL(WSAAccept(s, NULL, NULL, NULL, 0), INVALID_SOCKET, WSANOTINITIALISED, N);
    CHECK_FAIL(connect(s, (struct sockaddr *)&address, sizeof address), WSANOTINITIALISED, N);
    CHECK_FAIL(WSAConnect(s, (struct sockaddr *)&address, sizeof address, NULL, NULL, NULL, NULL),
               WSANOTINITIALISED, N);
    CHECK_FAIL(send(s, buffer, 1, 0), WSANOTINITIALISED, N);
    CHECK_FAIL(recv(s, buffer, 1, 0), WSANOTINITIALISED, N);
    CHECK_FAIL(WSASend(s, &data, 1, &bytes, 0, NULL, NULL), WSANOTINITIALISED, N);
    CHECK_FAIL(WSARecv(s, &data, 1, &bytes, &flags, NULL, NULL), WSANOTINITIALISED, N);
    CHECK_FAIL(shutdown(s, SD_SEND), WSANOTINITIALISED, "D shutdown");
    CHECK_FAIL(closesocket(s), WSANOTINITIALISED, "D closesocket");
    CHECK_FAIL(getsockname(s, (struct sockaddr *)&address, &length), WSANOTINITIALISED, N);
    CHECK_FAIL(getpeername(s, (struct sockaddr *)&address, &length), WSANOTINITIALISED, N);
    CHECK_FAIL(getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&value, &size), WSANOTINITIALISED, N);
    CHECK_FAIL(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, sizeof value), WSANOTINITIALISED, N);
    CHECK_FAIL(ioctlsocket(s, FIONBIO, &mode), WSANOTINITIALISED, N);
    CHECK_FAIL(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &function, sizeof function, &bytes,
                        NULL, NULL), WSANOTINITIALISED, N);
    CHECK_FAIL(select(0, &set, NULL, NULL, &now), WSANOTINITIALISED, N);
    CHECK_FAIL(WSAPoll(&fd, 1, 0), WSANOTINITIALISED, N);
    CHECK_EQ(getaddrinfo("127.0.0.1", "1", NULL, &found), WSANOTINITIALISED, "D getaddrinfo");
}

static void extension_functions_refused(const struct extensions *e)
{
    struct sockaddr_in address = loopback(htons(1));
    char buffer[2 * ADDRESS_SIZE];
    OVERLAPPED ov;
    DWORD bytes = 0;

    ov_init(&ov, NULL);
    CHECK_FALSE(e->disconnect_ex(5, &ov, 0, 0), WSANOTINITIALISED, "choice design 4: the first check");
    CHECK_FALSE(e->disconnect_ex(5, &ov, 0x80, 1), WSANOTINITIALISED, "choice design 4: before the arguments");
    CHECK_FALSE(e->disconnect_ex(INVALID_SOCKET, NULL, 0, 0), WSANOTINITIALISED, "choice design 4");
    CHECK_FALSE(e->connect_ex(5, (struct sockaddr *)&address, sizeof address, NULL, 0, &bytes, &ov),
                WSANOTINITIALISED, "D ConnectEx");
    CHECK_FALSE(e->accept_ex(5, 6, buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ov),
                WSANOTINITIALISED, "D AcceptEx");
}

/* These need no WSAStartup. */
static void free_for_all(void)
{
    WSASetLastError(4711);
    CHECK_EQ(WSAGetLastError(), 4711, "D WSASetLastError");
    CHECK_EQ(GetLastError(), 4711, "D WSAGetLastError: the thread's last error, shared with GetLastError");
    SetLastError(815);
    CHECK_EQ(WSAGetLastError(), 815, "D WSAGetLastError");
    CHECK_EQ(htons(0x1234), 0x3412, "D htons");
    CHECK_EQ(htonl(0x12345678), 0x78563412, "D htonl");
    CHECK_EQ(ntohs(0x3412), 0x1234, "D ntohs");
    CHECK_EQ(inet_addr("127.0.0.1"), 0x0100007f, "D inet_addr");
}

static void versions(void)
{
    WSADATA data;

    memset(&data, 0, sizeof data);
    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0, "D WSAStartup");
    CHECK_EQ(data.wVersion, MAKEWORD(2, 2), "D WSAStartup");
    CHECK_EQ(data.wHighVersion, MAKEWORD(2, 2), "D WSAStartup");
    CHECK_EQ(WSACleanup(), 0, "D WSACleanup");

    memset(&data, 0, sizeof data);
    CHECK_EQ(WSAStartup(MAKEWORD(3, 0), &data), 0, "D WSAStartup: a higher version gets the highest there is");
    CHECK_EQ(data.wVersion, MAKEWORD(2, 2), "D WSAStartup");
    CHECK_EQ(WSACleanup(), 0, "D WSACleanup");

    memset(&data, 0, sizeof data);
    CHECK_EQ(WSAStartup(MAKEWORD(1, 1), &data), 0, "D WSAStartup");
    CHECK_EQ(data.wVersion, MAKEWORD(1, 1), "D WSAStartup: the version asked for");
    CHECK_EQ(WSACleanup(), 0, "D WSACleanup");

    CHECK_EQ(WSAStartup(MAKEWORD(0, 0), &data), WSAVERNOTSUPPORTED, "D WSAStartup");
    CHECK_FAIL(WSACleanup(), WSANOTINITIALISED, "D WSACleanup: a failed WSAStartup does not count");
    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), NULL), WSAEFAULT, "D WSAStartup");
    CHECK_FAIL(WSACleanup(), WSANOTINITIALISED, "D WSACleanup");
}

static void counting(void)
{
    const struct extensions *e;
    WSADATA data;
    SOCKET s;

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0, "D WSAStartup");
    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0, "D WSAStartup");
    s = bound_socket();
    e = ext();
    CHECK_EQ(WSACleanup(), 0, "D WSACleanup");
    name_of(s); /* the first of two: nothing changes */
    CHECK_EQ(listen(s, 5), 0, "T test_WithWSAStartup");
    CHECK_EQ(WSACleanup(), 0, "D WSACleanup");
    all_refused(s);
    extension_functions_refused(e);
    CHECK_FAIL(WSACleanup(), WSANOTINITIALISED, "D WSACleanup");

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0, "D WSAStartup");
    CHECK_FAIL(closesocket(s), WSAENOTSOCK, "T test_WithWSAStartup: sockets die at the last WSACleanup");
    CHECK_FAIL(send(s, "", 0, 0), WSAENOTSOCK, "T test_WithWSAStartup");
    s = bound_socket();
    CHECK_EQ(closesocket(s), 0, "D WSAStartup: after the last WSACleanup it may start again");
    CHECK_EQ(WSACleanup(), 0, "D WSACleanup");
}

/* The last WSACleanup ends the operations that are pending. */
static void cleanup_with_pending_receive(void)
{
    WSADATA data;
    SOCKET client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();
    DWORD bytes = 0, flags = 0;
    char buffer[16];
    WSABUF space;

    REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    tcp_pair(&client, &server);
    ov_init(&ov, event);
    space.buf = buffer;
    space.len = sizeof buffer;
    CHECK_WSA_PENDS(WSARecv(client, &space, 1, &bytes, &flags, &ov, NULL), "D WSARecv");
    CHECK_EQ(WSACleanup(), 0, "D WSACleanup");
    CHECK(is_set(event, CHECK_WAIT_MS), "D WSACleanup: pending overlapped operations are cancelled");
    CHECK((DWORD)ov.Internal == ST_CANCELLED || (DWORD)ov.Internal == ST_CONNECTION_ABORTED
          || (DWORD)ov.Internal == ST_LOCAL_DISCONNECT, "D WSACleanup; the statuses of T test_iocp");
    CloseHandle(event);
}

int main(void)
{
    check_begin_bare("startup");
    all_refused(5);
    CHECK_FAIL(WSACleanup(), WSANOTINITIALISED, "D WSACleanup");
    free_for_all();
    versions();
    counting();
    cleanup_with_pending_receive();
    return check_end_bare();
}
