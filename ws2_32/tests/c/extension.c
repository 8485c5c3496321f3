/*
 * extension.c - WSAIoctl(SIO_GET_EXTENSION_FUNCTION_POINTER): its checks, and how it completes.
 */
#include "check.h"

static const char *const T = "T test_get_extension_func";

static int get(SOCKET s, GUID *id, void *to, DWORD *bytes, OVERLAPPED *ov, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    return WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, id, sizeof *id, to, sizeof(void *), bytes, ov, routine);
}

static void every_function(void)
{
    GUID known[] = { WSAID_ACCEPTEX, WSAID_GETACCEPTEXSOCKADDRS, WSAID_CONNECTEX, WSAID_DISCONNECTEX };
    SOCKET s = tcp_socket(), other = tcp_socket();
    unsigned i;

    for (i = 0; i < sizeof known / sizeof known[0]; i++) {
        LPFN_DISCONNECTEX function = NULL, same = NULL;
        DWORD bytes = CHECK_UNSET;

        CHECK_CALL(get(s, &known[i], &function, &bytes, NULL, NULL), 0, 0, T);
        CHECK(function != NULL, T);
        CHECK_EQ(bytes, sizeof(void *), T);
        CHECK_EQ(get(other, &known[i], &same, &bytes, NULL, NULL), 0, T);
        CHECK(function == same, "D WSAIoctl: one provider, one function");
    }
    close_both(s, other);
}

static void refusals(void)
{
    GUID known = WSAID_DISCONNECTEX, unknown = { 0xdeadbeef, 1, 2, { 3, 4, 5, 6, 7, 8, 9, 10 } };
    SOCKET s = tcp_socket();
    HANDLE port = new_port();
    LPFN_DISCONNECTEX function = NULL;
    OVERLAPPED ov;
    DWORD bytes = CHECK_UNSET;

    associate(s, port, 123);
    ov_init(&ov, NULL);
    ov.Internal = ov.InternalHigh = 0xdead;
    CHECK_FAIL(get(s, &known, &function, NULL, NULL, NULL), WSAEFAULT, T);
    CHECK_FAIL(get(s, &known, &function, NULL, &ov, NULL), WSAEFAULT,
               "T test_get_extension_func: even with an OVERLAPPED");
    CHECK_FAIL(get(s, &unknown, &function, &bytes, NULL, NULL), WSAEINVAL, T);
    CHECK_EQ(bytes, CHECK_UNSET, T);
    CHECK_FAIL(get(s, &unknown, &function, &bytes, &ov, NULL), WSAEINVAL, T);
    CHECK_EQ(bytes, CHECK_UNSET, T);
    CHECK_EQ(ov.Internal, 0xdead, "T test_get_extension_func: the OVERLAPPED is untouched");
    CHECK_EQ(ov.InternalHigh, 0xdead, "T test_get_extension_func: the OVERLAPPED is untouched");
    CHECK(no_packet(port), T);
    CHECK_FAIL(get(INVALID_SOCKET, &known, &function, &bytes, NULL, NULL), WSAENOTSOCK, "D WSAIoctl");
    closesocket(s);
    CloseHandle(port);
}

static void packet(void)
{
    GUID known = WSAID_DISCONNECTEX;
    SOCKET s = tcp_socket();
    HANDLE port = new_port();
    LPFN_DISCONNECTEX function = NULL;
    OVERLAPPED ov;
    DWORD bytes = CHECK_UNSET;

    associate(s, port, 123);
    ov_init(&ov, NULL);
    ov.Internal = ov.InternalHigh = 0xdead;
    CHECK_EQ(get(s, &known, &function, &bytes, &ov, NULL), 0, T);
    CHECK_EQ(bytes, sizeof(void *), T);
    CHECK(function != NULL, T);
    CHECK_PACKET(port, 123, &ov, 0, 0, "T test_get_extension_func: success and a packet of 0 bytes");
    CHECK_EQ(ov.Internal, 0, T);
    CHECK_EQ(ov.InternalHigh, 0, T);
    closesocket(s);
    CloseHandle(port);
}

static DWORD apc_calls, apc_error, apc_bytes;
static OVERLAPPED *apc_ov;

static void CALLBACK on_done(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
    (void)flags;
    apc_calls++;
    apc_error = error;
    apc_bytes = bytes;
    apc_ov = ov;
}

static void routine(void)
{
    GUID known = WSAID_DISCONNECTEX;
    SOCKET s = tcp_socket();
    LPFN_DISCONNECTEX function = NULL;
    OVERLAPPED ov;
    DWORD bytes = CHECK_UNSET;

    ov_init(&ov, NULL);
    apc_error = apc_bytes = CHECK_UNSET;
    CHECK_EQ(get(s, &known, &function, &bytes, &ov, on_done), 0, T);
    CHECK_EQ(apc_calls, 0, "T test_get_extension_func: not before an alertable wait");
    CHECK_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION, T);
    CHECK_EQ(apc_calls, 1, T);
    CHECK_EQ(apc_error, 0, T);
    CHECK_EQ(apc_bytes, 0, "T test_get_extension_func: 0, not the size");
    CHECK(apc_ov == &ov, T);
    CHECK_EQ(SleepEx(0, TRUE), 0, T);
    closesocket(s);
}

int main(void)
{
    check_begin("extension");
    every_function();
    refusals();
    packet();
    routine();
    return check_end();
}
