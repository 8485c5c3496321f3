/*
 * echo_pool.c - an echo server on the thread pool of Windows Vista: no thread, loop or completion port of its own.
 *
 * Each connection has a TP_IO.  Its callback gets one completion at a time: what was received is sent back, what was sent
 * makes room for the next receive, and the peer's FIN ends the connection.  StartThreadpoolIo comes before each
 * operation, and CancelThreadpoolIo after one that failed at once, because no callback will come for it.
 *
 *      echo_pool        the server and eight clients in this process, over the loopback
 *
 * Exit status: 0 when every message came back and every connection was closed, else 1.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <string.h>

#define CLIENTS 8
#define MESSAGES 100

struct connection {
    OVERLAPPED overlapped;
    SOCKET s;
    PTP_IO io;
    BOOL is_receiving;
    char data[512];
};

static HANDLE all_closed;
static LONG open_connections = CLIENTS;

static void end_connection(struct connection *c)
{
    closesocket(c->s);
    CloseThreadpoolIo(c->io);
    HeapFree(GetProcessHeap(), 0, c);
    if (InterlockedDecrement(&open_connections) == 0)
        SetEvent(all_closed);
}

/* Sends `length` octets back, or receives if there are none. */
static void go_on(struct connection *c, ULONG length)
{
    WSABUF buffer = { length != 0 ? length : sizeof c->data, c->data };
    DWORD flags = 0;
    int result;

    c->is_receiving = length == 0;
    ZeroMemory(&c->overlapped, sizeof c->overlapped);
    StartThreadpoolIo(c->io);
    if (c->is_receiving)
        result = WSARecv(c->s, &buffer, 1, NULL, &flags, &c->overlapped, NULL);
    else
        result = WSASend(c->s, &buffer, 1, NULL, 0, &c->overlapped, NULL);
    if (result == SOCKET_ERROR && WSAGetLastError() != WSA_IO_PENDING) {
        CancelThreadpoolIo(c->io);
        end_connection(c);
    }
}

static VOID CALLBACK on_completion(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped, ULONG result,
                                   ULONG_PTR bytes, PTP_IO io)
{
    struct connection *c = CONTAINING_RECORD(overlapped, struct connection, overlapped);

    (void)instance, (void)context, (void)io;
    if (result != NO_ERROR || bytes == 0)
        end_connection(c);
    else
        go_on(c, c->is_receiving ? (ULONG)bytes : 0);
}

/* Accepts as many connections as there are clients. */
static BOOL serve(SOCKET listener)
{
    int i;

    for (i = 0; i < CLIENTS; i++) {
        struct connection *c = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *c);

        if (c == NULL || (c->s = accept(listener, NULL, NULL)) == INVALID_SOCKET)
            return FALSE;
        c->io = CreateThreadpoolIo((HANDLE)c->s, on_completion, NULL, NULL);
        if (c->io == NULL)
            return FALSE;
        go_on(c, 0);
    }
    return TRUE;
}

static DWORD WINAPI client(void *address)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    int i, length, got = 0;

    if (connect(s, address, sizeof(struct sockaddr_in)) == SOCKET_ERROR)
        return 1;
    for (i = 0; i < MESSAGES; i++) {
        char message[32], answer[32];

        length = sprintf_s(message, sizeof message, "message %d", i);
        if (send(s, message, length, 0) != length)
            return 1;
        for (got = 0; got < length; ) {
            int n = recv(s, answer + got, length - got, 0);

            if (n <= 0)
                return 1;
            got += n;
        }
        if (memcmp(answer, message, (size_t)length) != 0)
            return 1;
    }
    closesocket(s);
    return 0;
}

int main(void)
{
    struct sockaddr_in at = { 0 };
    HANDLE clients[CLIENTS];
    int i, length = sizeof at, failed = 0;
    WSADATA data;
    SOCKET listener;

    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 1;
    all_closed = CreateEvent(NULL, TRUE, FALSE, NULL);
    listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &length) != 0)
        return 1;
    for (i = 0; i < CLIENTS; i++)
        clients[i] = CreateThread(NULL, 0, client, &at, 0, NULL);
    if (!serve(listener))
        return 1;
    WaitForMultipleObjects(CLIENTS, clients, TRUE, INFINITE);
    WaitForSingleObject(all_closed, INFINITE);
    for (i = 0; i < CLIENTS; i++) {
        DWORD status = 1;

        GetExitCodeThread(clients[i], &status);
        CloseHandle(clients[i]);
        failed += status != 0;
    }
    printf("%d clients, %d messages each: %d failed\n", CLIENTS, MESSAGES, failed);
    closesocket(listener);
    CloseHandle(all_closed);
    WSACleanup();
    return failed == 0 ? 0 : 1;
}
