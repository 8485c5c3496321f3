/* Connections that end in every common way, for `linsock trace`; status 3 when all went as planned. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "line %d: %s (%d)\n", __LINE__, #what, WSAGetLastError()); \
            exit(1); \
        } \
    } while (0)

static SOCKET listener;
static struct sockaddr_in to;

struct pair {
    SOCKET client;
    SOCKET server;
};

static struct pair connection(void)
{
    struct pair pair;

    pair.client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    MUST(connect(pair.client, (struct sockaddr *)&to, sizeof to) == 0);
    pair.server = accept(listener, NULL, NULL);
    MUST(pair.server != INVALID_SOCKET);
    return pair;
}

static void graceful(void)
{
    struct pair pair = connection();
    WSAOVERLAPPED overlapped = {0};
    DWORD count, flags = 0;
    WSABUF buffer;
    char octet;

    buffer.buf = &octet;
    buffer.len = 1;
    MUST(WSARecv(pair.server, &buffer, 1, NULL, &flags, &overlapped, NULL) == SOCKET_ERROR);
    MUST(WSAGetLastError() == WSA_IO_PENDING);
    MUST(shutdown(pair.client, SD_SEND) == 0);
    MUST(WSAGetOverlappedResult(pair.server, &overlapped, &count, TRUE, &flags) && count == 0);
    MUST(closesocket(pair.server) == 0);
    MUST(recv(pair.client, &octet, 1, 0) == 0);
    MUST(closesocket(pair.client) == 0);
}

static void over_data(void)
{
    struct pair pair = connection();
    char octet;

    MUST(send(pair.client, "hello", 5, 0) == 5);
    MUST(recv(pair.server, &octet, 1, MSG_PEEK) == 1);
    MUST(closesocket(pair.server) == 0);
    MUST(recv(pair.client, &octet, 1, 0) == SOCKET_ERROR && WSAGetLastError() == WSAECONNRESET);
    MUST(closesocket(pair.client) == 0);
}

/* The server's end is left open when the program ends. */
static void leak(void)
{
    struct pair pair = connection();
    char octet;

    MUST(closesocket(pair.client) == 0);
    MUST(recv(pair.server, &octet, 1, 0) == 0);
}

static void refused(void)
{
    SOCKET client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);

    MUST(closesocket(listener) == 0);
    MUST(connect(client, (struct sockaddr *)&to, sizeof to) == SOCKET_ERROR);
    MUST(WSAGetLastError() == WSAECONNREFUSED);
    MUST(closesocket(client) == 0);
}

int main(int argc, char **argv)
{
    WSADATA data;
    int length = sizeof to;

    (void)argv;
    MUST(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(bind(listener, (struct sockaddr *)&to, sizeof to) == 0);
    MUST(listen(listener, 8) == 0);
    MUST(getsockname(listener, (struct sockaddr *)&to, &length) == 0);
    graceful();
    over_data();
    leak();
    refused();
    if (argc > 1) {
        puts("ready");
        fflush(stdout);
        Sleep(INFINITE);
    }
    return 3;
}
