/*
 * The server under test: portable Winsock, one completion port.
 *
 *     iocp_server SIZE THREADS close|reuse        SIZE: bytes in a message; THREADS: that wait on the port
 *
 * Listens on a loopback port of the system's choice, prints the port, and echoes on every connection until its peer closes.
 * Then "close" does closesocket and gives AcceptEx a new socket; "reuse" does DisconnectEx(TF_REUSE_SOCKET) and gives AcceptEx the
 * same handle again. A fixed pool of connections goes round: AcceptEx, WSARecv, WSASend, WSARecv, ..., end, AcceptEx.
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

enum { BACKLOG = 511, POOL = 128, ADDRESS = sizeof(struct sockaddr_in) + 16 };

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
static int reuse;
static LPFN_ACCEPTEX accept_ex;
static LPFN_DISCONNECTEX disconnect_ex;

static void check(int good, const char *what) {
    if (!good) {
        fprintf(stderr, "iocp_server: %s: error %d\n", what, WSAGetLastError());
        exit(1);
    }
}

/* An overlapped call has been accepted if it succeeded at once or is pending; its packet comes in both cases. */
static int accepted(int success) {
    return success || WSAGetLastError() == ERROR_IO_PENDING;
}

static void start(struct connection *c, int step) {
    memset(&c->overlapped, 0, sizeof c->overlapped);
    c->step = step;
}

static void post_accept(struct connection *c) {
    DWORD received;
    start(c, ACCEPTING);
    check(accepted(accept_ex(listener, c->socket, c->addresses, 0, ADDRESS, ADDRESS, &received, &c->overlapped)), "AcceptEx");
}

static void open_and_accept(struct connection *c) {
    c->socket = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    check(c->socket != INVALID_SOCKET, "WSASocket");
    check(CreateIoCompletionPort((HANDLE)c->socket, port, 0, 0) == port, "CreateIoCompletionPort");
    post_accept(c);
}

static void replace(struct connection *c) {
    closesocket(c->socket);
    open_and_accept(c);
}

static void post_receive(struct connection *c) {
    WSABUF buffer = {buffer_size, c->buffer};
    DWORD flags = 0;
    start(c, RECEIVING);
    if (!accepted(WSARecv(c->socket, &buffer, 1, NULL, &flags, &c->overlapped, NULL) == 0))
        replace(c);
}

static void post_send(struct connection *c, DWORD length) {
    WSABUF buffer = {length, c->buffer};
    start(c, SENDING);
    if (!accepted(WSASend(c->socket, &buffer, 1, NULL, 0, &c->overlapped, NULL) == 0))
        replace(c);
}

static void post_disconnect(struct connection *c) {
    start(c, DISCONNECTING);
    if (!accepted(disconnect_ex(c->socket, &c->overlapped, TF_REUSE_SOCKET, 0)))
        replace(c);
}

/* The operation is over: begin the next one. After that the connection may already belong to another thread. */
static void completed(struct connection *c, BOOL success, DWORD bytes) {
    if (!success) {
        replace(c);
        return;
    }
    switch (c->step) {
    case ACCEPTING:
        check(setsockopt(c->socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&listener, sizeof listener) == 0,
              "SO_UPDATE_ACCEPT_CONTEXT");
        post_receive(c);
        break;
    case RECEIVING:
        if (bytes > 0)
            post_send(c, bytes);
        else if (reuse)
            post_disconnect(c);
        else
            replace(c);
        break;
    case SENDING:
        post_receive(c);
        break;
    case DISCONNECTING:
        post_accept(c);
        break;
    }
}

static DWORD WINAPI work(void *unused) {
    OVERLAPPED *overlapped;
    (void)unused;
    do {
        DWORD bytes;
        ULONG_PTR key;
        BOOL success = GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, INFINITE);
        check(overlapped != NULL, "GetQueuedCompletionStatus");
        completed(CONTAINING_RECORD(overlapped, struct connection, overlapped), success, bytes);
    } while (overlapped != NULL); /* always: a server runs until it is killed */
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
    DWORD size = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
    int threads = argc == 4 ? atoi(argv[2]) : 0;
    if (size == 0 || threads <= 0) {
        fprintf(stderr, "usage: iocp_server SIZE THREADS close|reuse\n");
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
        open_and_accept(c);
    }
    fflush(stdout); /* the port: only now is everything ready */
    for (int i = 1; i < threads; i++)
        check(CreateThread(NULL, 0, work, NULL, 0, NULL) != NULL, "CreateThread");
    work(NULL);
    return 0;
}
