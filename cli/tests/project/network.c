#include "network.h"

#pragma comment(lib, "ws2_32.lib")

/* Sends a text through the loopback, and gives how much of it has come. */
int exchange(char *text, int size)
{
    WSADATA data;
    struct sockaddr_in at;
    int length = sizeof at, got = -1;

    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return -1;
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 1) == 0
        && getsockname(listener, (struct sockaddr *)&at, &length) == 0
        && connect(client, (struct sockaddr *)&at, sizeof at) == 0) {
        SOCKET server = accept(listener, NULL, NULL);
        if (send(client, text, size, 0) == size)
            got = recv(server, text, size, 0);
        closesocket(server);
    }
    closesocket(client);
    closesocket(listener);
    WSACleanup();
    return got;
}
