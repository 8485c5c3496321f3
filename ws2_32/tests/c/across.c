/*
 * across.c - a socket that two processes have: WSADuplicateSocket for another process, and sockets that a process
 * inherits. The program starts itself as the other one, which does what it is told through a pipe and answers through
 * another.
 */
#include "check.h"

#include <afunix.h>
#ifndef __MINGW32__
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define PAGE "D WSADuplicateSocket"
#define ONE_SOCKET "D WSADuplicateSocket: only one underlying socket"
#define LAST "D WSADuplicateSocket: open until closed by the last descriptor"
#define ONCE "D WSASocketW: the information is good for one socket"

enum act {
    TAKE, SEND, RECV, ACCEPT, SHUT, SHUT_SEND, OWE_AND_CLOSE, CLOSE, HARD_CLOSE, NAMES, OPTIONS, THROUGH_PORT, DISCONNECT,
    RECYCLE, LISTEN, SEND_TO
};

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

/* A peer that does not read is owed data; closing would wait so long. */
static void owe(SOCKET s, u_short seconds)
{
    enum { SIZE = 1 << 20 };
    struct linger linger = {1, seconds};
    char *data = calloc(1, SIZE);

    set_nonblocking(s, TRUE);
    while (send(s, data, SIZE, 0) > 0)
        ;
    setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof linger);
    free(data);
}

static void obey(SOCKET *s, struct order *order, struct answer *answer)
{
    struct linger hard = {1, 0};
    SOCKET former = *s;
    ULONGLONG began = GetTickCount64();

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
    case SHUT_SEND:
        answer->result = shutdown(*s, SD_SEND);
        break;
    case OWE_AND_CLOSE:
        owe(*s, 10);
        answer->result = closesocket(*s);
        answer->more[0] = (int)(GetTickCount64() - began);
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

static char self[600], *environment;

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
    REQUIRE(CreateProcessA(NULL, line, NULL, NULL, inherits, 0, environment, NULL, &startup, &other.info));
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

static void unix_pair(SOCKET *client, SOCKET *server)
{
    struct sockaddr_un at;
    SOCKET l = socket(AF_UNIX, SOCK_STREAM, 0);

    memset(&at, 0, sizeof at);
    at.sun_family = AF_UNIX;
    snprintf(at.sun_path, sizeof at.sun_path, "/tmp/across-%lu", (unsigned long)GetCurrentProcessId());
    REQUIRE(bind(l, (struct sockaddr *)&at, sizeof at) == 0 && listen(l, 1) == 0);
    *client = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(connect(*client, (struct sockaddr *)&at, sizeof at) == 0);
    *server = accept_one(l);
    closesocket(l);
    DeleteFileA(at.sun_path);
}

/* A half that one closes is closed for all; the other half goes on. */
static void half_closed_by_one(void (*pair)(SOCKET *, SOCKET *))
{
    struct other other = start();
    SOCKET client, server;

    pair(&client, &server);
    limit_waits(client);
    limit_waits(server);
    give(server, &other);
    CHECK_EQ(ask(&other, SHUT_SEND).result, 0, ONE_SOCKET);
    check_ended(client, ONE_SOCKET);
    CHECK_FAIL(send(server, "x", 1, 0), WSAESHUTDOWN, ONE_SOCKET);
    check_transfer(client, server, ONE_SOCKET);
    CHECK_EQ(closesocket(client), 0, "D closesocket");
    check_ended(server, ONE_SOCKET);
    closesocket(server);
    end(&other);
}

/* The other end is the one that is given away: of its connection the peer has acknowledged the beginning, too. */
static void tcp_pair_turned(SOCKET *client, SOCKET *server)
{
    tcp_pair(server, client);
}

/* Who reads last must not take what a reset has cut off for whole. */
static void reset_for_all(void (*pair)(SOCKET *, SOCKET *))
{
    struct other other = start();
    SOCKET client, server;
    struct answer answer;
    char octets[8];

    pair(&client, &server);
    limit_waits(server);
    give(server, &other);
    CHECK_EQ(send(client, "part", 4, 0), 4, ONE_SOCKET);
    CHECK_EQ(ask(&other, RECV).result, 4, ONE_SOCKET);
    close_with_rst(client);
    answer = ask(&other, RECV);
    CHECK(answer.result == -1 && answer.error == WSAECONNRESET, "D recv: WSAECONNRESET");
    CHECK_FAIL(recv(server, octets, sizeof octets, 0), WSAECONNRESET, ONE_SOCKET);
    closesocket(server);
    end(&other);
}

/* A socket that never waits does not wait for the peer when the one process that has it closes it. */
static void closed_without_a_wait(void)
{
    struct other other = start();
    SOCKET client, server;
    struct answer answer;

    tcp_pair(&client, &server);
    give(server, &other);
    closesocket(server);
    answer = ask(&other, OWE_AND_CLOSE);
    CHECK(answer.result == 0 && answer.more[0] < CHECK_WAIT_MS, "D closesocket: a nonblocking socket does not linger");
    closesocket(client);
    end(&other);
}

/* Data that nobody will read ends the connection, as before. */
static void refuses_data(void)
{
    struct other other = start();
    SOCKET client, server;
    char octet;

    tcp_pair(&client, &server);
    limit_waits(client);
    CHECK_EQ(shutdown(server, SD_RECEIVE), 0, "D shutdown");
    give(server, &other);
    closesocket(server);
    CHECK_EQ(send(client, "x", 1, 0), 1, "D shutdown: SD_RECEIVE");
    CHECK_FAIL(recv(client, &octet, 1, 0), WSAECONNRESET, "D shutdown: data that arrives resets the connection");
    closesocket(client);
    end(&other);
}

/* The end that shutdown owes the peer comes though another process has the socket still. */
static void end_behind_sends(void)
{
    enum { SIZE = 16 << 20 };
    struct other other = start();
    SOCKET client, server;
    OVERLAPPED ov;
    WSABUF buffer;
    int got, all = 0;

    tcp_pair(&client, &server);
    limit_waits(client);
    ov_init(&ov, NULL);
    buffer.buf = calloc(1, SIZE);
    buffer.len = SIZE;
    CHECK_WSA_PENDS(WSASend(server, &buffer, 1, NULL, 0, &ov, NULL), "D WSASend");
    CHECK_EQ(shutdown(server, SD_SEND), 0, "D shutdown");
    give(server, &other);
    CHECK_EQ(closesocket(server), 0, "D closesocket");
    while ((got = recv(client, buffer.buf, SIZE, 0)) > 0)
        all += got;
    CHECK_EQ(got, 0, "D shutdown: after all data is sent the end is");
    CHECK_EQ(all, SIZE, "D shutdown");
    free(buffer.buf);
    closesocket(client);
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

/* A duplicate is not inherited if its handle is asked for so. */
static void duplicate_not_inherited(void)
{
    WSAPROTOCOL_INFOW info;
    SOCKET s = bound_socket(), second;
    DWORD flags = CHECK_UNSET;

    CHECK_EQ(WSADuplicateSocketW(s, GetCurrentProcessId(), &info), 0, PAGE);
    second = WSASocketW(-1, -1, -1, &info, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    CHECK(GetHandleInformation((HANDLE)second, &flags) && flags == 0, "D WSASocketW: WSA_FLAG_NO_HANDLE_INHERIT");
    CHECK(GetHandleInformation((HANDLE)s, &flags) && flags == HANDLE_FLAG_INHERIT, "D WSASocketW: per handle");
    closesocket(second);
    closesocket(s);
}

/* A process that cannot be started has nothing. */
static void started_in_vain(void)
{
    STARTUPINFOA startup;
    PROCESS_INFORMATION info;
    SOCKET client, server;
    struct linger linger = {1, 0};
    char line[] = "/no/such/program";

    tcp_pair(&client, &server);
    owe(server, 5);
    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    CHECK_FALSE(CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info), ERROR_FILE_NOT_FOUND,
                "D CreateProcess");
    CHECK_FAIL(closesocket(server), WSAEWOULDBLOCK, "D closesocket: it would linger");
    CHECK_EQ(setsockopt(server, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof linger), 0, "D setsockopt");
    close_both(server, client);
}

#ifndef __MINGW32__
/* Standard streams that are closed leave their numbers to sockets. */
static void in_place_of_a_stream(void)
{
    int input = dup(0);
    SOCKET s;
    struct other other;

    close(0);
    s = bound_socket();
    REQUIRE(name_of(s).sin_port != 0);
    other = start_with(s, TRUE);
    CHECK_EQ(ask(&other, NAMES).more[0], name_of(s).sin_port, "D WSASocketW: inheritable by default");
    closesocket(s);
    dup2(input, 0);
    close(input);
    end(&other);
}

#endif

/* valgrind lets no other thread on while one is in a close that waits. */
static BOOL is_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

/* What waits for a lingering peer keeps no other socket from its process. */
static void lingering(void)
{
    struct other first, second;
    SOCKET client, server, s;
    struct order orders[2];

    if (is_under_valgrind()) {
        printf("skipped: lingering needs threads of their own\n");
        return;
    }
    first = start();
    second = start();
    s = bound_socket();
    tcp_pair(&client, &server);
    owe(server, 30);
    duplicate(server, &first);
    orders[0] = duplicate(s, &second);
    orders[1] = duplicate(s, &second);
    closesocket(server);
    end(&first);
    CHECK_EQ(tell(&second, orders[0]).result, 0, PAGE);
    CHECK_EQ(tell(&second, orders[1]).result, 0, PAGE);
    closesocket(client);
    closesocket(s);
    end(&second);
}

/* What a program tells its children besides does not hide it. */
static void beside_another_environment(void)
{
    SOCKET s = bound_socket();
    unsigned short port = name_of(s).sin_port;
    struct other other;

    environment = "LINSOCK_INHERITED_HANDLES=7:8:9\0A=B\0";
    other = start_with(s, TRUE);
    environment = NULL;
    CHECK_EQ(ask(&other, NAMES).more[0], port, "choice: the variable is ours");
    closesocket(s);
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

struct transmission {
    SOCKET s;
    HANDLE file, begun;
    OVERLAPPED ov;
    BOOL result;
    DWORD error;
};

static DWORD WINAPI transmit(void *argument)
{
    struct transmission *it = argument;

    it->result = TransmitFile(it->s, it->file, 0, 0, &it->ov, NULL, 0);
    it->error = GetLastError();
    SetEvent(it->begun);
    return WaitForSingleObject(it->ov.hEvent, CHECK_WAIT_MS); /* what it has begun ends with it */
}

/* What a stream's new owner waits for, this process does not. */
static void transmitted_beside_a_stream(void)
{
    enum { SIZE = 16 << 20 };
    PROCESS_INFORMATION info;
    STARTUPINFOA startup;
    SOCKET client;
    struct transmission it;
    char line[700], name[64], *data = calloc(1, SIZE);
    HANDLE thread;
    DWORD octets, got;
    int all = 0, some;

    tcp_pair(&client, &it.s);
    limit_waits(client);
    CHECK(SetHandleInformation((HANDLE)client, HANDLE_FLAG_INHERIT, 0), "D SetHandleInformation");
    snprintf(name, sizeof name, "across-%lu", GetCurrentProcessId());
    it.file = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    REQUIRE(it.file != INVALID_HANDLE_VALUE && WriteFile(it.file, data, SIZE, &octets, NULL));
    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = startup.hStdOutput = (HANDLE)it.s;
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    snprintf(line, sizeof line, "\"%s\" filter", self);
    REQUIRE(CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info));
    ov_init(&it.ov, new_event());
    it.begun = new_event();
    thread = CreateThread(NULL, 0, transmit, &it, 0, NULL);
    CHECK(is_set(it.begun, CHECK_WAIT_MS), "D TransmitFile: overlapped");
    CHECK(!it.result && it.error == WSA_IO_PENDING, "D TransmitFile: overlapped");
    while (all < SIZE && (some = recv(client, data, SIZE, 0)) > 0)
        all += some;
    CHECK_EQ(all, SIZE, "D TransmitFile");
    CHECK_EQ(finish(it.s, &it.ov, &got), 0, "D TransmitFile");
    closesocket(it.s);
    closesocket(client);
    CHECK(is_set(info.hProcess, CHECK_WAIT_MS), "D CreateProcess");
    CHECK(is_set(thread, CHECK_WAIT_MS), "D CreateThread");
    CloseHandle(it.ov.hEvent);
    CloseHandle(it.begun);
    CloseHandle(it.file);
    CloseHandle(thread);
    CloseHandle(info.hThread);
    CloseHandle(info.hProcess);
    free(data);
}

#ifndef __MINGW32__
/* As in containers that refuse descriptors of processes. For this thread, and for good. */
static void without_descriptors_of_processes(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return;
    given_away();
    never_taken();
}
#endif

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
    half_closed_by_one(tcp_pair);
    half_closed_by_one(tcp_pair_turned);
    half_closed_by_one(unix_pair);
    reset_for_all(tcp_pair);
    reset_for_all(tcp_pair_turned);
    end_behind_sends();
    closed_without_a_wait();
    refuses_data();
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
    duplicate_not_inherited();
    started_in_vain();
#ifndef __MINGW32__
    in_place_of_a_stream();
    beside_another_environment();
#endif
    lingering();
    several_handles();
    a_thousand();
    standard_streams();
    transmitted_beside_a_stream();
#ifndef __MINGW32__
    without_descriptors_of_processes();
#endif
    return check_end();
}
