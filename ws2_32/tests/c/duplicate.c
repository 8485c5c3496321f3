/* WSADuplicateSocket within a process: one socket with several handles. */
#include "check.h"

#define PAGE "D WSADuplicateSocket"
#define TEST "T test_WSADuplicateSocket"
#define ONE_SOCKET "D WSADuplicateSocket: only one underlying socket"
#define LAST "D WSADuplicateSocket: open until closed by the last descriptor"

static SOCKET duplicate(SOCKET s)
{
    WSAPROTOCOL_INFOA info;
    SOCKET copy;

    memset(&info, 0xCC, sizeof info);
    CHECK_EQ(WSADuplicateSocketA(s, GetCurrentProcessId(), &info), 0, TEST);
    copy = WSASocketA(0, 0, 0, &info, 0, WSA_FLAG_OVERLAPPED);
    CHECK(copy != INVALID_SOCKET && copy != s, TEST);
    return copy;
}

static void check_open(SOCKET s, const char *source)
{
    int type = 0, len = sizeof type;

    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&type, &len), 0, source);
    CHECK_EQ(type, SOCK_STREAM, source);
}

static void check_closed(SOCKET s, const char *source)
{
    int type, len = sizeof type;

    CHECK_FAIL(getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&type, &len), WSAENOTSOCK, source);
    CHECK_FAIL(closesocket(s), WSAENOTSOCK, source);
}

/* What one sends the other gets. */
static void check_carries(SOCKET from, SOCKET to, const char *source)
{
    char text[8] = "";

    CHECK_EQ(send(from, "text", 4, 0), 4, source);
    CHECK_EQ(recv(to, text, sizeof text, 0), 4, source);
    CHECK(memcmp(text, "text", 4) == 0, source);
}

static void check_ended(SOCKET s, const char *source)
{
    char octet;

    CHECK_EQ(recv(s, &octet, 1, 0), 0, source);
}

static void what_it_says(void)
{
    WSAPROTOCOL_INFOA narrow;
    WSAPROTOCOL_INFOW wide;
    SOCKET s = tcp_socket(), copy;

    memset(&narrow, 0xCC, sizeof narrow);
    CHECK_EQ(WSADuplicateSocketA(s, GetCurrentProcessId(), &narrow), 0, TEST);
    CHECK(narrow.iAddressFamily == AF_INET && narrow.iSocketType == SOCK_STREAM && narrow.iProtocol == IPPROTO_TCP, TEST);
    copy = WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &narrow, 0, 0);
    check_open(copy, PAGE);
    CHECK_EQ(WSASocketA(0, 0, 0, &narrow, 0, 0), INVALID_SOCKET, "D WSASocketA");
    CHECK_EQ(WSAGetLastError(), WSAEINVAL, "D WSASocketA: already used in an earlier duplicate socket operation");
    closesocket(copy);
    memset(&wide, 0xCC, sizeof wide);
    CHECK_EQ(WSADuplicateSocketW(s, GetCurrentProcessId(), &wide), 0, PAGE);
    CHECK(wide.iAddressFamily == AF_INET && wide.iSocketType == SOCK_STREAM && wide.iProtocol == IPPROTO_TCP, PAGE);
    copy = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &wide, 0, WSA_FLAG_OVERLAPPED);
    check_open(copy, PAGE);
    closesocket(s);
    closesocket(copy);
    CHECK_EQ(WSASocketW(0, 0, 0, &wide, 0, 0), INVALID_SOCKET, "D WSASocketW");
    CHECK_EQ(WSAGetLastError(), WSAEINVAL, "D WSASocketW: the contents are invalid");
}

static void refused(void)
{
    WSAPROTOCOL_INFOW info;
    SOCKET s = tcp_socket();

    CHECK_FAIL(WSADuplicateSocketW(INVALID_SOCKET, GetCurrentProcessId(), &info), WSAENOTSOCK, PAGE);
    CHECK_GUARDED(CHECK_FAIL(WSADuplicateSocketW(s, GetCurrentProcessId(), NULL), WSAEFAULT, PAGE));
    CHECK_FAIL(WSADuplicateSocketW(s, 0, &info), WSAEINVAL, PAGE);
    closesocket(s);
    CHECK_FAIL(WSADuplicateSocketW(s, GetCurrentProcessId(), &info), WSAENOTSOCK, PAGE);
}

/* Options, names, and both directions of the connection. */
static void one_socket(void)
{
    SOCKET client, server, copy;
    struct sockaddr_in name, copys;
    int on = 1, got = 0, len = sizeof got;

    tcp_pair(&client, &server);
    copy = duplicate(client);
    name = name_of(client);
    copys = name_of(copy);
    CHECK(memcmp(&name, &copys, sizeof name) == 0, ONE_SOCKET);
    CHECK_EQ(setsockopt(copy, SOL_SOCKET, SO_KEEPALIVE, (char *)&on, sizeof on), 0, PAGE);
    CHECK_EQ(getsockopt(client, SOL_SOCKET, SO_KEEPALIVE, (char *)&got, &len), 0, PAGE);
    CHECK_EQ(got, 1, "D WSADuplicateSocket: setsockopt on one can be seen by getsockopt on any");
    check_carries(client, server, ONE_SOCKET);
    check_carries(copy, server, ONE_SOCKET);
    check_carries(server, copy, ONE_SOCKET);
    check_carries(server, client, ONE_SOCKET);
    CHECK_EQ(shutdown(copy, SD_SEND), 0, PAGE);
    CHECK_FAIL(send(client, "x", 1, 0), WSAESHUTDOWN, ONE_SOCKET);
    check_ended(server, ONE_SOCKET);
    closesocket(copy);
    close_both(client, server);
}

static void closed_by_the_last(BOOL own_first, BOOL by_close_handle)
{
    SOCKET client, server, copy, first, second;

    tcp_pair(&client, &server);
    copy = duplicate(client);
    first = own_first ? client : copy;
    second = own_first ? copy : client;
    if (by_close_handle)
        CHECK_EQ(CloseHandle((HANDLE)first), TRUE, LAST);
    else
        CHECK_EQ(closesocket(first), 0, LAST);
    check_closed(first, "D WSADuplicateSocket: the descriptor is deallocated");
    check_open(second, LAST);
    check_carries(second, server, LAST);
    check_carries(server, second, LAST);
    if (by_close_handle)
        CHECK_EQ(CloseHandle((HANDLE)second), TRUE, LAST);
    else
        CHECK_EQ(closesocket(second), 0, LAST);
    check_closed(second, LAST);
    check_ended(server, LAST);
    closesocket(server);
}

/* A copy of a copy, and the handle that is there before WSASocket gives it. */
static void before_it_is_given(void)
{
    WSAPROTOCOL_INFOA info;
    SOCKET client, server, copy, third;

    tcp_pair(&client, &server);
    copy = duplicate(client);
    closesocket(client);
    CHECK_EQ(WSADuplicateSocketA(copy, GetCurrentProcessId(), &info), 0, PAGE);
    closesocket(copy);
    third = WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0, 0);
    check_carries(third, server, "choice: the handle is there from WSADuplicateSocket on");
    check_carries(server, third, ONE_SOCKET);
    closesocket(third);
    check_ended(server, LAST);
    closesocket(server);
}

/* An operation is the socket's, not the handle's: it goes on, and the port hears of it. */
static void pending_operation(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    OVERLAPPED ov = { 0 }, *done = NULL;
    SOCKET client, server, copy;
    char text[8];
    WSABUF buffer = { sizeof text, text };
    DWORD bytes = 0, flags = 0;
    ULONG_PTR key = 0;

    tcp_pair(&client, &server);
    REQUIRE(CreateIoCompletionPort((HANDLE)client, port, 7, 0) == port);
    copy = duplicate(client);
    CHECK_WSA_PENDS(WSARecv(client, &buffer, 1, NULL, &flags, &ov, NULL), "setup");
    CHECK_EQ(closesocket(client), 0, LAST);
    CHECK_FALSE(GetQueuedCompletionStatus(port, &bytes, &key, &done, 0), WAIT_TIMEOUT, LAST);
    CHECK_EQ(send(server, "abc", 3, 0), 3, "setup");
    CHECK_EQ(GetQueuedCompletionStatus(port, &bytes, &key, &done, CHECK_WAIT_MS), TRUE, LAST);
    CHECK(bytes == 3 && key == 7 && done == &ov, LAST);
    memset(&ov, 0, sizeof ov);
    flags = 0;
    CHECK_WSA_PENDS(WSARecv(copy, &buffer, 1, NULL, &flags, &ov, NULL), ONE_SOCKET);
    CHECK_EQ(CancelIoEx((HANDLE)copy, &ov), TRUE, ONE_SOCKET);
    CHECK_FALSE(GetQueuedCompletionStatus(port, &bytes, &key, &done, CHECK_WAIT_MS), ERROR_OPERATION_ABORTED, ONE_SOCKET);
    memset(&ov, 0, sizeof ov);
    flags = 0;
    CHECK_WSA_PENDS(WSARecv(copy, &buffer, 1, NULL, &flags, &ov, NULL), ONE_SOCKET);
    CHECK_EQ(closesocket(copy), 0, LAST);
    CHECK_EQ(GetQueuedCompletionStatus(port, &bytes, &key, &done, CHECK_WAIT_MS), FALSE, "D closesocket: pending operations end with the last handle");
    CHECK(done == &ov, LAST);
    closesocket(server);
    CloseHandle(port);
}

/* The copy of a listener accepts; the address that AcceptEx has left for later is found by the socket. */
static void listeners(void)
{
    struct sockaddr_in at, any = { .sin_family = AF_INET };
    struct sockaddr *local, *remote;
    int local_len, remote_len;
    char buffer[2 * ADDRESS_SIZE];
    SOCKET listening = listener(&at), copy = duplicate(listening), client = tcp_socket(), server;
    OVERLAPPED ov = { 0 };
    DWORD bytes;

    CHECK_EQ(closesocket(listening), 0, LAST);
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, LAST);
    server = accept_one(copy);
    check_carries(client, server, LAST);
    close_both(client, server);
    closesocket(copy);

    listening = tcp_socket();
    REQUIRE(bind(listening, (struct sockaddr *)&any, sizeof any) == 0 && listen(listening, 1) == 0);
    at = name_of(listening);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server = tcp_socket();
    CHECK_PENDS(ext()->accept_ex(listening, server, buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ov), "setup");
    copy = duplicate(server);
    closesocket(server);
    client = tcp_socket();
    CHECK_EQ(connect(client, (struct sockaddr *)&at, sizeof at), 0, "setup");
    CHECK_EQ(GetOverlappedResult((HANDLE)listening, &ov, &bytes, TRUE), TRUE, LAST);
    ext()->get_accept_ex_sockaddrs(buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, &local, &local_len, &remote, &remote_len);
    CHECK_EQ(((struct sockaddr_in *)local)->sin_addr.s_addr, at.sin_addr.s_addr, LAST);
    CHECK_EQ(setsockopt(copy, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&listening, sizeof listening), 0, ONE_SOCKET);
    check_carries(client, copy, LAST);
    close_both(client, copy);
    closesocket(listening);
}

static DWORD WINAPI close_it(void *s)
{
    return (DWORD)closesocket((SOCKET)(ULONG_PTR)s);
}

/* However they race, each close succeeds and the connection ends once. */
static void closed_at_once(void)
{
    for (int round = 0; round < 20; ++round) {
        SOCKET client, server, copy;
        HANDLE thread;
        DWORD result = 1;

        tcp_pair(&client, &server);
        copy = duplicate(client);
        thread = CreateThread(NULL, 0, close_it, (void *)(ULONG_PTR)copy, 0, NULL);
        REQUIRE(thread != NULL);
        CHECK_EQ(closesocket(client), 0, LAST);
        CHECK_EQ(WaitForSingleObject(thread, CHECK_WAIT_MS), WAIT_OBJECT_0, "setup");
        GetExitCodeThread(thread, &result);
        CloseHandle(thread);
        CHECK_EQ(result, 0, LAST);
        check_ended(server, LAST);
        closesocket(server);
    }
}

static void datagrams(void)
{
    struct sockaddr_in at = loopback(0);
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0), copy;
    char text[8];

    REQUIRE(bind(s, (struct sockaddr *)&at, sizeof at) == 0);
    at = name_of(s);
    limit_waits(s);
    copy = duplicate(s);
    CHECK_EQ(sendto(s, "test", 5, 0, (struct sockaddr *)&at, sizeof at), 5, TEST);
    CHECK_EQ(recvfrom(copy, text, sizeof text, 0, NULL, NULL), 5, TEST);
    CHECK_EQ(closesocket(s), 0, TEST);
    CHECK_EQ(sendto(copy, "test", 5, 0, (struct sockaddr *)&at, sizeof at), 5, TEST);
    CHECK_EQ(recvfrom(copy, text, sizeof text, 0, NULL, NULL), 5, TEST);
    CHECK_EQ(closesocket(copy), 0, TEST);
}

/* The last WSACleanup ends a socket whichever of its handles are open. */
static void cleaned_up(void)
{
    SOCKET client = tcp_socket(), copy = duplicate(client), third = duplicate(copy);
    WSADATA data;

    closesocket(client);
    CHECK_EQ(WSACleanup(), 0, "setup");
    REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    check_closed(copy, "T test_WithWSAStartup");
    check_closed(third, "T test_WithWSAStartup");
    check_closed(client, "T test_WithWSAStartup");
}

int main(void)
{
    check_begin("duplicate");
    what_it_says();
    refused();
    one_socket();
    closed_by_the_last(TRUE, FALSE);
    closed_by_the_last(FALSE, FALSE);
    closed_by_the_last(TRUE, TRUE);
    closed_by_the_last(FALSE, TRUE);
    before_it_is_given();
    pending_operation();
    listeners();
    closed_at_once();
    datagrams();
    cleaned_up();
    return check_end();
}
