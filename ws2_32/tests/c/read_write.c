/* ReadFile and WriteFile on sockets: what WSARecv and WSASend do, with kernel32's results; GetOverlappedResultEx. */
#include "check.h"

#define READ "D ReadFile"
#define WRITE "D WriteFile"
#define READ_EX "D ReadFileEx"
#define RESULT_EX "D GetOverlappedResultEx"

static void overlapped(void)
{
    SOCKET client, server;
    HANDLE event = new_event();
    OVERLAPPED ov;
    DWORD bytes = 77;
    char text[8];

    tcp_pair(&client, &server);
    ov_init(&ov, event);
    CHECK_FAIL(ReadFile((HANDLE)server, text, sizeof text, NULL, &ov) ? 0 : SOCKET_ERROR, ERROR_IO_PENDING, READ);
    CHECK_FAIL(GetOverlappedResultEx((HANDLE)server, &ov, &bytes, 0, FALSE) ? 0 : SOCKET_ERROR, ERROR_IO_INCOMPLETE, RESULT_EX);
    CHECK_FAIL(GetOverlappedResultEx((HANDLE)server, &ov, &bytes, 1, FALSE) ? 0 : SOCKET_ERROR, WAIT_TIMEOUT, RESULT_EX);
    {
        HANDLE sent = new_event();
        OVERLAPPED sending;

        ov_init(&sending, sent);
        CHECK(WriteFile((HANDLE)client, "hello", 5, &bytes, &sending) && bytes == 5, WRITE);
        CHECK(is_set(sent, 0), WRITE);
        CloseHandle(sent);
    }
    bytes = 0;
    CHECK(GetOverlappedResultEx((HANDLE)server, &ov, &bytes, INFINITE, FALSE) && bytes == 5, RESULT_EX);
    CHECK(memcmp(text, "hello", 5) == 0, READ);
    CHECK_FAIL(ReadFile((HANDLE)server, text, sizeof text, &bytes, NULL) ? 0 : SOCKET_ERROR, ERROR_INVALID_PARAMETER,
               READ ": opened for overlapped I/O");
    CHECK_EQ(shutdown(client, SD_SEND), 0, "D shutdown");
    ov_init(&ov, event);
    if (!ReadFile((HANDLE)server, text, sizeof text, NULL, &ov))
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING, READ);
    CHECK(GetOverlappedResult((HANDLE)server, &ov, &bytes, TRUE) && bytes == 0, READ ": the end of the data");
    close_both(client, server);
    CloseHandle(event);
}

/* A peer that resets is told in Win32's words, as GetQueuedCompletionStatus does. */
static void reset(void)
{
    SOCKET client, server;
    HANDLE event = new_event();
    OVERLAPPED ov;
    DWORD bytes;
    char text[8];

    tcp_pair(&client, &server);
    ov_init(&ov, event);
    CHECK_FAIL(ReadFile((HANDLE)server, text, sizeof text, NULL, &ov) ? 0 : SOCKET_ERROR, ERROR_IO_PENDING, READ);
    close_with_rst(client);
    CHECK_FAIL(GetOverlappedResultEx((HANDLE)server, &ov, &bytes, CHECK_WAIT_MS, FALSE) ? 0 : SOCKET_ERROR, ERROR_NETNAME_DELETED,
               "T test_completion_port");
    ov_init(&ov, event);
    CHECK_FAIL(ReadFile((HANDLE)server, text, sizeof text, NULL, &ov) ? 0 : SOCKET_ERROR, ERROR_NETNAME_DELETED, "T test_tcp_reset: it stays");
    closesocket(server);
    CloseHandle(event);
}

/* A socket that was not opened for overlapped I/O is a plain file: the calls block. */
static void plain(void)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at), server;
    SOCKET client = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, 0);
    OVERLAPPED ov;
    DWORD bytes = 0;
    char text[8];

    REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    server = accept(l, NULL, NULL);
    CHECK(WriteFile((HANDLE)client, "one", 3, &bytes, NULL) && bytes == 3, WRITE);
    CHECK_EQ(recv(server, text, sizeof text, 0), 3, WRITE);
    CHECK_EQ(send(server, "four", 4, 0), 4, "D send");
    CHECK(ReadFile((HANDLE)client, text, sizeof text, &bytes, NULL) && bytes == 4, READ);
    CHECK_EQ(send(server, "five5", 5, 0), 5, "D send");
    ov_init(&ov, NULL);
    CHECK(ReadFile((HANDLE)client, text, sizeof text, &bytes, &ov) && bytes == 5, READ ": it is over when the call is");
    CHECK_EQ((DWORD)ov.Internal, 0, READ);
    CHECK_EQ((DWORD)ov.InternalHigh, 5, READ);
    closesocket(server);
    CHECK(ReadFile((HANDLE)client, text, sizeof text, &bytes, NULL) && bytes == 0, READ ": the end of the data");
    close_both(client, l);
}

/* On a completion port, where programs mix them with Winsock's. */
static void on_a_port(void)
{
    SOCKET client, server;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    OVERLAPPED ov, sending, *done;
    ULONG_PTR key;
    DWORD bytes;
    char text[8];

    tcp_pair(&client, &server);
    CHECK(CreateIoCompletionPort((HANDLE)server, port, 9, 0) == port, "D CreateIoCompletionPort");
    ov_init(&ov, NULL);
    CHECK_FAIL(ReadFile((HANDLE)server, text, sizeof text, NULL, &ov) ? 0 : SOCKET_ERROR, ERROR_IO_PENDING, READ);
    CHECK_EQ(send(client, "packet", 6, 0), 6, "D send");
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &done, CHECK_WAIT_MS) && done == &ov && key == 9 && bytes == 6, READ);
    ov_init(&sending, NULL);
    CHECK(WriteFile((HANDLE)server, "back", 4, NULL, &sending), WRITE);
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &done, CHECK_WAIT_MS) && done == &sending && bytes == 4,
          WRITE ": a packet also for what was over at once");
    ov_init(&ov, NULL);
    CHECK_FAIL(ReadFile((HANDLE)server, text, sizeof text, NULL, &ov) ? 0 : SOCKET_ERROR, ERROR_IO_PENDING, READ);
    CHECK(CancelIoEx((HANDLE)server, &ov), "D CancelIoEx");
    CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &done, CHECK_WAIT_MS) && done == &ov, "D CancelIoEx");
    CHECK_EQ(GetLastError(), ERROR_OPERATION_ABORTED, "D CancelIoEx");
    close_both(client, server);
    CloseHandle(port);
}

static DWORD routine_error, routine_bytes;
static OVERLAPPED *routine_ov;

static VOID CALLBACK routine(DWORD error, DWORD bytes, LPOVERLAPPED ov)
{
    routine_error = error;
    routine_bytes = bytes;
    routine_ov = ov;
}

static VOID CALLBACK nothing(ULONG_PTR unused) { (void)unused; }

static void routines(void)
{
    SOCKET client, server;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0), idle = new_event();
    OVERLAPPED ov;
    DWORD bytes;
    char text[8];

    tcp_pair(&client, &server);
    ov_init(&ov, (HANDLE)0x12345671); /* "hEvent is ignored": the program's own */
    CHECK(ReadFileEx((HANDLE)server, text, sizeof text, &ov, routine), READ_EX);
    CHECK_EQ(GetLastError(), 0, READ_EX);
    CHECK_EQ(send(client, "apc", 3, 0), 3, "D send");
    CHECK_EQ(SleepEx(CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, READ_EX);
    CHECK(routine_ov == &ov && routine_error == 0 && routine_bytes == 3, READ_EX);
    CHECK(WriteFileEx((HANDLE)server, "back", 4, &ov, routine), "D WriteFileEx");
    CHECK_EQ(SleepEx(CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, "D WriteFileEx");
    CHECK(routine_error == 0 && routine_bytes == 4, "D WriteFileEx");
    CHECK(ReadFileEx((HANDLE)server, text, sizeof text, &ov, routine), READ_EX);
    ov_init(&ov, idle);
    close_with_rst(client);
    CHECK_EQ(SleepEx(CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, READ_EX);
    CHECK_EQ(routine_error, ERROR_NETNAME_DELETED, READ_EX ": Win32's codes");
    closesocket(server);

    tcp_pair(&client, &server);
    CHECK_FAIL(ReadFileEx((HANDLE)server, text, sizeof text, &ov, NULL) ? 0 : SOCKET_ERROR, ERROR_INVALID_PARAMETER, "choice: nobody to call");
    ov_init(&ov, idle);
    CHECK_FAIL(ReadFile((HANDLE)server, text, sizeof text, NULL, &ov) ? 0 : SOCKET_ERROR, ERROR_IO_PENDING, READ);
    QueueUserAPC(nothing, GetCurrentThread(), 0);
    CHECK_FAIL(GetOverlappedResultEx((HANDLE)server, &ov, &bytes, CHECK_WAIT_MS, TRUE) ? 0 : SOCKET_ERROR, WAIT_IO_COMPLETION, RESULT_EX);
    CHECK(CancelIo((HANDLE)server), "D CancelIo");
    CHECK_FAIL(GetOverlappedResultEx((HANDLE)server, &ov, &bytes, INFINITE, TRUE) ? 0 : SOCKET_ERROR, ERROR_OPERATION_ABORTED, "D CancelIo");
    CHECK(CreateIoCompletionPort((HANDLE)server, port, 0, 0) == port, "D CreateIoCompletionPort");
    CHECK_FAIL(ReadFileEx((HANDLE)server, text, sizeof text, &ov, routine) ? 0 : SOCKET_ERROR, ERROR_INVALID_PARAMETER,
               READ_EX ": not on a port");
    close_both(client, server);
    CloseHandle(port);
    CloseHandle(idle);
}

static void refused(void)
{
    SOCKET client, server, idle = tcp_socket();
    HANDLE event = new_event();
    OVERLAPPED ov;
    DWORD bytes = 5;
    char text[8];

    tcp_pair(&client, &server);
    ov_init(&ov, NULL);
    CHECK_FAIL(ReadFile(event, text, sizeof text, NULL, &ov) ? 0 : SOCKET_ERROR, ERROR_INVALID_HANDLE, "choice: an event is no file");
    CHECK_FAIL(WriteFile(INVALID_HANDLE_VALUE, text, 1, NULL, &ov) ? 0 : SOCKET_ERROR, ERROR_INVALID_HANDLE, WRITE);
    CHECK_FAIL(ReadFile((HANDLE)server, (void *)16, 8, NULL, &ov) ? 0 : SOCKET_ERROR, ERROR_NOACCESS, "choice: no crash");
    CHECK_FAIL(ReadFile((HANDLE)server, text, 8, NULL, (OVERLAPPED *)16) ? 0 : SOCKET_ERROR, ERROR_NOACCESS, "choice: no crash");
    CHECK_FAIL(ReadFile((HANDLE)server, text, 8, NULL, NULL) ? 0 : SOCKET_ERROR, ERROR_NOACCESS, READ ": one of the two is needed");
    CHECK_FAIL(WriteFile((HANDLE)idle, text, 8, &bytes, &ov) ? 0 : SOCKET_ERROR, ERROR_UNEXP_NET_ERR, "choice: STATUS_INVALID_CONNECTION");
    CHECK_EQ(bytes, 0, READ ": set to zero first");
    check_transfer(client, server, "a refused call leaves the connection as it was");
    close_both(client, server);
    closesocket(idle);
    CloseHandle(event);
}

int main(void)
{
    check_begin("read_write");
    overlapped();
    reset();
    plain();
    on_a_port();
    routines();
    refused();
    return check_end();
}
