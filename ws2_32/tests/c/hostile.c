/*
 * hostile.c - pointers that lead nowhere and handles that are none: an error each time, and everything goes on.
 */
#include "check.h"
#include <mstcpip.h>
#ifndef __MINGW32__
#include <sys/mman.h>
#endif

static const char *const P = "D each page, design 8: WSAEFAULT";
static const char *const H = "D each page, design 8: WSAENOTSOCK";

/* Addresses that no process has: near nothing, in the hole of the address space, and at its end. */
static void *const nowhere[] = {
    (void *)16, (void *)(ULONG_PTR)0x00007ffffffffff0ull, (void *)(ULONG_PTR)0xdead000000000000ull,
    (void *)(ULONG_PTR)0xfffffffffffffff8ull,
};

#ifndef __MINGW32__
/* Memory with a hole between its first octet and its last: nothing of it is sent. */
static void memory_with_a_hole(void)
{
    enum { PART = 64 << 10 };
    SOCKET client, server;
    char *all = mmap(NULL, 3 * PART, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    WSABUF buffer = {3 * PART, all};
    OVERLAPPED ov;
    DWORD sent;
    char octet;

    REQUIRE(all != MAP_FAILED && munmap(all + PART, PART) == 0);
    tcp_pair(&client, &server);
    CHECK_FAIL(send(client, all, 3 * PART, 0), WSAEFAULT, P);
    ov_init(&ov, NULL);
    CHECK_FAIL(WSASend(client, &buffer, 1, &sent, 0, &ov, NULL), WSAEFAULT, P);
    CHECK_EQ(send(client, "1", 1, 0), 1, "SECURITY: a refused call changes nothing");
    CHECK_EQ(recv(server, &octet, 1, 0), 1, "SECURITY: a refused call changes nothing");
    CHECK_EQ(octet, '1', "SECURITY: a refused call changes nothing");
    close_both(client, server);
    munmap(all, PART);
    munmap(all + 2 * PART, PART);
}
#endif

static void pointers_to_names(void *bad)
{
    struct sockaddr_in at, name;
    SOCKET l = listener(&at), fresh = tcp_socket(), bound = bound_socket(), client, server;
    int length = sizeof name;
    OVERLAPPED ov;
    DWORD bytes;

    ov_init(&ov, NULL);
    CHECK_FAIL(bind(fresh, bad, sizeof name), WSAEFAULT, P);
    CHECK_FAIL(connect(fresh, bad, sizeof name), WSAEFAULT, P);
    CHECK_FALSE(ext()->connect_ex(bound, bad, sizeof name, NULL, 0, &bytes, &ov), WSAEFAULT, P);
    CHECK_EQ(connect(fresh, (struct sockaddr *)&at, sizeof at), 0, "D connect: and then it works");
    CHECK(readable(l, CHECK_WAIT_MS), "setup");
    CHECK_CALL(accept(l, bad, &length), INVALID_SOCKET, WSAEFAULT, P);
    closesocket(fresh);
    fresh = tcp_socket();
    CHECK_EQ(connect(fresh, (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK(readable(l, CHECK_WAIT_MS), "setup");
    CHECK_CALL(accept(l, (struct sockaddr *)&name, bad), INVALID_SOCKET, WSAEFAULT, P);
    closesocket(fresh);

    tcp_pair(&client, &server);
    length = sizeof name;
    CHECK_FAIL(getsockname(client, bad, &length), WSAEFAULT, P);
    CHECK_FAIL(getsockname(client, (struct sockaddr *)&name, bad), WSAEFAULT, P);
    CHECK_FAIL(getpeername(client, bad, &length), WSAEFAULT, P);
    CHECK_FAIL(getpeername(client, (struct sockaddr *)&name, bad), WSAEFAULT, P);
    check_transfer(client, server, "design 8: the connection still works");
    close_both(client, server);
    close_both(l, bound);
}

static void pointers_to_options(void *bad)
{
    GUID id = WSAID_DISCONNECTEX;
    LPFN_DISCONNECTEX function;
    SOCKET client, server;
    int value = 0, length = sizeof value;
    volatile int status = 0;
    struct timeval now = { 0, 0 };
    DWORD bytes = 0;

    tcp_pair(&client, &server);
    CHECK_FAIL(getsockopt(client, SOL_SOCKET, SO_KEEPALIVE, bad, &length), WSAEFAULT, P);
    CHECK_FAIL(getsockopt(client, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, bad), WSAEFAULT, P);
    CHECK_FAIL(setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, bad, sizeof value), WSAEFAULT, P);
    CHECK_FAIL(setsockopt(client, SOL_SOCKET, SO_LINGER, bad, sizeof(struct linger)), WSAEFAULT, P);
    CHECK_FAIL(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, bad, sizeof value), WSAEFAULT, P);
    CHECK_FAIL(ioctlsocket(client, FIONBIO, bad), WSAEFAULT, P);
    CHECK_FAIL(ioctlsocket(client, FIONREAD, bad), WSAEFAULT, P);
    CHECK_FAIL(WSAIoctl(client, SIO_GET_EXTENSION_FUNCTION_POINTER, bad, sizeof id, &function, sizeof function, &bytes,
                        NULL, NULL), WSAEFAULT, P);
    CHECK_FAIL(WSAIoctl(client, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, bad, sizeof function, &bytes,
                        NULL, NULL), WSAEFAULT, P);
    CHECK_FAIL(WSAIoctl(client, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &function, sizeof function, bad,
                        NULL, NULL), WSAEFAULT, P);
    CHECK_FAIL(WSAIoctl(client, SIO_KEEPALIVE_VALS, bad, 12, NULL, 0, &bytes, NULL, NULL), WSAEFAULT, P);
    CHECK_FAIL(select(0, bad, NULL, NULL, &now), WSAEFAULT, P);
    CHECK_FAIL(select(0, NULL, bad, NULL, &now), WSAEFAULT, P);
    CHECK_FAIL(select(0, NULL, NULL, bad, &now), WSAEFAULT, P);
    {
        fd_set set;

        FD_ZERO(&set);
        FD_SET(client, &set);
        CHECK_FAIL(select(0, &set, NULL, NULL, bad), WSAEFAULT, P);
    }
    CHECK_FAIL(WSAPoll(bad, 1, 0), WSAEFAULT, P);
    CHECK_GUARDED(status = WSAStartup(MAKEWORD(2, 2), bad));
    CHECK_EQ(status, WSAEFAULT, "D WSAStartup");
    check_transfer(client, server, "design 8: the connection still works");
    close_both(client, server);
}

static void pointers_to_data(void *bad)
{
    SOCKET client, server;
    OVERLAPPED ov;
    HANDLE event = new_event();
    char good[16];
    WSABUF buf, wrong;
    DWORD bytes = 0, flags = 0;

    buf.buf = good;
    buf.len = sizeof good;
    wrong.buf = bad;
    wrong.len = 16;
    ov_init(&ov, event);
    tcp_pair(&client, &server);
    CHECK_FAIL(send(client, bad, 16, 0), WSAEFAULT, P);
    CHECK_FAIL(WSASend(client, bad, 1, &bytes, 0, NULL, NULL), WSAEFAULT, P);
    CHECK_FAIL(WSASend(client, &wrong, 1, &bytes, 0, NULL, NULL), WSAEFAULT, P);
    CHECK_FAIL(WSASend(client, &wrong, 1, NULL, 0, &ov, NULL), WSAEFAULT, P);
    CHECK_FAIL(WSASend(client, &buf, 1, bad, 0, NULL, NULL), WSAEFAULT, P);
    CHECK_FAIL(WSASend(client, &buf, 1, NULL, 0, bad, NULL), WSAEFAULT, P);
    check_transfer(client, server, "design 8: nothing was sent, and the connection works");

    CHECK_EQ(send(server, "hello", 5, 0), 5, "setup"); /* so that no receive has to wait */
    CHECK(readable(client, CHECK_WAIT_MS), "setup");
    CHECK_FAIL(recv(client, bad, 16, 0), WSAEFAULT, P);
    CHECK_FAIL(WSARecv(client, bad, 1, &bytes, &flags, NULL, NULL), WSAEFAULT, P);
    CHECK_FAIL(WSARecv(client, &wrong, 1, &bytes, &flags, NULL, NULL), WSAEFAULT, P);
    CHECK_FAIL(WSARecv(client, &wrong, 1, NULL, &flags, &ov, NULL), WSAEFAULT, P);
    CHECK_FAIL(WSARecv(client, &buf, 1, &bytes, bad, NULL, NULL), WSAEFAULT, P);
    CHECK_FAIL(WSARecv(client, &buf, 1, &bytes, NULL, NULL, NULL), WSAEFAULT, "D WSARecv: flags are needed");
    CHECK_FAIL(WSARecv(client, &buf, 1, bad, &flags, NULL, NULL), WSAEFAULT, P);
    CHECK_FAIL(WSARecv(client, &buf, 1, NULL, &flags, bad, NULL), WSAEFAULT, P);
    CHECK_EQ(recv(client, good, sizeof good, 0), 5, "design 8: nothing was lost");
    CHECK(memcmp(good, "hello", 5) == 0, "design 8: nothing was lost");
    check_transfer(server, client, "design 8: the connection still works");
    close_both(client, server);
    CloseHandle(event);
}

static void pointers_to_overlapped(void *bad)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), acceptor = tcp_socket(), connector = bound_socket(), client, server;
    char buffer[2 * ADDRESS_SIZE];
    OVERLAPPED ov;
    DWORD bytes = 0, flags = 0;

    tcp_pair(&client, &server);
    ov_init(&ov, NULL);
    CHECK_FALSE(ext()->disconnect_ex(client, bad, 0, 0), WSAEFAULT, "S 000");
    CHECK_FALSE(ext()->disconnect_ex(client, bad, TF_REUSE_SOCKET, 0), WSAEFAULT, "S 000");
    CHECK_FALSE(ext()->accept_ex(l, acceptor, buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, bad), WSAEFAULT, P);
    CHECK_FALSE(ext()->accept_ex(l, acceptor, bad, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ov), WSAEFAULT, P);
    CHECK_FALSE(ext()->accept_ex(l, acceptor, buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, bad, &ov), WSAEFAULT, P);
    CHECK_FALSE(ext()->connect_ex(connector, (struct sockaddr *)&at, sizeof at, NULL, 0, &bytes, bad), WSAEFAULT, P);
    CHECK_FALSE(ext()->connect_ex(connector, (struct sockaddr *)&at, sizeof at, bad, 16, &bytes, &ov), WSAEFAULT, P);
    CHECK_FALSE(WSAGetOverlappedResult(client, bad, &bytes, FALSE, &flags), WSAEFAULT, "D WSAGetOverlappedResult");
    CHECK_FALSE(WSAGetOverlappedResult(client, &ov, bad, FALSE, &flags), WSAEFAULT, "D WSAGetOverlappedResult");
    CHECK_FALSE(WSAGetOverlappedResult(client, &ov, &bytes, FALSE, bad), WSAEFAULT, "D WSAGetOverlappedResult");
    CHECK_FALSE(CancelIoEx((HANDLE)client, bad), ERROR_NOT_FOUND, "D CancelIoEx: only compared");
    check_transfer(client, server, "design 8: the connection still works");
    CHECK(ex_connect(l, acceptor, connector), "design 8: the handles are as they were");
    close_both(client, server);
    close_both(acceptor, connector);
    closesocket(l);
}

/* Every call that takes a socket refuses this one. */
static void every_call_refuses(SOCKET s)
{
    struct sockaddr_in address = loopback(htons(1));
    char buffer[2 * ADDRESS_SIZE];
    int length = sizeof address, value = 0, size = sizeof value;
    DWORD bytes = 0, flags = 0;
    u_long mode = 1;
    WSABUF data;
    OVERLAPPED ov;
    GUID id = WSAID_DISCONNECTEX;
    LPFN_DISCONNECTEX function = NULL;
    struct timeval now = { 0, 0 };
    WSAPOLLFD fd;
    fd_set set;
    SOCKET acceptor;

    data.buf = buffer;
    data.len = sizeof buffer;
    ov_init(&ov, NULL);
    CHECK_FAIL(bind(s, (struct sockaddr *)&address, sizeof address), WSAENOTSOCK, H);
    CHECK_FAIL(listen(s, 1), WSAENOTSOCK, H);
    CHECK_CALL(accept(s, NULL, NULL), INVALID_SOCKET, WSAENOTSOCK, H);
    CHECK_CALL(WSAAccept(s, NULL, NULL, NULL, 0), INVALID_SOCKET, WSAENOTSOCK, H);
    CHECK_FAIL(connect(s, (struct sockaddr *)&address, sizeof address), WSAENOTSOCK, H);
    CHECK_FAIL(WSAConnect(s, (struct sockaddr *)&address, sizeof address, NULL, NULL, NULL, NULL), WSAENOTSOCK, H);
    CHECK_FAIL(send(s, buffer, 1, 0), WSAENOTSOCK, H);
    CHECK_FAIL(recv(s, buffer, 1, 0), WSAENOTSOCK, H);
    CHECK_FAIL(WSASend(s, &data, 1, NULL, 0, &ov, NULL), WSAENOTSOCK, H);
    CHECK_FAIL(WSARecv(s, &data, 1, NULL, &flags, &ov, NULL), WSAENOTSOCK, H);
    CHECK_FAIL(shutdown(s, SD_BOTH), WSAENOTSOCK, H);
    CHECK_FAIL(getsockname(s, (struct sockaddr *)&address, &length), WSAENOTSOCK, H);
    CHECK_FAIL(getpeername(s, (struct sockaddr *)&address, &length), WSAENOTSOCK, H);
    CHECK_FAIL(getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&value, &size), WSAENOTSOCK, H);
    CHECK_FAIL(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, sizeof value), WSAENOTSOCK, H);
    CHECK_FAIL(ioctlsocket(s, FIONBIO, &mode), WSAENOTSOCK, H);
    CHECK_FAIL(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &function, sizeof function, &bytes,
                        NULL, NULL), WSAENOTSOCK, H);
    CHECK_FALSE(ext()->disconnect_ex(s, &ov, 0, 0), WSAENOTSOCK, H);
    CHECK_FALSE(ext()->connect_ex(s, (struct sockaddr *)&address, sizeof address, NULL, 0, &bytes, &ov), WSAENOTSOCK,
                H);
    acceptor = tcp_socket();
    CHECK_FALSE(ext()->accept_ex(s, acceptor, buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ov), WSAENOTSOCK, H);
    CHECK_EQ(closesocket(acceptor), 0, H);
    CHECK_FALSE(WSAGetOverlappedResult(s, &ov, &bytes, FALSE, &flags), WSAENOTSOCK, H);
    FD_ZERO(&set);
    FD_SET(s, &set);
    CHECK_FAIL(select(0, &set, NULL, NULL, &now), WSAENOTSOCK, H);
    fd.fd = s;
    fd.events = POLLIN;
    fd.revents = 0;
    WSAPoll(&fd, 1, 0);
    CHECK_EQ(fd.revents, POLLNVAL, "T test_WSAPoll");
    CHECK_FAIL(closesocket(s), WSAENOTSOCK, H);
}

static DWORD WINAPI nothing(void *unused)
{
    (void)unused;
    return 0;
}

static void handles_of_another_kind(void)
{
    HANDLE event = new_event(), port = new_port(), thread = CreateThread(NULL, 0, nothing, NULL, 0, NULL);
    SOCKET gone = tcp_socket();

    every_call_refuses((SOCKET)(ULONG_PTR)event);
    every_call_refuses((SOCKET)(ULONG_PTR)port);
    every_call_refuses((SOCKET)(ULONG_PTR)thread);
    every_call_refuses(INVALID_SOCKET);
    every_call_refuses(0);
    closesocket(gone);
    CHECK_FAIL(send(gone, "x", 1, 0), WSAENOTSOCK, H);
    CHECK_FAIL(closesocket(gone), WSAENOTSOCK, H);
    CHECK(SetEvent(event) && is_set(event, 0), "T test_valid_handle: the event is untouched");
    CHECK(PostQueuedCompletionStatus(port, 1, 2, NULL), "T test_valid_handle: the port is untouched");
    CHECK(is_set(thread, CHECK_WAIT_MS), "T test_valid_handle: the thread is untouched");
    CHECK(CloseHandle(event) && CloseHandle(port) && CloseHandle(thread), "D CloseHandle");
    CHECK_FALSE(CloseHandle(event), ERROR_INVALID_HANDLE, "D CloseHandle");
    CHECK_FALSE(CloseHandle(NULL), ERROR_INVALID_HANDLE, "D CloseHandle");
}

/* A handle that was closed stays dead when others take its place. */
static void stale(void)
{
    SOCKET old = tcp_socket(), young[64];
    BOOL taken = FALSE;
    int i;

    closesocket(old);
    for (i = 0; i < 64; i++) {
        young[i] = tcp_socket();
        taken = taken || young[i] == old;
    }
    if (!taken) /* Windows may give the same number out again */
        CHECK_FAIL(closesocket(old), WSAENOTSOCK, "choice design 5: a stale handle names nothing");
    for (i = 0; i < 64; i++)
        CHECK_EQ(closesocket(young[i]), 0, "choice design 5");
}

/* Numbers out of the air, none of them in the range of real handles. */
static void random_handles(void)
{
    ULONGLONG state = 88172645463325252ull;
    SOCKET client, server;
    OVERLAPPED ov;
    int i, wrong = 0;

    tcp_pair(&client, &server);
    ov_init(&ov, NULL);
    for (i = 0; i < 5000; i++) {
        SOCKET s;

        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        s = (SOCKET)(state | 0x40000000u);
        if (s == client || s == server)
            continue;
        wrong += send(s, "x", 1, 0) != SOCKET_ERROR || WSAGetLastError() != WSAENOTSOCK;
        wrong += closesocket(s) != SOCKET_ERROR || WSAGetLastError() != WSAENOTSOCK;
        wrong += ext()->disconnect_ex(s, &ov, TF_REUSE_SOCKET, 0) || WSAGetLastError() != WSAENOTSOCK;
        wrong += SetEvent((HANDLE)s) || GetLastError() != ERROR_INVALID_HANDLE;
    }
    CHECK_EQ(wrong, 0, H);
    check_transfer(client, server, "design 8: the connection still works");
    close_both(client, server);
}

int main(void)
{
    unsigned i;

    check_begin("hostile");
    for (i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        pointers_to_names(nowhere[i]);
        pointers_to_options(nowhere[i]);
        pointers_to_data(nowhere[i]);
        pointers_to_overlapped(nowhere[i]);
    }
#ifndef __MINGW32__
    memory_with_a_hole();
#endif
    handles_of_another_kind();
    stale();
    random_handles();
    return check_end();
}
