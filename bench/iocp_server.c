/*
 * The server under test: portable Winsock, one completion port.
 *
 *     iocp_server SIZE THREADS close|reuse [plain]        SIZE: bytes in a message; THREADS: that wait on the port
 *
 * Listens on a loopback port of the system's choice, prints the port, and echoes on every connection until its peer closes.
 * Then "close" does closesocket and gives AcceptEx a new socket; "reuse" does DisconnectEx(TF_REUSE_SOCKET) and gives AcceptEx the
 * same handle again. A fixed pool of connections goes round: AcceptEx, WSARecv, WSASend, WSARecv, ..., end, AcceptEx.
 *
 * What is over when its call returns goes on at once and makes no packet, and packets are taken 16 at a time, as epoll_server
 * tries before it waits and takes 16 events at a time. With "plain" it does neither: every end is a packet, and each is taken by a
 * call of its own, as most programs were written before Windows Vista and many are still.
 *
 * Same backlog, same TCP_NODELAY, same buffer size as epoll_server, one buffer for each connection in both.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BACKLOG = 511, POOL = 128, PACKETS = 16, ADDRESS = sizeof(struct sockaddr_in) + 16 };

/* A connection has one operation under way at any time, so it needs one OVERLAPPED, and only one thread ever works on it. */
struct connection {
    OVERLAPPED overlapped;
    enum { ACCEPTING, RECEIVING, SENDING, DISCONNECTING } step;
    SOCKET socket;
    char addresses[2 * ADDRESS];
    char *buffer;
};

static HANDLE port;
static SOCKET listener;
static DWORD buffer_size;
static int reuse, plain;
static LPFN_ACCEPTEX accept_ex;
static LPFN_DISCONNECTEX disconnect_ex;

static void check(int good, const char *what) {
    if (!good) {
        fprintf(stderr, "iocp_server: %s: error %d\n", what, WSAGetLastError());
        exit(1);
    }
}

enum outcome { PENDING, DONE, FAILED }; /* PENDING: a packet comes */

/* Of an overlapped call; its packet comes if it is pending, and in a plain server if it succeeded at once. */
static enum outcome outcome(int success) {
    if (success)
        return plain ? PENDING : DONE;
    return WSAGetLastError() == ERROR_IO_PENDING ? PENDING : FAILED;
}

static void start(struct connection *c, int step) {
    memset(&c->overlapped, 0, sizeof c->overlapped);
    c->step = step;
}

static enum outcome post_accept(struct connection *c) {
    DWORD received;
    enum outcome accept;
    start(c, ACCEPTING);
    accept = outcome(accept_ex(listener, c->socket, c->addresses, 0, ADDRESS, ADDRESS, &received, &c->overlapped));
    check(accept != FAILED, "AcceptEx");
    return accept;
}

static void open_socket(struct connection *c) {
    c->socket = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    check(c->socket != INVALID_SOCKET, "WSASocket");
    check(CreateIoCompletionPort((HANDLE)c->socket, port, 0, 0) == port, "CreateIoCompletionPort");
    if (!plain)
        check(SetFileCompletionNotificationModes((HANDLE)c->socket, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE),
              "SetFileCompletionNotificationModes");
}

static enum outcome replace(struct connection *c) {
    closesocket(c->socket);
    open_socket(c);
    return post_accept(c);
}

static enum outcome post_receive(struct connection *c, DWORD *bytes) {
    WSABUF buffer = {buffer_size, c->buffer};
    DWORD flags = 0;
    start(c, RECEIVING);
    return outcome(WSARecv(c->socket, &buffer, 1, plain ? NULL : bytes, &flags, &c->overlapped, NULL) == 0);
}

static enum outcome post_send(struct connection *c, DWORD *bytes) {
    WSABUF buffer = {*bytes, c->buffer};
    start(c, SENDING);
    return outcome(WSASend(c->socket, &buffer, 1, plain ? NULL : bytes, 0, &c->overlapped, NULL) == 0);
}

static enum outcome post_disconnect(struct connection *c) {
    start(c, DISCONNECTING);
    return outcome(disconnect_ex(c->socket, &c->overlapped, TF_REUSE_SOCKET, 0));
}

/* An operation has moved so many bytes: begin the next one, which tells its own if it is over at once. */
static enum outcome next(struct connection *c, DWORD *bytes) {
    switch (c->step) {
    case ACCEPTING:
        check(setsockopt(c->socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&listener, sizeof listener) == 0,
              "SO_UPDATE_ACCEPT_CONTEXT");
        return post_receive(c, bytes);
    case RECEIVING:
        if (*bytes > 0)
            return post_send(c, bytes);
        return reuse ? post_disconnect(c) : replace(c);
    case SENDING:
        return post_receive(c, bytes);
    case DISCONNECTING:
        return post_accept(c);
    }
    return FAILED;
}

/* Goes on until a packet is to come. After that the connection may already belong to another thread. */
static void advance(struct connection *c, enum outcome outcome, DWORD bytes) {
    while (outcome != PENDING)
        outcome = outcome == DONE ? next(c, &bytes) : replace(c);
}

static void completed(OVERLAPPED *overlapped, int success, DWORD bytes) {
    advance(CONTAINING_RECORD(overlapped, struct connection, overlapped), success ? DONE : FAILED, bytes);
}

static int take_one(void) {
    OVERLAPPED *overlapped;
    DWORD bytes;
    ULONG_PTR key;
    BOOL success = GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, INFINITE);
    check(overlapped != NULL, "GetQueuedCompletionStatus");
    completed(overlapped, success, bytes);
    return 1;
}

static int take_some(void) {
    OVERLAPPED_ENTRY packets[PACKETS];
    ULONG count;
    check(GetQueuedCompletionStatusEx(port, packets, PACKETS, &count, INFINITE, FALSE), "GetQueuedCompletionStatusEx");
    for (ULONG i = 0; i < count; i++) /* Internal: an NTSTATUS, whose highest bit says that it failed */
        completed(packets[i].lpOverlapped, (LONG)packets[i].Internal >= 0, packets[i].dwNumberOfBytesTransferred);
    return (int)count;
}

static DWORD WINAPI work(void *unused) {
    int taken;
    (void)unused;
    do
        taken = plain ? take_one() : take_some();
    while (taken > 0); /* always: a server runs until it is killed */
    return 0;
}

static void listen_on_loopback(void) {
    struct sockaddr_in address;
    int length = sizeof address, on = 1;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    check(listener != INVALID_SOCKET, "WSASocket");
    check(setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof on) == 0, "TCP_NODELAY"); /* accepted sockets inherit it */
    check(bind(listener, (struct sockaddr *)&address, length) == 0, "bind");
    check(listen(listener, BACKLOG) == 0, "listen");
    check(getsockname(listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
    check(CreateIoCompletionPort((HANDLE)listener, port, 0, 0) == port, "CreateIoCompletionPort");
    printf("%d\n", ntohs(address.sin_port));
}

static void load_extension(GUID id, void *function) {
    DWORD bytes;
    check(WSAIoctl(listener, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, function, sizeof(void *), &bytes, NULL, NULL) == 0,
          "SIO_GET_EXTENSION_FUNCTION_POINTER");
}

int main(int argc, char **argv) {
    static const GUID accept_ex_id = WSAID_ACCEPTEX, disconnect_ex_id = WSAID_DISCONNECTEX;
    DWORD size = argc >= 4 ? strtoul(argv[1], NULL, 10) : 0;
    int threads = argc >= 4 ? atoi(argv[2]) : 0;
    plain = argc == 5 && strcmp(argv[4], "plain") == 0;
    if (size == 0 || threads <= 0 || argc > 5 || (argc == 5 && !plain)) {
        fprintf(stderr, "usage: iocp_server SIZE THREADS close|reuse [plain]\n");
        return 2;
    }
    buffer_size = 2 * size; /* as epoll_server */
    reuse = strcmp(argv[3], "reuse") == 0;

    WSADATA data;
    check(WSAStartup(MAKEWORD(2, 2), &data) == 0, "WSAStartup");
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    check(port != NULL, "CreateIoCompletionPort");
    listen_on_loopback();
    load_extension(accept_ex_id, &accept_ex);
    load_extension(disconnect_ex_id, &disconnect_ex);
    for (int i = 0; i < POOL; i++) {
        struct connection *c = malloc(sizeof *c);
        char *buffer = malloc(buffer_size);
        if (c == NULL || buffer == NULL)
            abort();
        c->buffer = buffer;
        open_socket(c);
        advance(c, post_accept(c), 0);
    }
    fflush(stdout); /* the port: only now is everything ready */
    for (int i = 1; i < threads; i++)
        check(CreateThread(NULL, 0, work, NULL, 0, NULL) != NULL, "CreateThread");
    work(NULL);
    return 0;
}
