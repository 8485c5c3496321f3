/*
 * The client under test: portable Winsock, connections per second against any of the servers.
 *
 *     iocp_client PORT SIZE CONNECTIONS close|graceful|reuse SOURCES SECONDS
 *
 * Each of CONNECTIONS goes round: connect, send a message, receive it back, end, and again. How it ends is the question:
 *   close     closesocket, then a new socket
 *   graceful  shutdown(SD_SEND), receive the end of the peer's stream, closesocket, then a new socket
 *   reuse     DisconnectEx(TF_REUSE_SOCKET), which also waits for the end of the peer's stream, then ConnectEx on the same handle
 * SOURCES: 1 lets the system choose the local address; more spreads the connections over 127.0.0.1, .2, .3 ...
 *
 * Prints one line of JSON: the connections completed in SECONDS, after a fifth of that time as warm-up.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct connection {
    OVERLAPPED overlapped; /* one operation at a time */
    enum { CONNECTING, RECEIVING, FINISHING, DISCONNECTING } step;
    SOCKET socket;
    DWORD received;
    char *buffer;
};

static HANDLE port;
static struct sockaddr_in server;
static DWORD size;
static enum { CLOSE, GRACEFUL, REUSE } ending;
static unsigned long sources, opened, finished;
static char *message;
static LPFN_CONNECTEX connect_ex;
static LPFN_DISCONNECTEX disconnect_ex;

static void check(int good, const char *what) {
    if (!good) {
        fprintf(stderr, "iocp_client: %s: error %d\n", what, WSAGetLastError());
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

static void load_extension(SOCKET s, GUID id, void *function) {
    DWORD bytes;
    check(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, function, sizeof(void *), &bytes, NULL, NULL) == 0,
          "SIO_GET_EXTENSION_FUNCTION_POINTER");
}

/* ConnectEx needs a bound socket. */
static void open_socket(struct connection *c) {
    struct sockaddr_in source;
    memset(&source, 0, sizeof source);
    source.sin_family = AF_INET;
    if (sources > 1)
        source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + opened % sources);
    opened++;
    c->socket = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    check(c->socket != INVALID_SOCKET, "WSASocket");
    check(bind(c->socket, (struct sockaddr *)&source, sizeof source) == 0, "bind");
    check(CreateIoCompletionPort((HANDLE)c->socket, port, 0, 0) == port, "CreateIoCompletionPort");
}

static void post_connect(struct connection *c) {
    DWORD sent;
    c->received = 0;
    start(c, CONNECTING);
    check(accepted(connect_ex(c->socket, (struct sockaddr *)&server, sizeof server, message, size, &sent, &c->overlapped)), "ConnectEx");
}

static void post_receive(struct connection *c, int step) {
    WSABUF buffer = {2 * size, c->buffer};
    DWORD flags = 0;
    start(c, step);
    check(accepted(WSARecv(c->socket, &buffer, 1, NULL, &flags, &c->overlapped, NULL) == 0), "WSARecv");
}

static void close_and_connect(struct connection *c) {
    check(closesocket(c->socket) == 0, "closesocket");
    open_socket(c);
    post_connect(c);
}

static void end(struct connection *c) {
    finished++;
    switch (ending) {
    case CLOSE:
        close_and_connect(c);
        break;
    case GRACEFUL:
        check(shutdown(c->socket, SD_SEND) == 0, "shutdown");
        post_receive(c, FINISHING);
        break;
    case REUSE:
        start(c, DISCONNECTING);
        check(accepted(disconnect_ex(c->socket, &c->overlapped, TF_REUSE_SOCKET, 0)), "DisconnectEx");
        break;
    }
}

static void completed(struct connection *c, DWORD bytes) {
    switch (c->step) {
    case CONNECTING:
        check(setsockopt(c->socket, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0) == 0, "SO_UPDATE_CONNECT_CONTEXT");
        post_receive(c, RECEIVING);
        break;
    case RECEIVING:
        check(bytes > 0, "the server closed early");
        c->received += bytes;
        if (c->received < size)
            post_receive(c, RECEIVING);
        else
            end(c);
        break;
    case FINISHING:
        check(bytes == 0, "more than the message came back");
        close_and_connect(c);
        break;
    case DISCONNECTING:
        post_connect(c);
        break;
    }
}

static double now(void) {
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    return (double)count.QuadPart / (double)frequency.QuadPart;
}

static void run(double seconds) {
    double until = now() + seconds;
    while (now() < until) {
        DWORD bytes;
        ULONG_PTR key;
        OVERLAPPED *overlapped;
        BOOL success = GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, 5000);
        check(success, overlapped == NULL ? "nothing happened for 5 seconds" : "an operation failed");
        completed(CONTAINING_RECORD(overlapped, struct connection, overlapped), bytes);
    }
}

int main(int argc, char **argv) {
    static const GUID connect_ex_id = WSAID_CONNECTEX, disconnect_ex_id = WSAID_DISCONNECTEX;
    if (argc != 7) {
        fprintf(stderr, "usage: iocp_client PORT SIZE CONNECTIONS close|graceful|reuse SOURCES SECONDS\n");
        return 2;
    }
    WSADATA data;
    check(WSAStartup(MAKEWORD(2, 2), &data) == 0, "WSAStartup");
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    check(port != NULL, "CreateIoCompletionPort");
    server.sin_family = AF_INET;
    server.sin_port = htons((unsigned short)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size = strtoul(argv[2], NULL, 10);
    ending = strcmp(argv[4], "reuse") == 0 ? REUSE : strcmp(argv[4], "graceful") == 0 ? GRACEFUL : CLOSE;
    sources = strtoul(argv[5], NULL, 10);
    double seconds = atof(argv[6]);
    message = calloc(1, size);

    for (int i = 0; i < atoi(argv[3]); i++) {
        struct connection *c = malloc(sizeof *c);
        char *buffer = malloc(2 * size);
        if (c == NULL || buffer == NULL || message == NULL)
            abort();
        c->buffer = buffer;
        open_socket(c);
        if (i == 0) {
            load_extension(c->socket, connect_ex_id, &connect_ex);
            load_extension(c->socket, disconnect_ex_id, &disconnect_ex);
        }
        post_connect(c);
    }
    run(seconds / 5);
    unsigned long before = finished;
    double started = now();
    run(seconds);
    printf("{\"operations\": %lu, \"seconds\": %.6f}\n", finished - before, now() - started);
    return 0;
}
