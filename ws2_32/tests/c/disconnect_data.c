/*
 * ISO transport: messages, connect data and disconnect data that arrives. Sources: the pages (S 002 WSASendDisconnect, S 003
 * WSARecvDisconnect), RFC 2126 (class 2) and RFC 1006 (class 0), and choices where neither says how Winsock shows it.
 */
#include "check.h"
#include <wshisotp.h>

static const char *const SEND_PAGE = "S 002: XP1_DISCONNECT_DATA";
static const char *const RECV_PAGE = "S 003";
static const char *const ORDERLY = "RFC 2126 4.2.3: all of it is delivered before";

/* selector@host:port, the form that the provider translates. */
static SOCKADDR_TP address_of(const char *text)
{
    SOCKADDR_TP at;

    memset(&at, 0, sizeof at);
    at.tp_family = AF_ISO;
    at.tp_addr_type = ISO_NON_HIERARCHICAL;
    at.tp_taddr_len = (u_short)strlen(text);
    memcpy(at.tp_addr, text, strlen(text));
    return at;
}

static SOCKET iso_socket(int protocol)
{
    SOCKET s = socket(AF_ISO, SOCK_SEQPACKET, protocol);

    REQUIRE(s != INVALID_SOCKET);
    return s;
}

static SOCKET iso_listener(int protocol, SOCKADDR_TP *at)
{
    SOCKADDR_TP any = address_of("service@127.0.0.1:0");
    SOCKET s = iso_socket(protocol);
    int len = sizeof *at;

    REQUIRE(bind(s, (struct sockaddr *)&any, sizeof any) == 0);
    REQUIRE(listen(s, 8) == 0);
    REQUIRE(getsockname(s, (struct sockaddr *)at, &len) == 0);
    CHECK_EQ(len, sizeof *at, "D getsockname");
    return s;
}

struct connecting {
    SOCKET s;
    SOCKADDR_TP to;
    const char *data;
    char answer[32];
    WSABUF callee;
    int result;
    DWORD error;
};

static DWORD WINAPI connect_it(void *argument)
{
    struct connecting *c = argument;
    WSABUF caller;

    caller.buf = (char *)c->data;
    caller.len = c->data ? (u_long)strlen(c->data) : 0;
    c->callee.buf = c->answer;
    c->callee.len = sizeof c->answer;
    c->result = WSAConnect(c->s, (struct sockaddr *)&c->to, sizeof c->to, c->data ? &caller : NULL, &c->callee, NULL, NULL);
    c->error = c->result ? (DWORD)WSAGetLastError() : 0;
    return 0;
}

/* A connection of class 2 or 0, by WSAConnect in another thread and accept. */
static void iso_pair(int protocol, SOCKET *client, SOCKET *server)
{
    struct connecting c;
    SOCKET l;
    HANDLE thread;

    memset(&c, 0, sizeof c);
    l = iso_listener(protocol, &c.to);
    c.s = iso_socket(protocol);
    thread = CreateThread(NULL, 0, connect_it, &c, 0, NULL);
    *server = accept(l, NULL, NULL);
    REQUIRE(WaitForSingleObject(thread, CHECK_WAIT_MS) == WAIT_OBJECT_0);
    CloseHandle(thread);
    REQUIRE(*server != INVALID_SOCKET && c.result == 0);
    *client = c.s;
    closesocket(l);
    limit_waits(*client);
    limit_waits(*server);
}

static void messages(int protocol)
{
    SOCKET client, server;
    char buffer[64];
    static char big[300000], into[300000];
    int i;

    for (i = 0; i < (int)sizeof big; i++)
        big[i] = (char)(i * 11);
    iso_pair(protocol, &client, &server);
    CHECK_EQ(send(client, "one", 3, 0), 3, "D send");
    CHECK_EQ(send(client, "second", 6, 0), 6, "D send");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 3, "D WSAPROTOCOL_INFO: XP1_MESSAGE_ORIENTED");
    CHECK_EQ(recv(server, buffer, 4, MSG_PEEK), -1, "D recv: MSG_PEEK, a part");
    CHECK_FAIL(recv(server, buffer, 4, 0), WSAEMSGSIZE, "D recv: the message was too large");
    CHECK_EQ(memcmp(buffer, "seco", 4), 0, "D recv");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 2, "D recv: a reliable protocol keeps the rest");
    CHECK_EQ(send(client, "in ", 3, MSG_PARTIAL), 3, "D send: MSG_PARTIAL");
    CHECK_EQ(send(client, "parts", 5, 0), 5, "D send");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 8, "D WSAPROTOCOL_INFO: XP1_PARTIAL_MESSAGE");
    CHECK_EQ(memcmp(buffer, "in parts", 8), 0, "D send: MSG_PARTIAL");
    CHECK_EQ(send(server, big, sizeof big, 0), sizeof big, "D send");
    CHECK_EQ(recv(client, into, sizeof into, 0), sizeof into, "D recv: across many TPDUs");
    CHECK_EQ(memcmp(big, into, sizeof big), 0, "D recv");
    close_both(client, server);
}

static WSABUF data_of(void *octets, u_long len)
{
    WSABUF data;

    data.buf = octets;
    data.len = len;
    return data;
}

/* The heart of the matter: what one side says when it hangs up, the other hears. */
static void the_data_arrives(u_long len)
{
    SOCKET client, server;
    char octets[64], into[64], buffer[16];
    WSABUF out = data_of(octets, len), in, small = data_of(into, len ? len - 1 : 0);
    u_long i;

    for (i = 0; i < sizeof octets; i++)
        octets[i] = (char)(0xFF - i);
    iso_pair(ISOPROTO_TP2, &client, &server);
    CHECK_EQ(send(client, "a", 1, 0), 1, "setup");
    CHECK_EQ(send(client, "bc", 2, 0), 2, "setup");
    CHECK_EQ(WSASendDisconnect(client, &out), 0, SEND_PAGE);
    CHECK_FAIL(send(client, "x", 1, 0), WSAESHUTDOWN, "S 002: subsequent sends are disallowed");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 1, ORDERLY);
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 2, ORDERLY);
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAEDISCON, "D WSARecv: message oriented, gracefully closed");
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAEDISCON, "choice: it stays so");
    if (len) {
        CHECK_FAIL(WSARecvDisconnect(server, &small), WSAEFAULT, "S 003: the buffer is too small; the data stays");
    }
    memset(into, 0x55, sizeof into);
    in = data_of(into, sizeof into);
    CHECK_EQ(WSARecvDisconnect(server, &in), 0, RECV_PAGE);
    CHECK_EQ(in.len, len, RECV_PAGE);
    CHECK_EQ(memcmp(into, octets, len), 0, RECV_PAGE);
    CHECK_FAIL(recv(client, buffer, sizeof buffer, 0), WSAEDISCON, "RFC 905 6.7: the peer has confirmed");
    close_both(client, server);
}

static void too_much_is_refused(void)
{
    SOCKET client, server;
    char octets[65] = { 0 };
    WSABUF too_long = data_of(octets, 65);

    iso_pair(ISOPROTO_TP2, &client, &server);
    CHECK_FAIL(WSASendDisconnect(client, &too_long), WSAEFAULT, "choice: more than 64 octets");
    check_transfer(client, server, "S 002: nothing was sent");
    check_transfer(server, client, "S 002: nothing was sent");
    close_both(client, server);

    iso_pair(ISOPROTO_TP0, &client, &server);
    too_long.len = 1;
    CHECK_FAIL(WSASendDisconnect(client, &too_long), WSAENOPROTOOPT, "RFC 1006: class 0 has none");
    check_transfer(client, server, "S 002: nothing was sent");
    CHECK_EQ(WSASendDisconnect(client, NULL), 0, "S 002");
    CHECK_FAIL(recv(server, octets, 1, 0), WSAEDISCON, "RFC 1006 5: closing TCP is the release");
    CHECK_EQ(send(server, "late", 4, 0) == 4 || WSAGetLastError() == WSAECONNRESET, TRUE, "choice: class 0 may answer");
    close_both(client, server);
}

static int CALLBACK answer(LPWSABUF caller_id, LPWSABUF caller_data, LPQOS sqos, LPQOS gqos, LPWSABUF callee_id,
                           LPWSABUF callee_data, GROUP *group, DWORD_PTR context)
{
    (void)sqos, (void)gqos, (void)group;
    CHECK_EQ(caller_id->len, sizeof(SOCKADDR_TP), "D WSAAccept: lpCallerId");
    CHECK_EQ(callee_id->len, sizeof(SOCKADDR_TP), "D WSAAccept: lpCalleeId");
    CHECK_EQ(caller_data->len, 5, "D WSAAccept: lpCallerData");
    CHECK(caller_data->len == 5 && memcmp(caller_data->buf, "hello", 5) == 0, "D WSAAccept: lpCallerData");
    CHECK_EQ(callee_data->len, 32, "D WSAAccept: lpCalleeData, the room");
    memcpy(callee_data->buf, "welcome", 7);
    callee_data->len = 7;
    return (int)context;
}

static void connect_data(int protocol)
{
    struct connecting c;
    SOCKET l, server;
    HANDLE thread;
    char data[32];
    int len = sizeof data;

    memset(&c, 0, sizeof c);
    c.data = "hello";
    l = iso_listener(protocol, &c.to);
    c.s = iso_socket(protocol);
    thread = CreateThread(NULL, 0, connect_it, &c, 0, NULL);
    server = WSAAccept(l, NULL, NULL, answer, CF_ACCEPT);
    CHECK(server != INVALID_SOCKET, "D WSAAccept");
    REQUIRE(WaitForSingleObject(thread, CHECK_WAIT_MS) == WAIT_OBJECT_0);
    CHECK_EQ(c.result, 0, "D WSAConnect");
    CHECK_EQ(c.callee.len, 7, "D WSAConnect: lpCalleeData");
    CHECK_EQ(memcmp(c.answer, "welcome", 7), 0, "D WSAConnect: lpCalleeData");
    CHECK_EQ(getsockopt(server, SOL_SOCKET, SO_CONNDATA, data, &len), 0, "D NT DDK 6.5: SO_CONNDATA");
    CHECK(len == 5 && memcmp(data, "hello", 5) == 0, "D NT DDK 6.5: SO_CONNDATA");
    check_transfer(c.s, server, "setup");
    close_both(c.s, server);
    CloseHandle(thread);

    c.data = "123456789012345678901234567890123";
    c.s = iso_socket(protocol);
    connect_it(&c);
    CHECK(c.result == SOCKET_ERROR && c.error == WSAEFAULT, "D WSAConnect: 33 octets of caller data");
    close_both(c.s, l);
}

/* A refusal that says why. */
static void refusals(void)
{
    struct connecting c;
    SOCKET l, server;
    HANDLE thread;
    char data[64];
    int len = sizeof data;

    memset(&c, 0, sizeof c);
    c.data = "hello";
    l = iso_listener(ISOPROTO_TP2, &c.to);
    CHECK_EQ(setsockopt(l, SOL_SOCKET, SO_DISCDATA, "go away", 7), 0, "D NT DDK 6.5: SO_DISCDATA");
    c.s = iso_socket(ISOPROTO_TP2);
    thread = CreateThread(NULL, 0, connect_it, &c, 0, NULL);
    server = WSAAccept(l, NULL, NULL, answer, CF_REJECT);
    CHECK(server == INVALID_SOCKET && WSAGetLastError() == WSAECONNREFUSED, "D WSAAccept: CF_REJECT");
    REQUIRE(WaitForSingleObject(thread, CHECK_WAIT_MS) == WAIT_OBJECT_0);
    CHECK(c.result == SOCKET_ERROR && c.error == WSAECONNREFUSED, "D WSAConnect");
    CHECK_EQ(getsockopt(c.s, SOL_SOCKET, SO_DISCDATA, data, &len), 0, "D NT DDK 6.5: SO_DISCDATA");
    CHECK(len == 7 && memcmp(data, "go away", 7) == 0, "choice: the refusal's data");
    len = sizeof data;
    CHECK_EQ(getsockopt(c.s, SOL_SOCKET, SO_DISCOPT, data, &len), 0, "D NT DDK 6.5: SO_DISCOPT");
    CHECK(len == 1 && (unsigned char)data[0] == 0x88, "RFC 905 13.5.3: the reason");
    CloseHandle(thread);
    close_both(c.s, l);
}

static void ends_that_are_not_graceful(void)
{
    SOCKET client, server;
    char buffer[8];

    iso_pair(ISOPROTO_TP2, &client, &server);
    CHECK_EQ(send(client, "lost?", 5, 0), 5, "setup");
    close_with_rst(client);
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAECONNRESET, "RFC 1859 2.4: an abort");
    closesocket(server);

    iso_pair(ISOPROTO_TP2, &client, &server);
    CHECK_EQ(send(client, "last", 4, 0), 4, "setup");
    closesocket(client);
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 4, "D closesocket: graceful");
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAEDISCON, "D closesocket: graceful");
    closesocket(server);
}

/* Both speak last. */
static void both_at_once(void)
{
    SOCKET client, server;
    char into[64];
    WSABUF from_client = data_of("from the client", 15), from_server = data_of("from the server", 15), in;

    iso_pair(ISOPROTO_TP2, &client, &server);
    CHECK_EQ(WSASendDisconnect(client, &from_client), 0, SEND_PAGE);
    CHECK_EQ(WSASendDisconnect(server, &from_server), 0, SEND_PAGE);
    CHECK_FAIL(recv(client, into, 1, 0), WSAEDISCON, "RFC 905 6.7.5: DR crossing DR");
    CHECK_FAIL(recv(server, into, 1, 0), WSAEDISCON, "RFC 905 6.7.5: DR crossing DR");
    in = data_of(into, sizeof into);
    CHECK_EQ(WSARecvDisconnect(client, &in), 0, RECV_PAGE);
    CHECK(in.len == 15 && memcmp(into, "from the server", 15) == 0, RECV_PAGE);
    in = data_of(into, sizeof into);
    CHECK_EQ(WSARecvDisconnect(server, &in), 0, RECV_PAGE);
    CHECK(in.len == 15 && memcmp(into, "from the client", 15) == 0, RECV_PAGE);
    close_both(client, server);
}

/* Receives everything and the last words; gives the octets of the messages. */
static ULONGLONG drain(SOCKET s, char *words, u_long *count)
{
    static char into[1 << 16];
    ULONGLONG total = 0;
    WSABUF in = data_of(words, 64);
    int got;

    while ((got = recv(s, into, sizeof into, 0)) > 0)
        total += (ULONGLONG)got;
    CHECK_EQ(WSAGetLastError(), WSAEDISCON, ORDERLY);
    CHECK_EQ(WSARecvDisconnect(s, &in), 0, RECV_PAGE);
    *count = in.len;
    return total;
}

/* The peer takes nothing: the call returns at once, and everything arrives when it does. */
static void a_full_window(BOOL closes_the_handle)
{
    SOCKET client, server;
    static char message[50000];
    char words[64];
    WSABUF last = data_of("in the end", 10);
    ULONGLONG sent = 0, begun;
    u_long count = 0;

    iso_pair(ISOPROTO_TP2, &client, &server);
    set_nonblocking(client, TRUE);
    while (send(client, message, sizeof message, 0) == sizeof message)
        sent += sizeof message;
    CHECK_EQ(WSAGetLastError(), WSAEWOULDBLOCK, "D send");
    CHECK(sent > 0, "setup");
    begun = GetTickCount64();
    CHECK_EQ(WSASendDisconnect(client, &last), 0, SEND_PAGE);
    if (closes_the_handle)
        CHECK_EQ(closesocket(client), 0, "D closesocket: graceful");
    CHECK(GetTickCount64() - begun < 1000, "S 002: it never blocks");
    CHECK_EQ(drain(server, words, &count), sent, ORDERLY);
    CHECK(count == 10 && memcmp(words, "in the end", 10) == 0, SEND_PAGE);
    if (!closes_the_handle)
        closesocket(client);
    closesocket(server);
}

/* RFC 1277: six octets in front, twelve digits of the host, five of the port, two in an octet. */
static u_short port_of(const SOCKADDR_TP *at)
{
    const unsigned char *network = at->tp_addr + at->tp_tsel_len;
    u_short port = 0;
    int i;

    for (i = 24; i < 29; i++)
        port = (u_short)(port * 10 + (i % 2 == 0 ? network[i / 2] >> 4 : network[i / 2] & 15));
    return port;
}

/* A peer that speaks by hand: asks for class 2, and answers nothing. */
static SOCKET silent_peer(SOCKET l, const SOCKADDR_TP *at, SOCKET *server)
{
    static const char request[] = "\3\0\0\13\6\340\0\0\0\167\40";
    struct sockaddr_in to;
    char confirm[64];
    SOCKET s = tcp_socket();

    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_port = htons(port_of(at));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(s, (struct sockaddr *)&to, sizeof to) == 0);
    REQUIRE(send(s, request, sizeof request - 1, 0) == sizeof request - 1);
    *server = accept(l, NULL, NULL);
    REQUIRE(*server != INVALID_SOCKET);
    limit_waits(s);
    CHECK(recv(s, confirm, sizeof confirm, 0) > 5 && (confirm[5] & 0xf0) == 0xd0, "RFC 905: CC");
    return s;
}

/* closesocket with a linger time waits for the peer's confirm; what is not acknowledged then is taken back. */
static void a_linger_time(BOOL full)
{
    SOCKADDR_TP at;
    SOCKET l = iso_listener(ISOPROTO_TP2, &at), server, peer = silent_peer(l, &at, &server);
    struct linger one_second = {1, 1};
    static char message[50000], into[1 << 16];
    ULONGLONG begun;
    int got;

    if (full) {
        set_nonblocking(server, TRUE);
        while (send(server, message, sizeof message, 0) == sizeof message)
            ;
        CHECK_EQ(WSAGetLastError(), WSAEWOULDBLOCK, "D send");
        CHECK_EQ(setsockopt(server, SOL_SOCKET, SO_LINGER, (char *)&one_second, sizeof one_second), 0, "setup");
        CHECK_FAIL(closesocket(server), WSAEWOULDBLOCK, "D closesocket: a non-blocking socket would linger");
        set_nonblocking(server, FALSE);
    } else {
        CHECK_EQ(setsockopt(server, SOL_SOCKET, SO_LINGER, (char *)&one_second, sizeof one_second), 0, "setup");
    }
    begun = GetTickCount64();
    CHECK_EQ(closesocket(server), 0, "D closesocket");
    begun = GetTickCount64() - begun;
    CHECK(begun > 800 && begun < 4000, "choice: it waits for the confirm that long");
    while ((got = recv(peer, into, sizeof into, 0)) > 0)
        ;
    if (full)
        CHECK(got < 0 && WSAGetLastError() == WSAECONNRESET, "D closesocket: a hard close");
    else
        CHECK_EQ(got, 0, "D closesocket: all data is sent, no hard close");
    closesocket(peer);
    closesocket(l);
}

static DWORD WINAPI hear_the_end(void *argument)
{
    char octet;

    CHECK_FAIL(recv((SOCKET)(ULONG_PTR)argument, &octet, 1, 0), WSAEDISCON, ORDERLY);
    return 0;
}

/* ... and no longer than until the confirm is there. */
static void a_confirm_ends_the_linger_time(void)
{
    SOCKET client, server;
    struct linger long_time = {1, 20};
    ULONGLONG begun;
    HANDLE thread;

    iso_pair(ISOPROTO_TP2, &client, &server);
    thread = CreateThread(NULL, 0, hear_the_end, (void *)(ULONG_PTR)server, 0, NULL);
    CHECK_EQ(setsockopt(client, SOL_SOCKET, SO_LINGER, (char *)&long_time, sizeof long_time), 0, "setup");
    begun = GetTickCount64();
    CHECK_EQ(closesocket(client), 0, "D closesocket");
    CHECK(GetTickCount64() - begun < 5000, "choice: it waits for the confirm");
    CHECK_EQ(WaitForSingleObject(thread, CHECK_WAIT_MS), WAIT_OBJECT_0, "setup");
    CloseHandle(thread);
    closesocket(server);
}

/* A thousand messages of all sizes, and the words behind them. */
static DWORD WINAPI send_them_all(void *argument)
{
    SOCKET s = (SOCKET)(ULONG_PTR)argument;
    WSABUF last = data_of("that was all", 12);
    static char message[70000];
    int i;

    for (i = 1; i <= 1000; i++) {
        memcpy(message, &i, sizeof i);
        CHECK_EQ(send(s, message, 4 + i * 66, 0), 4 + i * 66, "D send");
    }
    CHECK_EQ(WSASendDisconnect(s, &last), 0, SEND_PAGE);
    CHECK_EQ(closesocket(s), 0, "D closesocket");
    return 0;
}

static void many_in_order(void)
{
    SOCKET client, server;
    HANDLE thread;
    static char into[70000];
    char words[64];
    WSABUF in = data_of(words, sizeof words);
    int i, number;

    iso_pair(ISOPROTO_TP2, &client, &server);
    thread = CreateThread(NULL, 0, send_them_all, (void *)(ULONG_PTR)client, 0, NULL);
    for (i = 1; i <= 1000; i++) {
        CHECK_EQ(recv(server, into, sizeof into, 0), 4 + i * 66, ORDERLY);
        memcpy(&number, into, sizeof number);
        CHECK_EQ(number, i, ORDERLY);
    }
    CHECK_FAIL(recv(server, into, sizeof into, 0), WSAEDISCON, ORDERLY);
    CHECK_EQ(WSARecvDisconnect(server, &in), 0, RECV_PAGE);
    CHECK(in.len == 12 && memcmp(words, "that was all", 12) == 0, RECV_PAGE);
    CHECK_EQ(WaitForSingleObject(thread, CHECK_WAIT_MS), WAIT_OBJECT_0, "setup");
    CloseHandle(thread);
    closesocket(server);
}

static struct {
    int calls;
    DWORD error, bytes, flags;
} routine_saw;

static void CALLBACK note_completion(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
    (void)ov;
    routine_saw.calls++;
    routine_saw.error = error;
    routine_saw.bytes = bytes;
    routine_saw.flags = flags;
}

/* Completion routines: a message, a part of one, and the end, each in an alertable wait and not before. */
static void completion_routines(void)
{
    SOCKET client, server;
    WSAOVERLAPPED ov;
    char into[8];
    WSABUF in = data_of(into, sizeof into);
    DWORD flags = 0;

    iso_pair(ISOPROTO_TP2, &client, &server);
    memset(&ov, 0, sizeof ov);
    CHECK_WSA_PENDS(WSARecv(server, &in, 1, NULL, &flags, &ov, note_completion), "D WSARecv");
    CHECK_EQ(send(client, "message", 7, 0), 7, "setup");
    Sleep(CHECK_QUIET_MS);
    CHECK_EQ(routine_saw.calls, 0, "D WSARecv: in an alertable wait only");
    CHECK_EQ(SleepEx(CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, "D WSARecv");
    CHECK(routine_saw.calls == 1 && routine_saw.error == 0 && routine_saw.bytes == 7, "D WSARecv");
    CHECK_EQ(routine_saw.flags, 0, "D WSARecv: the whole message");
    CHECK_WSA_PENDS(WSARecv(server, &in, 1, NULL, &flags, &ov, note_completion), "D WSARecv");
    CHECK_EQ(send(client, "123456789", 9, 0), 9, "setup");
    CHECK_EQ(SleepEx(CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, "D WSARecv");
    CHECK(routine_saw.calls == 2 && routine_saw.bytes == 8, "D WSARecv: as much as fits");
    CHECK_EQ(routine_saw.error, WSAEMSGSIZE, "D WSARecv: WSAEMSGSIZE");
    flags = 0;
    if (WSARecv(server, &in, 1, NULL, &flags, &ov, note_completion) != 0)
        CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING, "D WSARecv");
    CHECK_EQ(SleepEx(CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, "D WSARecv");
    CHECK(routine_saw.calls == 3 && routine_saw.bytes == 1 && routine_saw.error == 0, "D WSARecv: the rest");
    flags = 0;
    CHECK_WSA_PENDS(WSARecv(server, &in, 1, NULL, &flags, &ov, note_completion), "D WSARecv");
    CHECK_EQ(WSASendDisconnect(client, NULL), 0, SEND_PAGE);
    CHECK_EQ(SleepEx(CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, "D WSARecv");
    CHECK(routine_saw.calls == 4 && routine_saw.bytes == 0, "D WSARecv");
    CHECK_EQ(routine_saw.error, WSAEDISCON, "D WSARecv: WSAEDISCON");
    close_both(client, server);
}

/* The same over IPv6, whose addresses with a port have no form but text. */
static void over_ipv6(void)
{
    SOCKADDR_TP any = address_of("v6@[::1]:0");
    struct connecting c;
    SOCKET l = iso_socket(ISOPROTO_TP2), server;
    HANDLE thread;
    int len = sizeof c.to;

    memset(&c, 0, sizeof c);
    if (bind(l, (struct sockaddr *)&any, sizeof any) != 0) {
        printf("disconnect_data: no IPv6 here\n");
        closesocket(l);
        return;
    }
    CHECK_EQ(listen(l, 1), 0, "setup");
    CHECK_EQ(getsockname(l, (struct sockaddr *)&c.to, &len), 0, "D getsockname");
    CHECK_EQ(c.to.tp_addr_type, ISO_NON_HIERARCHICAL, "choice: text where the standards have no port");
    c.s = iso_socket(ISOPROTO_TP2);
    thread = CreateThread(NULL, 0, connect_it, &c, 0, NULL);
    server = accept(l, NULL, NULL);
    REQUIRE(WaitForSingleObject(thread, CHECK_WAIT_MS) == WAIT_OBJECT_0);
    CloseHandle(thread);
    CHECK_EQ(c.result, 0, "D WSAConnect");
    check_transfer(c.s, server, "D WSAConnect");
    close_both(c.s, server);
    closesocket(l);
}

/* ConnectEx to a listener whose AcceptEx waits; both contexts updated. */
static BOOL iso_ex_connect(SOCKET l, SOCKET acceptor, SOCKET connector, const SOCKADDR_TP *at)
{
    static char addresses[2 * (sizeof(SOCKADDR_TP) + 16)];
    SOCKADDR_TP *local = NULL, *remote = NULL;
    int local_len = 0, remote_len = 0;
    HANDLE a_event = new_event(), c_event = new_event();
    OVERLAPPED a, c;
    DWORD bytes;
    BOOL ok;

    ov_init(&a, a_event);
    ov_init(&c, c_event);
    CHECK_PENDS(ext()->accept_ex(l, acceptor, addresses, 0, sizeof addresses / 2, sizeof addresses / 2, &bytes, &a), "D AcceptEx");
    CHECK_PENDS(ext()->connect_ex(connector, (const struct sockaddr *)at, sizeof *at, NULL, 0, NULL, &c), "D ConnectEx");
    ok = finish(connector, &c, NULL) == 0 && finish(l, &a, NULL) == 0;
    ok = ok && setsockopt(acceptor, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&l, sizeof l) == 0;
    ok = ok && setsockopt(connector, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0) == 0;
    if (ok) {
        ext()->get_accept_ex_sockaddrs(addresses, 0, sizeof addresses / 2, sizeof addresses / 2,
                                       (struct sockaddr **)&local, &local_len, (struct sockaddr **)&remote, &remote_len);
        CHECK_EQ(local_len, sizeof *local, "D GetAcceptExSockaddrs");
        CHECK_EQ(remote_len, sizeof *remote, "D GetAcceptExSockaddrs");
        CHECK_EQ(memcmp(local, at, sizeof *at), 0, "D GetAcceptExSockaddrs: the selector and the host");
        CHECK_EQ(remote->tp_tsel_len, 6, "D GetAcceptExSockaddrs: who asked");
    }
    CloseHandle(a_event);
    CloseHandle(c_event);
    return ok;
}

/* The handles go on: DisconnectEx with disconnect data, AcceptEx and ConnectEx again. */
static void reuse(int protocol)
{
    SOCKADDR_TP any = address_of("client@0.0.0.0:0"), at;
    SOCKET l = iso_listener(protocol, &at), client = iso_socket(protocol), server = iso_socket(protocol);
    HANDLE event = new_event();
    char buffer[16];
    int round;

    CHECK_EQ(bind(client, (struct sockaddr *)&any, sizeof any), 0, "D ConnectEx: a bound socket");
    for (round = 0; round < 20; round++) {
        OVERLAPPED ov;

        if (!CHECK(iso_ex_connect(l, server, client, &at), "S 000: the handles can be used again"))
            break;
        check_transfer(client, server, "S 000");
        check_transfer(server, client, "S 000");
        ov_init(&ov, event);
        if (protocol == ISOPROTO_TP2)
            CHECK_EQ(setsockopt(client, SOL_SOCKET, SO_DISCDATA, "next", 4), 0, "D NT DDK 6.5: SO_DISCDATA");
        CHECK_PENDS(ext()->disconnect_ex(client, &ov, TF_REUSE_SOCKET, 0), "S 000");
        CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAEDISCON, "S 000: the peer sees a graceful end");
        if (protocol == ISOPROTO_TP2) {
            WSABUF in = data_of(buffer, sizeof buffer);

            CHECK_EQ(WSARecvDisconnect(server, &in), 0, RECV_PAGE);
            CHECK(in.len == 4 && memcmp(buffer, "next", 4) == 0, RECV_PAGE);
        }
        CHECK(ext()->disconnect_ex(server, NULL, TF_REUSE_SOCKET, 0), "S 000");
        CHECK_EQ(finish(client, &ov, NULL), 0, "S 000");
    }
    CloseHandle(event);
    close_both(client, server);
    closesocket(l);
}

/* Overlapped, on a port: as on TCP, but for the end. */
static void on_a_port(void)
{
    SOCKET client, server;
    HANDLE port = new_port();
    OVERLAPPED receiving, sending;
    char into[8], bye[] = "bye";
    WSABUF in = data_of(into, sizeof into), out = data_of("message", 7), last = data_of(bye, 3);
    DWORD flags = 0;
    struct packet p;

    iso_pair(ISOPROTO_TP2, &client, &server);
    associate(server, port, 5);
    ov_init(&receiving, NULL);
    ov_init(&sending, NULL);
    CHECK_WSA_PENDS(WSARecv(server, &in, 1, NULL, &flags, &receiving, NULL), "D WSARecv");
    CHECK_EQ(send(client, "12345678", 8, 0), 8, "setup");
    CHECK_PACKET(port, 5, &receiving, 8, 0, "D WSARecv: a message that fills the buffer");
    CHECK_WSA_PENDS(WSARecv(server, &in, 1, NULL, &flags, &receiving, NULL), "D WSARecv");
    CHECK_EQ(send(client, "123456789", 9, 0), 9, "setup");
    p = next_packet(port, CHECK_WAIT_MS);
    CHECK(p.ov == &receiving && p.bytes == 8, "D WSARecv: as much as fits");
    CHECK_EQ((DWORD)receiving.Internal, 0x80000005u, "D WSARecv: STATUS_BUFFER_OVERFLOW");
    flags = 0;
    if (WSARecv(server, &in, 1, NULL, &flags, &receiving, NULL) != 0)
        CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING, "D WSARecv");
    CHECK_PACKET(port, 5, &receiving, 1, 0, "D WSARecv: and the rest");
    if (WSASend(server, &out, 1, NULL, 0, &sending, NULL) != 0)
        CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING, "D WSASend");
    CHECK_PACKET(port, 5, &sending, 7, 0, "D WSASend");
    flags = 0;
    CHECK_WSA_PENDS(WSARecv(server, &in, 1, NULL, &flags, &receiving, NULL), "D WSARecv");
    CHECK_EQ(WSASendDisconnect(client, &last), 0, SEND_PAGE);
    p = next_packet(port, CHECK_WAIT_MS);
    CHECK(!p.ok && p.ov == &receiving, "D WSARecv: WSAEDISCON for what pends");
    CHECK_EQ((DWORD)receiving.Internal, 0xC0000237u, "D WSARecv: STATUS_GRACEFUL_DISCONNECT");
    last = data_of(into, sizeof into);
    CHECK_EQ(WSARecvDisconnect(server, &last), 0, RECV_PAGE);
    CHECK(last.len == 3 && memcmp(into, "bye", 3) == 0, RECV_PAGE);
    close_both(client, server);
    CloseHandle(port);
}

/* select, WSAPoll and WSAEventSelect see messages and ends, not octets of TCP. */
static void readiness(void)
{
    struct connecting c;
    SOCKET l, server;
    HANDLE thread, event = WSACreateEvent();
    WSANETWORKEVENTS events;
    char buffer[16];

    memset(&c, 0, sizeof c);
    l = iso_listener(ISOPROTO_TP2, &c.to);
    CHECK(!readable(l, CHECK_QUIET_MS), "D select: nobody connects");
    c.s = iso_socket(ISOPROTO_TP2);
    thread = CreateThread(NULL, 0, connect_it, &c, 0, NULL);
    CHECK(readable(l, CHECK_WAIT_MS), "D select: a connection was asked for");
    server = accept(l, NULL, NULL);
    REQUIRE(server != INVALID_SOCKET);
    REQUIRE(WaitForSingleObject(thread, CHECK_WAIT_MS) == WAIT_OBJECT_0);
    CloseHandle(thread);
    CHECK(!readable(l, 0), "D select: it was taken");

    CHECK(!readable(server, 0), "D select");
    CHECK_EQ(send(c.s, "a", 1, 0), 1, "setup");
    CHECK_EQ(send(c.s, "b", 1, 0), 1, "setup");
    CHECK(readable(server, CHECK_WAIT_MS), "D select: a message");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 1, "setup");
    CHECK(readable(server, 0), "D select: the next message, though the kernel has nothing more");
    CHECK_EQ(poll_for(server, POLLIN | POLLOUT, POLLIN), POLLRDNORM | POLLWRNORM, "D WSAPoll");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 1, "setup");
    CHECK_EQ(send(c.s, "par", 3, MSG_PARTIAL), 3, "setup");
    CHECK(readable(server, CHECK_WAIT_MS), "choice: a part of a message is enough for a small buffer");
    CHECK_EQ(send(c.s, "t", 1, 0), 1, "setup");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 4, "setup");

    CHECK_EQ(WSAEventSelect(server, event, FD_READ | FD_WRITE | FD_CLOSE), 0, "D WSAEventSelect");
    CHECK_EQ(WSAEnumNetworkEvents(server, event, &events), 0, "setup");
    CHECK_EQ(events.lNetworkEvents, FD_WRITE, "D WSAEventSelect");
    CHECK_EQ(send(c.s, "last", 4, 0), 4, "setup");
    CHECK(is_set(event, CHECK_WAIT_MS), "D WSAEventSelect: FD_READ");
    CHECK_EQ(WSAEnumNetworkEvents(server, event, &events), 0, "setup");
    CHECK_EQ(events.lNetworkEvents, FD_READ, "D WSAEventSelect: FD_READ");
    CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 4, "setup");
    CHECK_EQ(WSASendDisconnect(c.s, NULL), 0, "setup");
    CHECK(is_set(event, CHECK_WAIT_MS), "D WSAEventSelect: FD_CLOSE");
    CHECK_EQ(WSAEnumNetworkEvents(server, event, &events), 0, "setup");
    CHECK(events.lNetworkEvents == FD_CLOSE && events.iErrorCode[FD_CLOSE_BIT] == 0, "D WSAEventSelect: FD_CLOSE, graceful");
    CHECK(readable(server, 0), "D select: the end");
    CHECK_FAIL(recv(server, buffer, sizeof buffer, 0), WSAEDISCON, "D WSARecv");
    close_both(c.s, server);
    closesocket(l);
    WSACloseEvent(event);
}

int main(void)
{
    static const u_long sizes[] = { 0, 1, 63, 64 };
    unsigned i;

    check_begin("disconnect_data");
    messages(ISOPROTO_TP2);
    messages(ISOPROTO_TP0);
    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        the_data_arrives(sizes[i]);
    too_much_is_refused();
    connect_data(ISOPROTO_TP2);
    connect_data(ISOPROTO_TP0);
    refusals();
    ends_that_are_not_graceful();
    both_at_once();
    reuse(ISOPROTO_TP2);
    reuse(ISOPROTO_TP0);
    on_a_port();
    readiness();
    a_full_window(FALSE);
    a_full_window(TRUE);
    over_ipv6();
    a_linger_time(FALSE);
    a_linger_time(TRUE);
    a_confirm_ends_the_linger_time();
    many_in_order();
    completion_routines();
    return check_end();
}
