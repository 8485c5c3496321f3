/*
 * file_server.c - an HTTP server on a completion port that sends files without touching their data.
 *
 * A connection is two operations.  AcceptEx brings it together with its request; TransmitFile sends a head, a part of
 * the file and nothing else, disconnects, and makes the handle ready for the next AcceptEx.  So every handle is created
 * once, and the server neither reads the file nor closes a socket.
 *
 *      file_server              a server of a file of its own and eight clients in this process, over the loopback
 *      file_server FILE PORT    serves FILE at PORT until it is stopped; GET with or without a range of octets
 *
 * Exit status: 0 when every client got what it had asked for, else 1.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HANDLES 16
#define CLIENTS 8
#define REQUESTS 200 /* of each client */
#define OWN_SIZE 100000

#define ADDRESS_SIZE (sizeof(struct sockaddr_in) + 16)

struct connection {
    OVERLAPPED overlapped;
    SOCKET s;
    BOOL is_accepting;
    TRANSMIT_FILE_BUFFERS around;
    char head[256];
    char request[1024 + 2 * ADDRESS_SIZE];
};

struct range {
    DWORD first, length;
};

static LPFN_ACCEPTEX accept_ex;
static LPFN_TRANSMITFILE transmit_file;
static SOCKET listener;
static HANDLE port, file;
static DWORD file_size;
static LONG served;

static int failed(const char *what)
{
    fprintf(stderr, "file_server: %s: error %d\n", what, (int)GetLastError());
    return 1;
}

/* ---- the server ----------------------------------------------------------------------------------------- */

static BOOL await_request(struct connection *c)
{
    c->is_accepting = TRUE;
    ZeroMemory(&c->overlapped, sizeof c->overlapped);
    return accept_ex(listener, c->s, c->request, sizeof c->request - 2 * ADDRESS_SIZE, ADDRESS_SIZE, ADDRESS_SIZE, NULL,
                     &c->overlapped)
           || WSAGetLastError() == ERROR_IO_PENDING;
}

/* The octets that a request asks for; none of them if it asks for what is not there. */
static BOOL wanted(const char *request, struct range *range)
{
    const char *at = strstr(request, "Range: bytes=");
    unsigned long first = 0, last = file_size - 1;

    if (strncmp(request, "GET /", 5) != 0)
        return FALSE;
    if (at != NULL && sscanf(at, "Range: bytes=%lu-%lu", &first, &last) < 1)
        return FALSE;
    if (last > file_size - 1)
        last = file_size - 1;
    range->first = (DWORD)first;
    range->length = (DWORD)(last - first + 1);
    return first <= last;
}

/* Sends what was asked for, and ends the connection; the handle is ready for another when that is over. */
static BOOL answer(struct connection *c, DWORD octets)
{
    struct range range = { 0, 0 };
    BOOL is_there;

    setsockopt(c->s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&listener, sizeof listener);
    c->request[octets] = '\0';
    is_there = wanted(c->request, &range);
    snprintf(c->head, sizeof c->head, "HTTP/1.0 %s\r\nContent-Length: %lu\r\nConnection: close\r\n\r\n",
             is_there ? "200 OK" : "404 Not Found", (unsigned long)range.length);
    ZeroMemory(&c->around, sizeof c->around);
    c->around.Head = c->head;
    c->around.HeadLength = (DWORD)strlen(c->head);
    c->is_accepting = FALSE;
    ZeroMemory(&c->overlapped, sizeof c->overlapped);
    c->overlapped.Offset = range.first;
    return transmit_file(c->s, is_there ? file : NULL, range.length, 0, &c->overlapped, &c->around,
                         TF_DISCONNECT | TF_REUSE_SOCKET)
           || WSAGetLastError() == ERROR_IO_PENDING;
}

/* A connection that ended badly: its handle is of no use any more. */
static BOOL begin_anew(struct connection *c)
{
    closesocket(c->s);
    c->s = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    return c->s != INVALID_SOCKET && CreateIoCompletionPort((HANDLE)c->s, port, 0, 0) != NULL && await_request(c);
}

static DWORD WINAPI serve(void *unused)
{
    DWORD octets;
    ULONG_PTR key;
    OVERLAPPED *overlapped;

    (void)unused;
    for (;;) {
        BOOL ok = GetQueuedCompletionStatus(port, &octets, &key, &overlapped, INFINITE);
        struct connection *c;

        if (overlapped == NULL)
            return 0;
        c = CONTAINING_RECORD(overlapped, struct connection, overlapped);
        if (ok && c->is_accepting && octets > 0)
            ok = answer(c, octets);
        else if (ok && !c->is_accepting)
            InterlockedIncrement(&served), ok = await_request(c);
        else
            ok = FALSE;
        if (!ok && !begin_anew(c))
            return (DWORD)failed("a connection cannot be awaited");
    }
}

static int listen_at(unsigned short number)
{
    struct sockaddr_in at;
    GUID accept_id = WSAID_ACCEPTEX, transmit_id = WSAID_TRANSMITFILE;
    DWORD bytes;

    ZeroMemory(&at, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(number);
    listener = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (listener == INVALID_SOCKET || bind(listener, (struct sockaddr *)&at, sizeof at) != 0
        || listen(listener, SOMAXCONN) != 0)
        return failed("listen");
    if (WSAIoctl(listener, SIO_GET_EXTENSION_FUNCTION_POINTER, &accept_id, sizeof accept_id, &accept_ex, sizeof accept_ex,
                 &bytes, NULL, NULL) != 0
        || WSAIoctl(listener, SIO_GET_EXTENSION_FUNCTION_POINTER, &transmit_id, sizeof transmit_id, &transmit_file,
                    sizeof transmit_file, &bytes, NULL, NULL) != 0)
        return failed("extension functions");
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    if (port == NULL || CreateIoCompletionPort((HANDLE)listener, port, 0, 0) == NULL)
        return failed("completion port");
    return 0;
}

static int await_connections(struct connection *pool)
{
    int i;

    for (i = 0; i < HANDLES; i++) {
        pool[i].s = INVALID_SOCKET;
        if (!begin_anew(&pool[i]))
            return failed("AcceptEx");
    }
    return 0;
}

static int open_file(const char *path)
{
    file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                       FILE_FLAG_OVERLAPPED | FILE_FLAG_SEQUENTIAL_SCAN, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return failed(path);
    file_size = GetFileSize(file, NULL);
    return file_size != INVALID_FILE_SIZE && file_size != 0 ? 0 : failed("the file is empty, or too large");
}

/* ---- clients, for the run without arguments -------------------------------------------------------------- */

static struct sockaddr_in server_address;

static char own_octet(DWORD at)
{
    return (char)(at * 31 + at / 256);
}

static int make_own_file(char *path, DWORD room)
{
    char directory[MAX_PATH];
    DWORD i, written;
    char *octets = malloc(OWN_SIZE);
    HANDLE made;

    if (octets == NULL || GetTempPathA(sizeof directory, directory) == 0)
        return failed("GetTempPath");
    for (i = 0; i < OWN_SIZE; i++)
        octets[i] = own_octet(i);
    snprintf(path, room, "%sfile_server-%lu.bin", directory, (unsigned long)GetCurrentProcessId());
    made = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    if (made == INVALID_HANDLE_VALUE || !WriteFile(made, octets, OWN_SIZE, &written, NULL) || written != OWN_SIZE)
        return failed(path);
    CloseHandle(made);
    free(octets);
    return 0;
}

/* Receives everything up to the end of the connection. */
static int read_to_end(SOCKET s, char *into, int room)
{
    int length = 0, got;

    while (length < room && (got = recv(s, into + length, room - length, 0)) > 0)
        length += got;
    return got == 0 ? length : -1;
}

static BOOL fetch(struct range range, char *buffer, int room)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    char request[128], *body;
    int length = -1;
    DWORD i;

    if (connect(s, (struct sockaddr *)&server_address, sizeof server_address) == 0) {
        snprintf(request, sizeof request, "GET / HTTP/1.0\r\nRange: bytes=%lu-%lu\r\n\r\n", (unsigned long)range.first,
                 (unsigned long)(range.first + range.length - 1));
        if (send(s, request, (int)strlen(request), 0) == (int)strlen(request))
            length = read_to_end(s, buffer, room - 1);
    }
    closesocket(s);
    if (length < 0)
        return FALSE;
    buffer[length] = '\0';
    body = strstr(buffer, "\r\n\r\n");
    if (body == NULL || strncmp(buffer, "HTTP/1.0 200", 12) != 0 || buffer + length - (body + 4) != (long)range.length)
        return FALSE;
    for (i = 0; i < range.length; i++) {
        if (body[4 + i] != own_octet(range.first + i))
            return FALSE;
    }
    return TRUE;
}

static DWORD WINAPI client(void *number)
{
    int room = OWN_SIZE + 1024;
    char *buffer = malloc((size_t)room);
    DWORD good = 0, i;

    for (i = 0; buffer != NULL && i < REQUESTS; i++) {
        struct range range;

        range.first = (i * 997 + (DWORD)(ULONG_PTR)number * 131) % (OWN_SIZE / 2);
        range.length = 1 + i * 241 % (OWN_SIZE / 2);
        good += fetch(range, buffer, room);
    }
    free(buffer);
    return good;
}

static int run_clients(void)
{
    HANDLE threads[CLIENTS];
    DWORD good = 0, part, started = GetTickCount();
    int length = sizeof server_address, i;

    getsockname(listener, (struct sockaddr *)&server_address, &length);
    for (i = 0; i < CLIENTS; i++)
        threads[i] = CreateThread(NULL, 0, client, (void *)(ULONG_PTR)i, 0, NULL);
    WaitForMultipleObjects(CLIENTS, threads, TRUE, INFINITE);
    for (i = 0; i < CLIENTS; i++) {
        if (GetExitCodeThread(threads[i], &part))
            good += part;
        CloseHandle(threads[i]);
    }
    printf("%lu of %d requests answered rightly in %lu ms, with %d handles\n", (unsigned long)good, CLIENTS * REQUESTS,
           (unsigned long)(GetTickCount() - started), HANDLES);
    return good == CLIENTS * REQUESTS ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct connection pool[HANDLES];
    char own[MAX_PATH + 32];
    HANDLE thread;
    WSADATA data;
    int result, i;

    if (argc != 1 && argc != 3) {
        fprintf(stderr, "usage: file_server [FILE PORT]\n");
        return 1;
    }
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return failed("WSAStartup");
    if (argc == 1 && make_own_file(own, sizeof own) != 0)
        return 1;
    if (open_file(argc == 1 ? own : argv[1]) != 0 || listen_at(argc == 1 ? 0 : (unsigned short)atoi(argv[2])) != 0
        || await_connections(pool) != 0)
        return 1;
    if (argc == 3)
        return (int)serve(NULL);
    thread = CreateThread(NULL, 0, serve, NULL, 0, NULL);
    result = run_clients();
    CloseHandle(port);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    for (i = 0; i < HANDLES; i++)
        closesocket(pool[i].s);
    closesocket(listener);
    CloseHandle(file);
    DeleteFileA(own);
    WSACleanup();
    return result;
}
