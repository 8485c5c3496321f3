/*
 * across.c - a socket that two processes have: WSADuplicateSocket for another process, and sockets that a process
 * inherits. The program starts itself as the other one, which does what it is told through a pipe and answers through
 * another.
 */
#include "check.h"

#define PAGE "D WSADuplicateSocket"
#define ONE_SOCKET "D WSADuplicateSocket: only one underlying socket"
#define LAST "D WSADuplicateSocket: open until closed by the last descriptor"
#define ONCE "D WSASocketW: the information is good for one socket"

enum act { TAKE, SEND, RECV, ACCEPT, SHUT, CLOSE, HARD_CLOSE, NAMES, OPTIONS, THROUGH_PORT, DISCONNECT, RECYCLE, LISTEN, SEND_TO };

struct order {
    enum act act;
    struct sockaddr_in to;
    WSAPROTOCOL_INFOW info;
};

struct answer {
    int result;
    int error;
    int more[2];
    char text[16];
};

/* ---- the other process ---------------------------------------------------------------------------------- */

static BOOL move(HANDLE h, void *octets, DWORD size, BOOL reads)
{
    DWORD at = 0, moved;

    for (; at < size; at += moved)
        if (!(reads ? ReadFile(h, (char *)octets + at, size - at, &moved, NULL)
                    : WriteFile(h, (char *)octets + at, size - at, &moved, NULL)) || moved == 0)
            return FALSE;
    return TRUE;
}

static void names(SOCKET s, struct answer *answer)
{
    struct sockaddr_in name;
    int len = sizeof name;

    answer->result = getsockname(s, (struct sockaddr *)&name, &len);
    answer->more[0] = name.sin_port;
    len = sizeof name;
    if (getpeername(s, (struct sockaddr *)&name, &len) != 0)
        answer->error = WSAGetLastError();
    answer->more[1] = name.sin_port;
}

static void options(SOCKET s, struct answer *answer)
{
    int len = sizeof(int);

    answer->result = getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&answer->more[0], &len);
    len = sizeof(int);
    if (getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, (char *)&answer->more[1], &len) != 0)
        answer->error = WSAGetLastError();
}

static void through_port(SOCKET s, struct answer *answer)
{
    HANDLE port = CreateIoCompletionPort((HANDLE)s, NULL, 7, 1);
    WSABUF buffer;
    OVERLAPPED ov, *done = NULL;
    ULONG_PTR key = 0;
    DWORD octets = 0, flags = 0;

    buffer.buf = answer->text;
    buffer.len = sizeof answer->text;
    ov_init(&ov, NULL);
    answer->result = WSARecv(s, &buffer, 1, NULL, &flags, &ov, NULL);
    answer->error = answer->result == 0 ? 0 : WSAGetLastError();
    if (answer->error != 0 && answer->error != WSA_IO_PENDING)
        return;
    if (!GetQueuedCompletionStatus(port, &octets, &key, &done, CHECK_WAIT_MS) || done != &ov || key != 7)
        answer->error = -1;
    answer->result = (int)octets;
    CloseHandle(port);
}

static void obey(SOCKET *s, struct order *order, struct answer *answer)
{
    struct linger hard = {1, 0};
    SOCKET former = *s;

    switch (order->act) {
    case TAKE:
        *s = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &order->info, 0,
                        WSA_FLAG_OVERLAPPED);
        answer->result = *s == INVALID_SOCKET ? -1 : 0;
        break;
    case SEND:
        answer->result = send(*s, "from the child", 14, 0);
        break;
    case RECV:
        answer->result = recv(*s, answer->text, sizeof answer->text, 0);
        break;
    case ACCEPT:
        *s = accept(former, NULL, NULL);
        answer->result = *s == INVALID_SOCKET ? -1 : 0;
        closesocket(former);
        break;
    case SHUT:
        answer->result = shutdown(*s, SD_BOTH);
        break;
    case HARD_CLOSE:
        setsockopt(*s, SOL_SOCKET, SO_LINGER, (char *)&hard, sizeof hard);
        /* fall through */
    case CLOSE:
        answer->result = closesocket(*s);
        break;
    case NAMES:
        names(*s, answer);
        return;
    case OPTIONS:
        options(*s, answer);
        return;
    case THROUGH_PORT:
        through_port(*s, answer);
        return;
    case DISCONNECT:
        answer->result = ext()->disconnect_ex(*s, NULL, 0, 0) ? 0 : -1;
        break;
    case RECYCLE:
        answer->result = ext()->disconnect_ex(*s, NULL, TF_REUSE_SOCKET, 0) ? 0 : -1;
        break;
    case LISTEN:
        answer->result = listen(*s, 5);
        break;
    case SEND_TO:
        answer->result = sendto(*s, "from the child", 14, 0, (struct sockaddr *)&order->to, sizeof order->to);
        break;
    }
    answer->error = answer->result < 0 ? WSAGetLastError() : 0;
}

/* Knows of no sockets. */
static int filter(void)
{
    char line[64];

    if (!fgets(line, sizeof line, stdin))
        return 4;
    return printf("heard %s", line) > 0 && fflush(stdout) == 0 ? 0 : 5;
}

static int child(SOCKET s)
{
    HANDLE from = GetStdHandle(STD_INPUT_HANDLE), to = GetStdHandle(STD_OUTPUT_HANDLE);
    struct order order;
    struct answer answer;
    WSADATA data;

    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 2;
    while (move(from, &order, sizeof order, TRUE)) {
        memset(&answer, 0, sizeof answer);
        obey(&s, &order, &answer);
        if (!move(to, &answer, sizeof answer, FALSE))
            return 3;
    }
    WSACleanup();
    return 0;
}

/* ---- this one ------------------------------------------------------------------------------------------- */

static char self[600];

struct other {
    PROCESS_INFORMATION info;
    HANDLE orders;
    HANDLE answers;
};

static struct other start_with(SOCKET s, BOOL inherits)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, TRUE};
    STARTUPINFOA startup;
    struct other other;
    HANDLE input, output;
    char line[700];

    REQUIRE(CreatePipe(&input, &other.orders, &attributes, 0));
    REQUIRE(CreatePipe(&other.answers, &output, &attributes, 0));
    REQUIRE(SetHandleInformation(other.orders, HANDLE_FLAG_INHERIT, 0));
    REQUIRE(SetHandleInformation(other.answers, HANDLE_FLAG_INHERIT, 0));
    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = input;
    startup.hStdOutput = output;
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    snprintf(line, sizeof line, "\"%s\" child %llu", self, (unsigned long long)s);
    REQUIRE(CreateProcessA(NULL, line, NULL, NULL, inherits, 0, NULL, NULL, &startup, &other.info));
    CloseHandle(input);
    CloseHandle(output);
    return other;
}

static struct other start(void)
{
    return start_with(INVALID_SOCKET, TRUE);
}

static void end(struct other *other)
{
    DWORD code = CHECK_UNSET;

    CloseHandle(other->orders);
    CHECK(is_set(other->info.hProcess, CHECK_WAIT_MS), "D CreateProcess");
    CHECK(GetExitCodeProcess(other->info.hProcess, &code) && code == 0, "choice: the child found nothing wrong");
    CloseHandle(other->answers);
    CloseHandle(other->info.hThread);
    CloseHandle(other->info.hProcess);
}

static struct answer tell(struct other *other, struct order order)
{
    struct answer answer;

    memset(&answer, 0xCC, sizeof answer);
    REQUIRE(move(other->orders, &order, sizeof order, FALSE));
    REQUIRE(move(other->answers, &answer, sizeof answer, TRUE));
    return answer;
}

static struct answer ask(struct other *other, enum act act)
{
    struct order order;

    memset(&order, 0, sizeof order);
    order.act = act;
    return tell(other, order);
}

static struct order duplicate(SOCKET s, struct other *other)
{
    struct order order;

    memset(&order, 0, sizeof order);
    order.act = TAKE;
    CHECK_EQ(WSADuplicateSocketW(s, other->info.dwProcessId, &order.info), 0, PAGE);
    return order;
}

static void give(SOCKET s, struct other *other)
{
    CHECK_EQ(tell(other, duplicate(s, other)).result, 0, PAGE);
}

static void check_gets(SOCKET s, const char *text, const char *source)
{
    char got[32] = "";

    CHECK_EQ(recv(s, got, sizeof got, 0), (int)strlen(text), source);
    CHECK(memcmp(got, text, strlen(text)) == 0, source);
}

static void check_ended(SOCKET s, const char *source)
{
    char octet;

    CHECK_EQ(recv(s, &octet, 1, 0), 0, source);
}

/* Nothing more is asked of it when it has been given away. */
static void given_away(void)
{
    struct other other = start();
    SOCKET client, server;
    struct answer answer;

    tcp_pair(&client, &server);
    limit_waits(client);
    give(server, &other);
    CHECK_EQ(closesocket(server), 0, LAST);
    CHECK(!readable(client, CHECK_QUIET_MS), LAST);
    CHECK_EQ(send(client, "question", 8, 0), 8, LAST);
    answer = ask(&other, RECV);
    CHECK(answer.result == 8 && memcmp(answer.text, "question", 8) == 0, ONE_SOCKET);
    CHECK_EQ(ask(&other, SEND).result, 14, ONE_SOCKET);
    check_gets(client, "from the child", ONE_SOCKET);
    CHECK_EQ(ask(&other, CLOSE).result, 0, LAST);
    check_ended(client, LAST);
    closesocket(client);
    end(&other);
}

/* It is there as soon as it was duplicated, though nobody has asked for it. */
static void closed_before_it_is_taken(void)
{
    struct other other = start();
    SOCKET client, server;
    struct order order;

    tcp_pair(&client, &server);
    limit_waits(client);
    order = duplicate(server, &other);
    CHECK_EQ(closesocket(server), 0, PAGE);
    CHECK(!readable(client, CHECK_QUIET_MS), LAST);
    CHECK_EQ(tell(&other, order).result, 0, LAST);
    CHECK_EQ(ask(&other, SEND).result, 14, LAST);
    check_gets(client, "from the child", LAST);
    end(&other);
    check_ended(client, "D WSACleanup: the last descriptor goes with its process");
    closesocket(client);
}

static void used_by_both(void)
{
    struct other other = start();
    SOCKET client, server;

    tcp_pair(&client, &server);
    limit_waits(client);
    give(server, &other);
    CHECK_EQ(send(server, "parent", 6, 0), 6, ONE_SOCKET);
    check_gets(client, "parent", ONE_SOCKET);
    CHECK_EQ(ask(&other, SEND).result, 14, ONE_SOCKET);
    check_gets(client, "from the child", ONE_SOCKET);
    CHECK_EQ(ask(&other, CLOSE).result, 0, LAST);
    CHECK(!readable(client, CHECK_QUIET_MS), LAST);
    check_transfer(server, client, LAST);
    check_transfer(client, server, LAST);
    close_both(client, server);
    end(&other);
}

static void hard_close_of_one(void)
{
    struct other other = start();
    SOCKET client, server;

    tcp_pair(&client, &server);
    give(server, &other);
    CHECK_EQ(ask(&other, HARD_CLOSE).result, 0, LAST);
    CHECK(!readable(client, CHECK_QUIET_MS), "D closesocket: it aborts a connection that it ends");
    check_transfer(server, client, LAST);
    close_both(client, server);
    end(&other);
}

/* Ending the connection ends it for all: by shutdown, by DisconnectEx. */
static void ended_by_one(enum act how)
{
    struct other other = start();
    SOCKET client, server;

    tcp_pair(&client, &server);
    limit_waits(client);
    limit_waits(server);
    give(server, &other);
    CHECK_EQ(ask(&other, how).result, 0, PAGE);
    check_ended(client, ONE_SOCKET);
    CHECK_EQ(send(server, "x", 1, 0), -1, ONE_SOCKET);
    CHECK(WSAGetLastError() == WSAESHUTDOWN || WSAGetLastError() == WSAECONNABORTED,
          "choice: that another process did it is not told apart");
    close_both(client, server);
    end(&other);
}

/* The end that DisconnectEx owes the peer comes though another process has the socket still. */
static void recycled(void)
{
    struct other other = start();
    SOCKET client, server;

    tcp_pair(&client, &server);
    limit_waits(client);
    give(server, &other);
    CHECK_EQ(shutdown(client, SD_SEND), 0, "D shutdown");
    CHECK_EQ(ask(&other, RECV).result, 0, "D shutdown");
    CHECK_EQ(ask(&other, RECYCLE).result, 0, "D DisconnectEx");
    check_ended(client, "D DisconnectEx: closes the connection");
    close_both(client, server);
    end(&other);
}

static void halves(void)
{
    struct other other = start();
    SOCKET client, server;
    struct answer answer;

    tcp_pair(&client, &server);
    CHECK_EQ(shutdown(server, SD_SEND), 0, "D shutdown");
    give(server, &other);
    answer = ask(&other, SEND);
    CHECK(answer.result == -1 && answer.error == WSAESHUTDOWN, ONE_SOCKET);
    CHECK_EQ(send(client, "more", 4, 0), 4, "D shutdown");
    CHECK_EQ(ask(&other, RECV).result, 4, "D shutdown");
    close_both(client, server);
    end(&other);
}

static void listeners(void)
{
    struct other other = start();
    struct sockaddr_in at;
    SOCKET l = listener(&at), client = tcp_socket(), second = tcp_socket();
    struct answer answer;

    give(l, &other);
    answer = ask(&other, OPTIONS);
    CHECK(answer.result == 0 && answer.more[1] == 1, ONE_SOCKET);
    REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    closesocket(accept_one(l));
    REQUIRE(connect(second, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK_EQ(closesocket(l), 0, LAST);
    CHECK_EQ(ask(&other, ACCEPT).result, 0, LAST);
    CHECK_EQ(ask(&other, SEND).result, 14, LAST);
    limit_waits(second);
    check_gets(second, "from the child", LAST);
    close_both(client, second);
    end(&other);
}

/* A socket that is bound, which for any port is put off, and listens there. */
static void bound(void)
{
    struct other other = start();
    SOCKET s = bound_socket(), client = tcp_socket();
    struct sockaddr_in at = name_of(s);
    struct answer answer;

    give(s, &other);
    closesocket(s);
    answer = ask(&other, NAMES);
    CHECK_EQ(answer.more[0], at.sin_port, ONE_SOCKET);
    CHECK_EQ(answer.error, WSAENOTCONN, ONE_SOCKET);
    CHECK_EQ(ask(&other, LISTEN).result, 0, ONE_SOCKET);
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, ONE_SOCKET);
    closesocket(client);
    end(&other);
}

static void what_is_known(void)
{
    struct other other = start();
    SOCKET client, server;
    struct answer answer;
    DWORD ms = 4321;

    tcp_pair(&client, &server);
    CHECK_EQ(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof ms), 0, "D setsockopt");
    set_nonblocking(server, TRUE);
    give(server, &other);
    answer = ask(&other, NAMES);
    CHECK(answer.result == 0 && answer.error == 0, ONE_SOCKET);
    CHECK_EQ(answer.more[0], name_of(server).sin_port, ONE_SOCKET);
    CHECK_EQ(answer.more[1], name_of(client).sin_port, ONE_SOCKET);
    answer = ask(&other, OPTIONS);
    CHECK(answer.result == 0 && answer.more[0] == 4321, ONE_SOCKET);
    answer = ask(&other, RECV);
    CHECK(answer.result == -1 && answer.error == WSAEWOULDBLOCK, "D WSADuplicateSocket: FIONBIO is the socket's");
    close_both(client, server);
    end(&other);
}

static void overlapped(void)
{
    struct other other = start();
    SOCKET client, server;
    struct answer answer;

    tcp_pair(&client, &server);
    give(server, &other);
    closesocket(server);
    CHECK_EQ(send(client, "by a port", 9, 0), 9, PAGE);
    answer = ask(&other, THROUGH_PORT);
    CHECK(answer.result == 9 && memcmp(answer.text, "by a port", 9) == 0, ONE_SOCKET);
    closesocket(client);
    end(&other);
}

/* What pends when the socket is duplicated stays with who began it. */
static void pending(void)
{
    struct other other = start();
    SOCKET client, server;
    OVERLAPPED ov;
    WSABUF buffer;
    char octets[8];
    DWORD flags = 0, got = 0;

    tcp_pair(&client, &server);
    ov_init(&ov, new_event());
    buffer.buf = octets;
    buffer.len = sizeof octets;
    CHECK_WSA_PENDS(WSARecv(server, &buffer, 1, NULL, &flags, &ov, NULL), PAGE);
    give(server, &other);
    CHECK(stays_pending(&ov, CHECK_QUIET_MS), "choice: it stays with who began it");
    CHECK_EQ(send(client, "mine", 4, 0), 4, PAGE);
    CHECK_EQ(finish(server, &ov, &got), 0, "choice: it stays with who began it");
    CHECK_EQ(got, 4, "choice: it stays with who began it");
    CloseHandle(ov.hEvent);
    close_both(client, server);
    end(&other);
}

static void datagrams(void)
{
    struct other other = start();
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0), peer = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in from;
    struct order order;
    struct answer answer;
    char text[32];
    int len = sizeof from;

    bind_loopback(s);
    bind_loopback(peer);
    limit_waits(peer);
    give(s, &other);
    memset(&order, 0, sizeof order);
    order.act = SEND_TO;
    order.to = name_of(peer);
    CHECK_EQ(tell(&other, order).result, 14, ONE_SOCKET);
    CHECK_EQ(recvfrom(peer, text, sizeof text, 0, (struct sockaddr *)&from, &len), 14, ONE_SOCKET);
    CHECK_EQ(from.sin_port, name_of(s).sin_port, ONE_SOCKET);
    CHECK_EQ(closesocket(s), 0, LAST);
    CHECK_EQ(sendto(peer, "reply", 5, 0, (struct sockaddr *)&from, sizeof from), 5, LAST);
    answer = ask(&other, RECV);
    CHECK(answer.result == 5 && memcmp(answer.text, "reply", 5) == 0, LAST);
    closesocket(peer);
    end(&other);
}

/* It is the socket of the process that it was made for, and of no other. */
static void refused(void)
{
    struct other other = start(), third = start();
    SOCKET client, server;
    WSAPROTOCOL_INFOW info;
    struct order order;
    struct answer answer;
    DWORD nobody;

    tcp_pair(&client, &server);
    order = duplicate(server, &other);
    CHECK_EQ(WSASocketW(-1, -1, -1, &order.info, 0, 0), INVALID_SOCKET, PAGE);
    CHECK_EQ(WSAGetLastError(), WSAEINVAL, "choice: for another process");
    answer = tell(&third, order);
    CHECK(answer.result == -1 && answer.error == WSAEINVAL, "choice: for another process");
    CHECK_EQ(tell(&other, order).result, 0, PAGE);
    answer = tell(&third, order);
    CHECK(answer.result == -1 && answer.error == WSAEINVAL, ONCE);
    nobody = third.info.dwProcessId;
    end(&third);
    CHECK_FAIL(WSADuplicateSocketW(server, nobody, &info), WSAEINVAL, "D WSADuplicateSocket: no such process");
    CHECK_FAIL(WSADuplicateSocketW(server, 0, &info), WSAEINVAL, "D WSADuplicateSocket: no such process");
    CHECK_FAIL(WSADuplicateSocketW(INVALID_SOCKET, other.info.dwProcessId, &info), WSAENOTSOCK, PAGE);
    CHECK_GUARDED(CHECK_FAIL(WSADuplicateSocketW(server, other.info.dwProcessId, NULL), WSAEFAULT, PAGE));
    check_transfer(client, server, "choice: a refused call changes nothing");
    close_both(client, server);
    end(&other);
}

/* A process that ends without having asked for its socket does not keep the connection. */
static void never_taken(void)
{
    struct other other = start();
    SOCKET client, server;

    tcp_pair(&client, &server);
    limit_waits(client);
    duplicate(server, &other);
    duplicate(server, &other);
    closesocket(server);
    CHECK(!readable(client, CHECK_QUIET_MS), LAST);
    end(&other);
    check_ended(client, LAST);
    closesocket(client);
}

/* Many at once, in no order. */
static void many(void)
{
    enum { COUNT = 20 };
    struct other other = start();
    SOCKET client[COUNT], server[COUNT];
    struct order orders[COUNT];
    int i;

    for (i = 0; i < COUNT; i++) {
        tcp_pair(&client[i], &server[i]);
        limit_waits(client[i]);
        orders[i] = duplicate(server[i], &other);
        closesocket(server[i]);
    }
    for (i = COUNT - 1; i >= 0; i--) {
        CHECK_EQ(tell(&other, orders[i]).result, 0, PAGE);
        CHECK_EQ(ask(&other, SEND).result, 14, PAGE);
        check_gets(client[i], "from the child", PAGE);
        CHECK_EQ(ask(&other, CLOSE).result, 0, PAGE);
        check_ended(client[i], LAST);
        closesocket(client[i]);
    }
    end(&other);
}

/* A child has its parent's sockets under the same handles, unless they say otherwise. */
static void inherited(void)
{
    SOCKET client, server;
    struct other other;
    struct answer answer;

    tcp_pair(&client, &server);
    limit_waits(client);
    CHECK(SetHandleInformation((HANDLE)client, HANDLE_FLAG_INHERIT, 0), "D SetHandleInformation");
    other = start_with(server, TRUE);
    answer = ask(&other, NAMES);
    CHECK(answer.result == 0 && answer.more[1] == name_of(client).sin_port, "D WSASocketW: inheritable by default");
    CHECK_EQ(closesocket(server), 0, LAST);
    CHECK(!readable(client, CHECK_QUIET_MS), "D closesocket: a child that inherited it keeps it open");
    CHECK_EQ(ask(&other, SEND).result, 14, "D WSASocketW: inheritable by default");
    check_gets(client, "from the child", "D WSASocketW: inheritable by default");
    CHECK_EQ(ask(&other, CLOSE).result, 0, LAST);
    check_ended(client, LAST);
    closesocket(client);
    end(&other);
}

static void not_inherited(void)
{
    SOCKET client, server;
    struct other other;
    struct answer answer;

    tcp_pair(&client, &server);
    limit_waits(client);
    CHECK(SetHandleInformation((HANDLE)server, HANDLE_FLAG_INHERIT, 0), "D SetHandleInformation");
    other = start_with(server, TRUE);
    answer = ask(&other, SEND);
    CHECK(answer.result == -1 && answer.error == WSAENOTSOCK, "D SetHandleInformation: HANDLE_FLAG_INHERIT");
    check_transfer(client, server, "D SetHandleInformation: HANDLE_FLAG_INHERIT");
    closesocket(server);
    check_ended(client, "D SetHandleInformation: HANDLE_FLAG_INHERIT");
    closesocket(client);
    end(&other);
}

static void listener_inherited(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), client = tcp_socket();
    struct other other = start_with(l, TRUE);

    closesocket(l);
    REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    limit_waits(client);
    CHECK_EQ(ask(&other, ACCEPT).result, 0, "D WSASocketW: inheritable by default");
    CHECK_EQ(ask(&other, SEND).result, 14, "D WSASocketW: inheritable by default");
    check_gets(client, "from the child", "D WSASocketW: inheritable by default");
    closesocket(client);
    end(&other);
}

/* Each handle of a socket is inherited, and a socket that has no more than a handle is left out. */
static void several_handles(void)
{
    SOCKET client, server, second, bare = tcp_socket();
    WSAPROTOCOL_INFOW info;
    struct other other;

    tcp_pair(&client, &server);
    limit_waits(client);
    CHECK_EQ(WSADuplicateSocketW(server, GetCurrentProcessId(), &info), 0, PAGE);
    second = WSASocketW(-1, -1, -1, &info, 0, WSA_FLAG_OVERLAPPED);
    CHECK(SetHandleInformation((HANDLE)client, HANDLE_FLAG_INHERIT, 0), "D SetHandleInformation");
    other = start_with(second, TRUE);
    closesocket(server);
    closesocket(second);
    CHECK_EQ(ask(&other, SEND).result, 14, "D WSASocketW: inheritable by default");
    check_gets(client, "from the child", "D WSASocketW: inheritable by default");
    end(&other);
    check_ended(client, LAST);
    bind_loopback(bare);
    close_both(client, bare);
}

/* More than the environment has room for in one variable. */
static void a_thousand(void)
{
    enum { COUNT = 1000 };
    static SOCKET sockets[COUNT];
    struct other other;
    int i;

    for (i = 0; i < COUNT; i++) {
        sockets[i] = socket(AF_INET, SOCK_DGRAM, 0);
        bind_loopback(sockets[i]);
    }
    other = start_with(sockets[COUNT - 1], TRUE);
    CHECK_EQ(ask(&other, NAMES).more[0], name_of(sockets[COUNT - 1]).sin_port, "D WSASocketW: inheritable by default");
    for (i = 0; i < COUNT; i++)
        closesocket(sockets[i]);
    end(&other);
}

/* A connection as standard input and output of a program that knows of no sockets. */
static void standard_streams(void)
{
    PROCESS_INFORMATION info;
    STARTUPINFOA startup;
    SOCKET client, server;
    char line[700];
    DWORD code = CHECK_UNSET;

    tcp_pair(&client, &server);
    limit_waits(client);
    CHECK(SetHandleInformation((HANDLE)client, HANDLE_FLAG_INHERIT, 0), "D SetHandleInformation");
    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = startup.hStdOutput = (HANDLE)server;
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    snprintf(line, sizeof line, "\"%s\" filter", self);
    REQUIRE(CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info));
    closesocket(server);
    CHECK(!readable(client, CHECK_QUIET_MS), "D STARTUPINFOA: it waits for its input");
    CHECK_EQ(send(client, "a line\n", 7, 0), 7, "D STARTUPINFOA");
    check_gets(client, "heard a line\n", "D STARTUPINFOA: hStdInput, hStdOutput");
    CHECK(is_set(info.hProcess, CHECK_WAIT_MS), "D CreateProcess");
    CHECK(GetExitCodeProcess(info.hProcess, &code) && code == 0, "D STARTUPINFOA");
    check_ended(client, LAST);
    closesocket(client);
    CloseHandle(info.hThread);
    CloseHandle(info.hProcess);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "child") == 0)
        return child((SOCKET)strtoull(argv[2], NULL, 10));
    if (argc > 1 && strcmp(argv[1], "filter") == 0)
        return filter();
    check_begin("across");
    REQUIRE(GetModuleFileNameA(NULL, self, sizeof self) > 0);
    given_away();
    closed_before_it_is_taken();
    used_by_both();
    hard_close_of_one();
    ended_by_one(SHUT);
    ended_by_one(DISCONNECT);
    recycled();
    halves();
    listeners();
    bound();
    what_is_known();
    overlapped();
    pending();
    datagrams();
    refused();
    never_taken();
    many();
    inherited();
    not_inherited();
    listener_inherited();
    several_handles();
    a_thousand();
    standard_streams();
    return check_end();
}
