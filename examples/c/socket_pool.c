/*
 * socket_pool.c - an echo server and its client that never throw a socket away.
 *
 * Creating a socket, and closing it, costs more than many a short connection carries.  So both sides keep a
 * fixed pool of socket handles and recycle each one when its connection ends:
 *
 *      server handle                               client handle
 *      -------------                               -------------
 *      AcceptEx      <---------- SYN ------------  ConnectEx
 *      WSARecv       <--------- request ---------  WSASend
 *      WSASend       ---------- echo ----------->  WSARecv, compare
 *      WSARecv = 0   <---------- FIN ------------  DisconnectEx(TF_REUSE_SOCKET)
 *      DisconnectEx(TF_REUSE_SOCKET)
 *         |          ----------- FIN ----------->     |  complete: our FIN went, the peer's data is read and
 *         v                                           v  its FIN has come
 *      AcceptEx again, same handle                 ConnectEx again, same handle
 *
 * The client closes first, so the pair of ports rests in TIME_WAIT at the client; the server waits for nothing.
 *
 * Every operation is overlapped and ends in one packet at a completion port.  Each side has a port of its own and
 * a single thread that takes packets from it, so there is no lock; a bigger server lets several threads wait.
 *
 *      socket_pool [CONNECTIONS]                   both sides in this process, over the loopback
 *      socket_pool server PORT [CONNECTIONS]       the server alone; 0 connections, the default, means for ever
 *      socket_pool client HOST PORT [CONNECTIONS]  the client alone
 *
 * Exit status: 0 when every connection was served and every echo was right, else 1; 2 for wrong arguments.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POOL_SIZE = 20,               /* handles per side: also the number of connections in flight */
    DEFAULT_CONNECTIONS = 20000,
    MESSAGE_SIZE = 64,
    BUFFER_SIZE = 512,
    ADDRESS_SIZE = sizeof(struct sockaddr_in) + 16, /* AcceptEx wants 16 bytes more than the address */
    STALL_MS = 20000              /* a limited run that hears nothing for so long has failed */
};

/* DisconnectEx and its relatives are extensions: no library exports them all, a socket is asked for them. */
struct extensions {
    LPFN_ACCEPTEX accept_ex;
    LPFN_CONNECTEX connect_ex;
    LPFN_DISCONNECTEX disconnect_ex;
};

/* The one operation that is under way on a handle. */
enum step { OPENING, RECEIVING, SENDING, DISCONNECTING };

/* A pooled handle.  One operation at a time, so one OVERLAPPED and one buffer are enough. */
struct connection {
    OVERLAPPED overlapped; /* first, so that the packet's OVERLAPPED pointer is the connection's */
    SOCKET socket;
    enum step step;
    unsigned serial; /* client: number of this connection, part of its message */
    DWORD received;  /* client: bytes of the echo so far */
    char buffer[BUFFER_SIZE];
    char addresses[2 * ADDRESS_SIZE]; /* server: where AcceptEx puts the two addresses */
};

/* The server or the client: a port, a pool, and the books. */
struct side {
    const char *name;
    BOOL is_server;
    HANDLE port;
    struct extensions extensions;
    SOCKET listener;            /* server only */
    struct sockaddr_in address; /* where the server listens */
    struct connection pool[POOL_SIZE];
    unsigned wanted;            /* connections to serve; 0: no limit */
    unsigned opened;            /* AcceptEx or ConnectEx calls made */
    unsigned ended;             /* connections that ended, well or badly */
    unsigned handles_created;   /* stays at the size of the pool, or recycling does not work */
    unsigned handles_recycled, failures;
    double seconds;
};

/* ---- small helpers -------------------------------------------------------------------------------------- */

static void fail(struct side *side, const char *what, DWORD error)
{
    if (side->failures++ < 5) /* the first few tell the story */
        fprintf(stderr, "socket_pool: %s: %s: error %lu\n", side->name, what, (unsigned long)error);
}

static double now_seconds(void)
{
    LARGE_INTEGER ticks, frequency;

    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&frequency);
    return (double)ticks.QuadPart / (double)frequency.QuadPart;
}

static BOOL load_extension(SOCKET s, GUID id, void *function)
{
    DWORD bytes;

    return WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id,
                    function, sizeof(LPFN_DISCONNECTEX), &bytes, NULL, NULL) == 0;
}

static BOOL load_extensions(SOCKET s, struct extensions *to)
{
    const GUID accept_ex = WSAID_ACCEPTEX, connect_ex = WSAID_CONNECTEX, disconnect_ex = WSAID_DISCONNECTEX;

    return load_extension(s, accept_ex, &to->accept_ex) && load_extension(s, connect_ex, &to->connect_ex)
        && load_extension(s, disconnect_ex, &to->disconnect_ex);
}

static SOCKET new_socket(void)
{
    return WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
}

/* ---- starting operations: each returns FALSE, with the error kept, when nothing was started -------------- */

static void prepare(struct connection *c, enum step step)
{
    memset(&c->overlapped, 0, sizeof c->overlapped);
    c->step = step;
}

/* An overlapped call that is done at once and one that is still under way both end in a packet. */
static BOOL was_started(BOOL done)
{
    return done || WSAGetLastError() == WSA_IO_PENDING;
}

static BOOL start_accept(struct side *side, struct connection *c)
{
    DWORD bytes = 0;

    prepare(c, OPENING);
    /* Length 0 for the first data: complete as soon as there is a connection.  A peer that connects and stays
     * silent would otherwise keep this handle. */
    return was_started(side->extensions.accept_ex(side->listener, c->socket, c->addresses, 0,
                                                  ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &c->overlapped));
}

static BOOL start_connect(struct side *side, struct connection *c)
{
    DWORD bytes = 0;

    prepare(c, OPENING);
    return was_started(side->extensions.connect_ex(c->socket, (struct sockaddr *)&side->address,
                                                   sizeof side->address, NULL, 0, &bytes, &c->overlapped));
}

static BOOL start_receive(struct connection *c, DWORD offset)
{
    DWORD flags = 0;
    WSABUF space;

    space.buf = c->buffer + offset;
    space.len = BUFFER_SIZE - offset;
    prepare(c, RECEIVING);
    return was_started(WSARecv(c->socket, &space, 1, NULL, &flags, &c->overlapped, NULL) == 0);
}

static BOOL start_send(struct connection *c, DWORD length)
{
    WSABUF data;

    data.buf = c->buffer;
    data.len = length;
    prepare(c, SENDING);
    return was_started(WSASend(c->socket, &data, 1, NULL, 0, &c->overlapped, NULL) == 0);
}

/* An overlapped DisconnectEx always answers FALSE and ERROR_IO_PENDING, even when it is done at once, and its
 * packet always comes. */
static BOOL start_disconnect(struct side *side, struct connection *c)
{
    prepare(c, DISCONNECTING);
    return was_started(side->extensions.disconnect_ex(c->socket, &c->overlapped, TF_REUSE_SOCKET, 0));
}

/* ---- the life of a handle ------------------------------------------------------------------------------- */

/* Makes a handle for the pool.  What is done here is done once: the association with the port, the options and
 * the client's bind all outlive every connection that the handle will carry. */
static BOOL create_handle(struct side *side, struct connection *c)
{
    struct sockaddr_in any;

    c->socket = new_socket();
    if (c->socket == INVALID_SOCKET)
        return FALSE;
    side->handles_created++;
    if (!CreateIoCompletionPort((HANDLE)c->socket, side->port, 0, 0))
        return FALSE;
    if (side->is_server)
        return TRUE; /* AcceptEx wants a handle that is neither bound nor connected */

    memset(&any, 0, sizeof any); /* ConnectEx wants a bound one: any address, any port */
    any.sin_family = AF_INET;
    return bind(c->socket, (struct sockaddr *)&any, sizeof any) == 0;
}

/* Sends a handle into its next connection, unless enough were begun. */
static void open_connection(struct side *side, struct connection *c)
{
    BOOL started;

    if (side->wanted && side->opened == side->wanted)
        return;
    c->serial = side->opened++;
    started = side->is_server ? start_accept(side, c) : start_connect(side, c);
    if (!started) {
        fail(side, side->is_server ? "AcceptEx" : "ConnectEx", (DWORD)WSAGetLastError());
        side->ended++;
    }
}

/* A connection that broke leaves nothing to disconnect: its handle is closed, and a new one joins the pool. */
static void replace_handle(struct side *side, struct connection *c, const char *what, DWORD error)
{
    fail(side, what, error);
    side->ended++;
    closesocket(c->socket);
    c->socket = INVALID_SOCKET;
    if (create_handle(side, c))
        open_connection(side, c);
    else
        fail(side, "a new handle", (DWORD)WSAGetLastError());
}

static void fill_message(char *message, unsigned serial)
{
    int i, length = snprintf(message, MESSAGE_SIZE, "connection %u says hello ", serial);

    for (i = length; i < MESSAGE_SIZE; i++)
        message[i] = (char)('a' + (serial + (unsigned)i) % 26);
}

/* The connection is there.  It carries on only after the handle has taken over the properties of a connected
 * socket: without this, shutdown, getpeername and getsockname do not work on it. */
static BOOL on_opened(struct side *side, struct connection *c)
{
    if (side->is_server) {
        if (setsockopt(c->socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
                       (const char *)&side->listener, sizeof side->listener) != 0)
            return FALSE;
        return start_receive(c, 0);
    }
    if (setsockopt(c->socket, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0) != 0)
        return FALSE;
    fill_message(c->buffer, c->serial);
    c->received = 0;
    return start_send(c, MESSAGE_SIZE);
}

static BOOL on_received(struct side *side, struct connection *c, DWORD bytes)
{
    char expected[MESSAGE_SIZE];

    if (side->is_server) /* 0 bytes: the client has closed its side, so close ours and keep the handle */
        return bytes == 0 ? start_disconnect(side, c) : start_send(c, bytes);

    c->received += bytes;
    if (bytes != 0 && c->received < MESSAGE_SIZE)
        return start_receive(c, c->received); /* TCP keeps the order of bytes, not the size of sends */

    fill_message(expected, c->serial);
    if (c->received != MESSAGE_SIZE || memcmp(c->buffer, expected, MESSAGE_SIZE) != 0)
        fail(side, "the echo differs from the message", 0);
    return start_disconnect(side, c);
}

/* Here the handle is as good as new: the server's is unbound again, the client's is still bound. */
static void on_disconnected(struct side *side, struct connection *c)
{
    side->ended++;
    side->handles_recycled++;
    open_connection(side, c);
}

/* One packet: the operation that it reports has ended, so start the one that follows. */
static void on_packet(struct side *side, struct connection *c, DWORD bytes, DWORD error)
{
    static const char *const names[] = { "opening", "receiving", "sending", "disconnecting" };
    const char *what = names[c->step];
    BOOL ok = FALSE;

    if (error == 0) {
        switch (c->step) {
        case OPENING: ok = on_opened(side, c); break;
        case RECEIVING: ok = on_received(side, c, bytes); break;
        case SENDING: ok = start_receive(c, 0); break;
        case DISCONNECTING: on_disconnected(side, c); return;
        }
        if (!ok)
            error = (DWORD)WSAGetLastError();
    }
    if (!ok)
        replace_handle(side, c, what, error);
}

/* ---- a side as a whole ---------------------------------------------------------------------------------- */

static BOOL open_listener(struct side *side, unsigned short port, BOOL loopback_only)
{
    socklen_t length = sizeof side->address;

    memset(&side->address, 0, sizeof side->address);
    side->address.sin_family = AF_INET;
    side->address.sin_addr.s_addr = htonl(loopback_only ? INADDR_LOOPBACK : INADDR_ANY);
    side->address.sin_port = htons(port);

    side->listener = new_socket();
    /* Completions of AcceptEx go to the port of the listener, not to that of the accepting handle. */
    return side->listener != INVALID_SOCKET
        && CreateIoCompletionPort((HANDLE)side->listener, side->port, 0, 0) != NULL
        && bind(side->listener, (struct sockaddr *)&side->address, sizeof side->address) == 0
        && listen(side->listener, SOMAXCONN) == 0
        && getsockname(side->listener, (struct sockaddr *)&side->address, &length) == 0;
}

/* Makes the port and the pool; a server must have its listener before run_side, a client its address. */
static BOOL prepare_side(struct side *side, const char *name, BOOL is_server, unsigned wanted)
{
    unsigned i;

    memset(side, 0, sizeof *side);
    side->name = name;
    side->is_server = is_server;
    side->wanted = wanted;
    side->listener = INVALID_SOCKET;
    for (i = 0; i < POOL_SIZE; i++)
        side->pool[i].socket = INVALID_SOCKET;

    side->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    for (i = 0; i < POOL_SIZE && side->port; i++) {
        if (!create_handle(side, &side->pool[i]))
            return FALSE;
    }
    return side->port && load_extensions(side->pool[0].socket, &side->extensions);
}

/* Drives every connection until enough have ended. */
static DWORD WINAPI run_side(void *argument)
{
    struct side *side = argument;
    double start = now_seconds();
    DWORD patience = side->wanted ? STALL_MS : INFINITE;
    unsigned i;

    for (i = 0; i < POOL_SIZE; i++)
        open_connection(side, &side->pool[i]);

    while (side->wanted == 0 || side->ended < side->wanted) {
        OVERLAPPED *overlapped = NULL;
        ULONG_PTR key = 0;
        DWORD bytes = 0;
        BOOL ok = GetQueuedCompletionStatus(side->port, &bytes, &key, &overlapped, patience);
        DWORD error = ok ? 0 : GetLastError();

        if (!overlapped) { /* no packet: nothing happened for too long, or the port is gone */
            fail(side, "waiting for a packet", error);
            break;
        }
        on_packet(side, (struct connection *)overlapped, bytes, error);
    }
    side->seconds = now_seconds() - start;
    return 0;
}

static void close_side(struct side *side)
{
    unsigned i;

    if (side->listener != INVALID_SOCKET)
        closesocket(side->listener);
    for (i = 0; i < POOL_SIZE; i++) {
        if (side->pool[i].socket != INVALID_SOCKET)
            closesocket(side->pool[i].socket);
    }
    if (side->port)
        CloseHandle(side->port);
}

/* Prints the books and says whether they are right. */
static BOOL report(const struct side *side)
{
    printf("%s: %u connections, %u handles created, %u times recycled, %u failures, %.0f connections/s\n",
           side->name, side->ended, side->handles_created, side->handles_recycled, side->failures,
           side->seconds > 0 ? side->ended / side->seconds : 0.0);
    return side->failures == 0 && side->ended == side->wanted && side->handles_created == POOL_SIZE
        && side->handles_recycled == side->wanted;
}

/* ---- the three ways to run ------------------------------------------------------------------------------ */

static void cannot_start(struct side *side)
{
    fail(side, "cannot start", (DWORD)WSAGetLastError());
}

static BOOL run_server(struct side *server, unsigned short port, unsigned wanted)
{
    BOOL ok = prepare_side(server, "server", TRUE, wanted) && open_listener(server, port, FALSE);

    if (ok) {
        printf("server: listening on port %u\n", (unsigned)ntohs(server->address.sin_port));
        fflush(stdout);
        run_side(server);
        ok = report(server);
    } else {
        cannot_start(server);
    }
    close_side(server);
    return ok;
}

static BOOL run_client(struct side *client, const char *host, const char *service, unsigned wanted)
{
    struct addrinfo hints, *found = NULL;
    BOOL ok = FALSE;

    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    if (!prepare_side(client, "client", FALSE, wanted)) {
        cannot_start(client);
    } else if (getaddrinfo(host, service, &hints, &found) != 0) {
        fprintf(stderr, "socket_pool: no such host: %s\n", host);
    } else {
        memcpy(&client->address, found->ai_addr, sizeof client->address);
        freeaddrinfo(found);
        run_side(client);
        ok = report(client);
    }
    close_side(client);
    return ok;
}

/* Both in one process: the server in a thread of its own, the client in this one. */
static BOOL run_both(struct side *server, struct side *client, unsigned wanted)
{
    HANDLE thread = NULL;
    BOOL ok = FALSE;

    if (!prepare_side(client, "client", FALSE, wanted)) {
        cannot_start(client);
    } else if (!prepare_side(server, "server", TRUE, wanted) || !open_listener(server, 0, TRUE)
               || !(thread = CreateThread(NULL, 0, run_side, server, 0, NULL))) {
        cannot_start(server);
        close_side(server);
    } else {
        client->address = server->address;
        run_side(client);
        WaitForSingleObject(thread, INFINITE); /* run_side gives up by itself when nothing happens */
        CloseHandle(thread);
        ok = report(server);
        ok = report(client) && ok;
        close_side(server);
    }
    close_side(client);
    return ok;
}

/* The number in an argument, or the given one where the argument is missing. */
static unsigned number(int argc, char **argv, int index, unsigned otherwise)
{
    return index < argc ? (unsigned)strtoul(argv[index], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    static struct side server, client; /* too big for a small stack */
    const char *role = argc > 2 ? argv[1] : "both";
    WSADATA data;
    BOOL ok;

    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 1;
    if (strcmp(role, "server") == 0 && argc <= 4) {
        ok = run_server(&server, (unsigned short)number(argc, argv, 2, 0), number(argc, argv, 3, 0));
    } else if (strcmp(role, "client") == 0 && argc >= 4 && argc <= 5) {
        ok = run_client(&client, argv[2], argv[3], number(argc, argv, 4, DEFAULT_CONNECTIONS));
    } else if (argc <= 2 && number(argc, argv, 1, DEFAULT_CONNECTIONS) > 0) {
        ok = run_both(&server, &client, number(argc, argv, 1, DEFAULT_CONNECTIONS));
    } else {
        fprintf(stderr, "usage: socket_pool [CONNECTIONS] | server PORT [CONNECTIONS]"
                        " | client HOST PORT [CONNECTIONS]\n");
        WSACleanup();
        return 2;
    }
    WSACleanup();
    return ok ? 0 : 1;
}
