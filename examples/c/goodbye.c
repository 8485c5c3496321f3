/*
 * goodbye.c - a server that says why it hangs up, and clients that print it.
 *
 * TCP has no room for last words; ISO transport over TCP (RFC 2126) has: 64 octets go with a disconnect, behind every
 * message that was sent before it, and 32 with a connect each way.  So a server can refuse a guest with a reason, and end a
 * conversation with one, without a message format of its own for that.
 *
 *      client                                      server
 *      ------                                      ------
 *      WSAConnect, "guest"  ---- CR ------------>  WSAAccept: the condition function reads it
 *      WSAECONNREFUSED      <--- DR "full house"   CF_REJECT, with SO_DISCDATA
 *
 *      WSAConnect, "member" ---- CR ------------>  CF_ACCEPT, "table 4"
 *      "table 4"            <--- CC -------------
 *      recv                 <--- DT "soup" ------  send
 *      recv: WSAEDISCON     <--- DR "we close"     WSASendDisconnect
 *      WSARecvDisconnect: "we close at ten"
 *
 *      goodbye        both sides in this process, over the loopback
 *
 * Exit status: 0 when every word arrived, else 1.
 */
#include <winsock2.h>
#include <mswsock.h>
#include <wshisotp.h>
#include <windows.h>
#include <stdio.h>
#include <string.h>

static SOCKADDR_TP address(const char *text)
{
    SOCKADDR_TP at;

    memset(&at, 0, sizeof at);
    at.tp_family = AF_ISO;
    at.tp_addr_type = ISO_NON_HIERARCHICAL;
    at.tp_taddr_len = (u_short)strlen(text);
    memcpy(at.tp_addr, text, strlen(text));
    return at;
}

/* Asked for every connection, before it is one. */
static int CALLBACK doorman(LPWSABUF caller, LPWSABUF said, LPQOS sqos, LPQOS gqos, LPWSABUF callee, LPWSABUF answer,
                            GROUP *group, DWORD_PTR context)
{
    (void)caller, (void)sqos, (void)gqos, (void)callee, (void)group, (void)context;
    if (said->len != 6 || memcmp(said->buf, "member", 6) != 0)
        return CF_REJECT;
    memcpy(answer->buf, "table 4", 7);
    answer->len = 7;
    return CF_ACCEPT;
}

static DWORD WINAPI serve(void *argument)
{
    SOCKET door = (SOCKET)(ULONG_PTR)argument;
    char last_words[] = "we close at ten";
    WSABUF data = { sizeof last_words - 1, last_words };
    SOCKET guest;

    setsockopt(door, SOL_SOCKET, SO_DISCDATA, "full house", 10);
    do
        guest = WSAAccept(door, NULL, NULL, doorman, 0);
    while (guest == INVALID_SOCKET && WSAGetLastError() == WSAECONNREFUSED);
    if (guest == INVALID_SOCKET)
        return 1;
    if (send(guest, "soup", 4, 0) != 4 || WSASendDisconnect(guest, &data) != 0)
        return 1;
    closesocket(guest);
    return 0;
}

/* Connects, prints what is said, and tells whether it was `expected`. */
static int visit(const SOCKADDR_TP *at, const char *who, const char *expected)
{
    char words[64], welcome[32];
    WSABUF caller = { (u_long)strlen(who), (char *)who }, callee = { sizeof welcome, welcome };
    WSABUF goodbye = { sizeof words, words };
    SOCKET s = socket(AF_ISO, SOCK_SEQPACKET, ISOPROTO_TP2);
    int length = sizeof words, as_expected;

    if (s == INVALID_SOCKET)
        return 0;
    if (WSAConnect(s, (const struct sockaddr *)at, sizeof *at, &caller, &callee, NULL, NULL) != 0) {
        if (WSAGetLastError() != WSAECONNREFUSED || getsockopt(s, SOL_SOCKET, SO_DISCDATA, words, &length) != 0)
            length = 0;
        printf("%s: turned away: \"%.*s\"\n", who, length, words);
    } else {
        printf("%s: welcomed: \"%.*s\"\n", who, (int)callee.len, welcome);
        while ((length = recv(s, words, sizeof words, 0)) > 0)
            printf("%s: served: \"%.*s\"\n", who, length, words);
        if (WSAGetLastError() != WSAEDISCON || WSARecvDisconnect(s, &goodbye) != 0)
            goodbye.len = 0;
        length = (int)goodbye.len;
        printf("%s: sent home: \"%.*s\"\n", who, length, words);
    }
    as_expected = length == (int)strlen(expected) && memcmp(words, expected, (size_t)length) == 0;
    closesocket(s);
    return as_expected;
}

int main(void)
{
    SOCKADDR_TP at = address("restaurant@127.0.0.1:0");
    int length = sizeof at, ok;
    DWORD status = 1;
    WSADATA data;
    SOCKET door;
    HANDLE server;

    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 1;
    door = socket(AF_ISO, SOCK_SEQPACKET, ISOPROTO_TP2);
    if (door == INVALID_SOCKET || bind(door, (struct sockaddr *)&at, sizeof at) != 0 || listen(door, 5) != 0 ||
        getsockname(door, (struct sockaddr *)&at, &length) != 0) {
        printf("no ISO transport here: error %d\n", WSAGetLastError());
        return 1;
    }
    server = CreateThread(NULL, 0, serve, (void *)(ULONG_PTR)door, 0, NULL);
    ok = visit(&at, "guest", "full house");
    ok = visit(&at, "member", "we close at ten") && ok;
    WaitForSingleObject(server, INFINITE);
    GetExitCodeThread(server, &status);
    CloseHandle(server);
    closesocket(door);
    WSACleanup();
    return ok && status == 0 ? 0 : 1;
}
