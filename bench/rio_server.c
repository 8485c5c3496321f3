/*
 * The server by Registered I/O: portable Winsock, one completion queue, which tells a completion port that it has something.
 *
 *     rio_server SIZE
 *
 * Listens on a loopback port of the system's choice, prints the port, and echoes on every connection until its peer closes. A
 * second thread accepts. The memory of all connections is registered once; a connection has one request under way at any time.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BACKLOG = 511, MOST = 256, RESULTS = 64 };

enum { RECEIVED = 1, SENT = 2 };

struct connection {
    RIO_RQ requests;
    SOCKET socket;
    RIO_BUF buffer;
};

static RIO_EXTENSION_FUNCTION_TABLE rio;
static RIO_CQ completions;
static RIO_BUFFERID memory;
static SOCKET listener;
static DWORD buffer_size;
static struct connection connections[MOST];

static void check(int good, const char *what) {
    if (!good) {
        fprintf(stderr, "rio_server: %s: error %d\n", what, WSAGetLastError());
        exit(1);
    }
}

static void receive(struct connection *c) {
    c->buffer.Length = buffer_size;
    check(rio.RIOReceive(c->requests, &c->buffer, 1, 0, (PVOID)(ULONG_PTR)RECEIVED), "RIOReceive");
}

static void echo(struct connection *c, ULONG octets) {
    c->buffer.Length = octets;
    check(rio.RIOSend(c->requests, &c->buffer, 1, 0, (PVOID)(ULONG_PTR)SENT), "RIOSend");
}

static void completed(const RIORESULT *result) {
    struct connection *c = (struct connection *)(ULONG_PTR)result->SocketContext;
    if (result->Status != 0 || result->BytesTransferred == 0) {
        closesocket(c->socket);
        c->socket = INVALID_SOCKET;
    } else if (result->RequestContext == RECEIVED) {
        echo(c, result->BytesTransferred);
    } else {
        receive(c);
    }
}

static void serve(HANDLE port) {
    static RIORESULT results[RESULTS];
    for (;;) {
        OVERLAPPED *mark;
        ULONG_PTR key;
        DWORD bytes;
        ULONG count;
        check(rio.RIONotify(completions) == ERROR_SUCCESS, "RIONotify");
        check(GetQueuedCompletionStatus(port, &bytes, &key, &mark, INFINITE), "GetQueuedCompletionStatus");
        while ((count = rio.RIODequeueCompletion(completions, results, RESULTS)) > 0) {
            check(count != RIO_CORRUPT_CQ, "RIODequeueCompletion");
            for (ULONG n = 0; n < count; n++)
                completed(&results[n]);
        }
    }
}

static DWORD WINAPI accept_all(void *unused) {
    (void)unused;
    for (int n = 0; n < MOST; n++) {
        struct connection *c = &connections[n];
        c->socket = accept(listener, NULL, NULL);
        check(c->socket != INVALID_SOCKET, "accept");
        c->buffer.BufferId = memory;
        c->buffer.Offset = n * buffer_size;
        c->requests = rio.RIOCreateRequestQueue(c->socket, 1, 1, 1, 1, completions, completions, c);
        check(c->requests != RIO_INVALID_RQ, "RIOCreateRequestQueue");
        receive(c);
    }
    return 0;
}

static void listen_on_loopback(void) {
    struct sockaddr_in address;
    int length = sizeof address, on = 1;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_REGISTERED_IO); /* accepted ones are as it is */
    check(listener != INVALID_SOCKET, "WSASocket");
    check(setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof on) == 0, "TCP_NODELAY");
    check(bind(listener, (struct sockaddr *)&address, length) == 0, "bind");
    check(listen(listener, BACKLOG) == 0, "listen");
    check(getsockname(listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
    printf("%d\n", ntohs(address.sin_port));
}

int main(int argc, char **argv) {
    GUID id = WSAID_MULTIPLE_RIO;
    RIO_NOTIFICATION_COMPLETION how;
    OVERLAPPED mark;
    WSADATA data;
    DWORD bytes;
    char *all;
    buffer_size = argc == 2 ? 2 * strtoul(argv[1], NULL, 10) : 0; /* as epoll_server */
    if (buffer_size == 0) {
        fprintf(stderr, "usage: rio_server SIZE\n");
        return 2;
    }
    check(WSAStartup(MAKEWORD(2, 2), &data) == 0, "WSAStartup");
    listen_on_loopback();
    check(WSAIoctl(listener, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &rio, sizeof rio, &bytes, NULL, NULL) == 0,
          "SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER");
    all = malloc((size_t)MOST * buffer_size);
    check(all != NULL, "malloc");
    memory = rio.RIORegisterBuffer(all, MOST * buffer_size);
    check(memory != RIO_INVALID_BUFFERID, "RIORegisterBuffer");
    memset(&how, 0, sizeof how);
    how.Type = RIO_IOCP_COMPLETION;
    how.Iocp.IocpHandle = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    how.Iocp.Overlapped = &mark;
    completions = rio.RIOCreateCompletionQueue(2 * MOST, &how);
    check(completions != RIO_INVALID_CQ, "RIOCreateCompletionQueue");
    check(CreateThread(NULL, 0, accept_all, NULL, 0, NULL) != NULL, "CreateThread");
    fflush(stdout); /* the port: only now is everything ready */
    serve(how.Iocp.IocpHandle);
    return 0;
}
