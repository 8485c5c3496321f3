/*
 * results.c - WSAGetOverlappedResult and GetOverlappedResult: the two maps of a status, and what they look at.
 */
#include "check.h"

#define UNKNOWN 0xffffffffu

/* NTSTATUS, the Win32 code of GetOverlappedResult, the Winsock code of WSAGetOverlappedResult. */
static const struct { DWORD status, win32, wsa; } map[] = {
    { 0xC0000120, ERROR_OPERATION_ABORTED, WSA_OPERATION_ABORTED }, /* CANCELLED */
    { 0xC000020D, 64, WSAECONNRESET },       /* CONNECTION_RESET */
    { 0xC000020C, 64, WSAECONNRESET },       /* CONNECTION_DISCONNECTED */
    { 0xC000013C, 64, WSAECONNRESET },       /* REMOTE_DISCONNECT */
    { 0xC000013B, 64, WSAECONNABORTED },     /* LOCAL_DISCONNECT */
    { 0xC0000241, 1236, WSAECONNABORTED },   /* CONNECTION_ABORTED */
    { 0xC000020F, UNKNOWN, WSAECONNABORTED },/* TRANSACTION_ABORTED */
    { 0xC0000236, 1225, WSAECONNREFUSED },   /* CONNECTION_REFUSED */
    { 0xC00000BC, UNKNOWN, WSAECONNREFUSED },/* REMOTE_NOT_LISTENING */
    { 0xC0000237, 1226, WSAEDISCON },        /* GRACEFUL_DISCONNECT */
    { 0xC000023B, 1230, WSAEISCONN },        /* CONNECTION_ACTIVE */
    { 0xC0000140, 59, WSAENOTCONN },         /* INVALID_CONNECTION */
    { 0xC00000B0, 233, WSAESHUTDOWN },       /* PIPE_DISCONNECTED */
    { 0xC00000A3, 21, WSAEWOULDBLOCK },      /* DEVICE_NOT_READY */
    { 0xC00000B5, 121, WSAETIMEDOUT },       /* IO_TIMEOUT */
    { 0xC000000D, 87, WSAEINVAL },           /* INVALID_PARAMETER */
    { 0xC0000008, 6, WSAENOTSOCK },          /* INVALID_HANDLE */
    { 0xC0000024, 6, WSAENOTSOCK },          /* OBJECT_TYPE_MISMATCH */
    { 0xC00000BB, 50, WSAEOPNOTSUPP },       /* NOT_SUPPORTED */
    { 0xC0000002, UNKNOWN, WSAEOPNOTSUPP },  /* NOT_IMPLEMENTED */
    { 0xC0000023, 122, WSAEFAULT },          /* BUFFER_TOO_SMALL */
    { 0x80000005, 234, WSAEMSGSIZE },        /* BUFFER_OVERFLOW */
    { 0xC0000005, 998, WSAEFAULT },          /* ACCESS_VIOLATION */
    { 0xC0000022, 5, WSAEACCES },            /* ACCESS_DENIED */
    { 0xC000009A, 1450, WSAENOBUFS },        /* INSUFFICIENT_RESOURCES */
    { 0xC0000043, 32, WSAEADDRINUSE },       /* SHARING_VIOLATION */
    { 0xC000020A, UNKNOWN, WSAEADDRINUSE },  /* ADDRESS_ALREADY_EXISTS */
    { 0xC0000238, 1227, WSAEINVAL },         /* ADDRESS_ALREADY_ASSOCIATED: not mapped */
    { 0xC0000141, 59, WSAEADDRNOTAVAIL },    /* INVALID_ADDRESS */
    { 0xC0000207, 1214, WSAEADDRNOTAVAIL },  /* INVALID_ADDRESS_COMPONENT */
    { 0xC000023C, 1231, WSAENETUNREACH },    /* NETWORK_UNREACHABLE */
    { 0xC000023D, 1232, WSAEHOSTUNREACH },   /* HOST_UNREACHABLE */
    { 0xC000023F, 1234, WSAECONNRESET },     /* PORT_UNREACHABLE */
    { 0xC0000240, 1235, WSAEINTR },          /* REQUEST_ABORTED */
    { 0xC0000001, UNKNOWN, WSAEINVAL },      /* UNSUCCESSFUL: any other failure */
    { 0xC000FFFF, UNKNOWN, WSAEINVAL },      /* any other failure */
};

static void maps(void)
{
    SOCKET s = tcp_socket();
    HANDLE event = new_event();
    OVERLAPPED ov;
    unsigned i;

    SetEvent(event);
    for (i = 0; i < sizeof map / sizeof map[0]; i++) {
        DWORD bytes = CHECK_UNSET, flags = CHECK_UNSET, error;
        BOOL ok;

        ov_init(&ov, event);
        ov.Internal = map[i].status;
        ov.InternalHigh = 0;
        SetLastError(CHECK_UNSET);
        ok = WSAGetOverlappedResult(s, &ov, &bytes, FALSE, &flags);
        error = GetLastError();
        if (!CHECK(!ok && error == map[i].wsa, "T test_WSAGetOverlappedResult"))
            printf("    status %08lx: ok %d, error %lu, expected %lu\n", (unsigned long)map[i].status, ok,
                   (unsigned long)error, (unsigned long)map[i].wsa);
        if (map[i].win32 == UNKNOWN)
            continue;
        SetLastError(CHECK_UNSET);
        ok = GetOverlappedResult((HANDLE)s, &ov, &bytes, FALSE);
        error = GetLastError();
        if (!CHECK(!ok && error == map[i].win32, "reference 6.4: RtlNtStatusToDosError"))
            printf("    status %08lx: ok %d, error %lu, expected %lu\n", (unsigned long)map[i].status, ok,
                   (unsigned long)error, (unsigned long)map[i].win32);
    }
    closesocket(s);
    CloseHandle(event);
}

static void success(void)
{
    SOCKET s = tcp_socket();
    HANDLE event = new_event();
    OVERLAPPED ov;
    DWORD bytes = CHECK_UNSET, flags = CHECK_UNSET;

    ov_init(&ov, event);
    ov.Internal = 0;
    ov.InternalHigh = 1234;
    ov.Offset = 0;
    CHECK_CALL(WSAGetOverlappedResult(s, &ov, &bytes, FALSE, &flags), TRUE, 0,
               "T test_WSAGetOverlappedResult: the last error is set");
    CHECK_EQ(bytes, 1234, "T test_WSAGetOverlappedResult");
    CHECK_EQ(flags, 0, "D WSAGetOverlappedResult");
    bytes = CHECK_UNSET;
    CHECK(GetOverlappedResult((HANDLE)s, &ov, &bytes, FALSE), "T test_overlapped");
    CHECK_EQ(bytes, 1234, "T test_overlapped");
    closesocket(s);
    CloseHandle(event);
}

static void pending(void)
{
    SOCKET s = tcp_socket();
    HANDLE event = new_event();
    OVERLAPPED ov;
    DWORD bytes = CHECK_UNSET, flags = 0;

    ov_init(&ov, event);
    ov.Internal = ST_PENDING;
    ov.InternalHigh = 5;
    CHECK_FALSE(WSAGetOverlappedResult(s, &ov, &bytes, FALSE, &flags), WSA_IO_INCOMPLETE,
                "T test_WSAGetOverlappedResult");
    bytes = CHECK_UNSET;
    CHECK_FALSE(GetOverlappedResult((HANDLE)s, &ov, &bytes, FALSE), ERROR_IO_INCOMPLETE, "T test_overlapped");
    CHECK_EQ(bytes, CHECK_UNSET, "T test_overlapped: size untouched");
    CHECK(!HasOverlappedIoCompleted(&ov), "D HasOverlappedIoCompleted");
    SetEvent(event);
    CHECK(WSAGetOverlappedResult(s, &ov, &bytes, TRUE, &flags),
          "T test_WSAGetOverlappedResult: waited, event set, the status still pending");
    closesocket(s);
    CloseHandle(event);
}

static void handles(void)
{
    SOCKET s = tcp_socket();
    OVERLAPPED ov;
    DWORD bytes = 0, flags = 0;

    ov_init(&ov, NULL);
    CHECK_FALSE(WSAGetOverlappedResult(INVALID_SOCKET, &ov, &bytes, FALSE, &flags), WSAENOTSOCK,
                "T test_WSAGetOverlappedResult");
    ov.Internal = ST_PENDING;
    CHECK_FALSE(WSAGetOverlappedResult((SOCKET)0xdeadbeec, &ov, &bytes, FALSE, &flags), WSAENOTSOCK,
                "T test_WSAGetOverlappedResult: checked first");
    closesocket(s);
    CHECK_FALSE(WSAGetOverlappedResult(s, &ov, &bytes, FALSE, &flags), WSAENOTSOCK, "T test_WSAGetOverlappedResult");
    ov.Internal = 0;
    ov.InternalHigh = 7;
    CHECK(GetOverlappedResult((HANDLE)s, &ov, &bytes, FALSE), "T test_overlapped: the handle is not looked at");
    CHECK_EQ(bytes, 7, "T test_overlapped");
    CHECK(GetOverlappedResult(NULL, &ov, &bytes, FALSE), "T test_overlapped");
}

struct later {
    SOCKET s;
    HANDLE quiet;
};

static DWORD WINAPI send_later(void *argument)
{
    struct later *later = argument;

    WaitForSingleObject(later->quiet, CHECK_QUIET_MS); /* never set: the receiver waits by then */
    return (DWORD)send(later->s, "12345", 5, 0);
}

/* Both wait for a real operation, with an event and without one. */
static void waiting(void)
{
    SOCKET client, server;
    int round;

    for (round = 0; round < 4; round++) {
        struct later later;
        HANDLE event = round & 1 ? new_event() : NULL, thread;
        OVERLAPPED ov;
        WSABUF space;
        DWORD bytes = 0, flags = 0;
        char buffer[16];

        tcp_pair(&client, &server);
        later.s = server;
        later.quiet = new_event();
        space.buf = buffer;
        space.len = sizeof buffer;
        ov_init(&ov, event);
        CHECK_WSA_PENDS(WSARecv(client, &space, 1, NULL, &flags, &ov, NULL), "D WSARecv");
        thread = CreateThread(NULL, 0, send_later, &later, 0, NULL);
        REQUIRE(thread != NULL);
        if (round & 2)
            CHECK(WSAGetOverlappedResult(client, &ov, &bytes, TRUE, &flags), "D WSAGetOverlappedResult");
        else
            CHECK(GetOverlappedResult((HANDLE)client, &ov, &bytes, TRUE), "D GetOverlappedResult");
        CHECK_EQ(bytes, 5, "D GetOverlappedResult");
        CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
        CloseHandle(thread);
        CloseHandle(later.quiet);
        if (event)
            CloseHandle(event);
        close_both(client, server);
    }
}

int main(void)
{
    check_begin("results");
    maps();
    success();
    pending();
    handles();
    waiting();
    return check_end();
}
