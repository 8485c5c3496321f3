/*
 * check.h - what the conformance programs share: checks that name their source, sockets in known states, and
 * waits that end.
 *
 * Every expected value names where it comes from, in a string:
 *
 *      "T test_x"      a test that its project runs on real Windows shows it
 *      "D page"        Microsoft's documentation of that function says it
 *      "S 000"         one of the five specification pages says it (000, 001 DisconnectEx, 002, 003, 004)
 *      "choice ..."    Windows is not known here; linsock chose, and a Windows machine may differ
 *      "setup"         not a row at all: the test needs it to go on
 *
 * Include it first: it brings in Winsock and the C headers in the order that Windows wants.
 */
#ifndef CHECK_H
#define CHECK_H

#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_WAIT_MS 5000     /* for what must happen */
#define CHECK_QUIET_MS 60      /* for what must not happen */
#define CHECK_WATCHDOG_MS 60000

/* NTSTATUS values as OVERLAPPED.Internal holds them; the system's own names differ between header sets. */
#define ST_SUCCESS 0x00000000u
#define ST_PENDING 0x00000103u
#define ST_CANCELLED 0xC0000120u
#define ST_CONNECTION_RESET 0xC000020Du
#define ST_CONNECTION_ABORTED 0xC0000241u
#define ST_LOCAL_DISCONNECT 0xC000013Bu
#define ST_CONNECTION_REFUSED 0xC0000236u
#define ST_BUFFER_TOO_SMALL 0xC0000023u

#ifndef ERROR_CONNECTION_ABORTED
#define ERROR_CONNECTION_ABORTED 1236L
#endif
#ifndef FILE_SKIP_COMPLETION_PORT_ON_SUCCESS
#define FILE_SKIP_COMPLETION_PORT_ON_SUCCESS 1
#endif
#ifndef FILE_SKIP_SET_EVENT_ON_HANDLE
#define FILE_SKIP_SET_EVENT_ON_HANDLE 2
#endif

#define CHECK_UNSET 0xdeadbeefu /* an error code that no call sets */

/*
 * The same programs run on Wine, as a witness (oracle.py). A null or wild pointer crashes some of its calls, where
 * Windows and linsock refuse: there, and only there, such a call is left, and its check fails.
 */
#define CHECK_CRASHED 0xc0000005LL
#ifdef __MINGW32__
static __thread void *check_way_out[5];
static __thread volatile BOOL check_guarded;

static void check_leave(void)
{
    __builtin_longjmp(check_way_out, 1);
}

static LONG CALLBACK check_on_fault(EXCEPTION_POINTERS *fault)
{
    if (fault->ExceptionRecord->ExceptionCode != EXCEPTION_ACCESS_VIOLATION || !check_guarded)
        return EXCEPTION_CONTINUE_SEARCH;
    check_guarded = FALSE;
    fault->ContextRecord->Rip = (DWORD64)(ULONG_PTR)check_leave;
    fault->ContextRecord->Rsp = (fault->ContextRecord->Rsp & ~(DWORD64)15) - 8;
    return EXCEPTION_CONTINUE_EXECUTION;
}

#define CHECK_GUARDED(statement) do { \
        check_guarded = TRUE; \
        if (__builtin_setjmp(check_way_out) == 0) \
            statement; \
        check_guarded = FALSE; \
    } while (0)
#define CHECK_QUIT(status) TerminateProcess(GetCurrentProcess(), status) /* exit may wait for the call that hangs */
#else
#define CHECK_GUARDED(statement) statement
#define CHECK_QUIT(status) exit(status)
#endif

/* ---- the books ------------------------------------------------------------------------------------------ */

struct check_state {
    const char *name;
    volatile LONG passed, failed, todo;
    HANDLE stop, watchdog;
};

static inline struct check_state *check_books(void)
{
    static struct check_state books;
    return &books;
}

static inline BOOL check_result(BOOL ok, const char *file, int line, const char *expression, const char *source)
{
    DWORD error = GetLastError();

    if (ok) {
        InterlockedIncrement(&check_books()->passed);
    } else {
        InterlockedIncrement(&check_books()->failed);
        printf("%s:%d: FAILED [%s] %s (last error %lu)\n", file, line, source, expression, (unsigned long)error);
        fflush(stdout);
    }
    SetLastError(error);
    return ok;
}

static inline BOOL check_equal(long long got, long long expected, const char *file, int line,
                               const char *expression, const char *source)
{
    BOOL ok = check_result(got == expected, file, line, expression, source);

    if (!ok) {
        printf("    got %lld (0x%llx), expected %lld (0x%llx)\n", got, (unsigned long long)got,
               expected, (unsigned long long)expected);
        fflush(stdout);
    }
    return ok;
}

static inline BOOL check_call(long long got, long long expected, DWORD error, DWORD expected_error,
                              const char *file, int line, const char *expression, const char *source)
{
    BOOL ok;

    SetLastError(error);
    ok = check_result(got == expected && error == expected_error, file, line, expression, source);
    if (!ok) {
        printf("    got %lld and error %lu, expected %lld and error %lu\n", got, (unsigned long)error,
               expected, (unsigned long)expected_error);
        fflush(stdout);
    }
    return ok;
}

static inline void check_todo(BOOL ok, const char *file, int line, const char *expression, const char *source)
{
    InterlockedIncrement(&check_books()->todo);
    printf("%s:%d: todo [%s] %s: %s\n", file, line, source, expression, ok ? "holds already" : "does not hold yet");
}

/* The condition holds. */
#define CHECK(condition, source) check_result(!!(condition), __FILE__, __LINE__, #condition, source)
/* Two integers are equal; both are shown when they are not. */
#define CHECK_EQ(got, expected, source) \
    check_equal((long long)(got), (long long)(expected), __FILE__, __LINE__, #got " == " #expected, source)
/* The call returns `expected` and leaves `error` as the last error. */
#define CHECK_CALL(call, expected, error, source) \
    CHECK_CALL_(call, expected, error, #call " gives " #expected " and " #error, source)
/* The call fails the way of most Winsock calls: SOCKET_ERROR and the given error. */
#define CHECK_FAIL(call, error, source) CHECK_CALL_(call, SOCKET_ERROR, error, #call " fails with " #error, source)
/* The call fails the way of a BOOL function. */
#define CHECK_FALSE(call, error, source) CHECK_CALL_(call, FALSE, error, #call " fails with " #error, source)
/* The overlapped call pends: BOOL flavour and SOCKET_ERROR flavour. */
#define CHECK_PENDS(call, source) CHECK_CALL_(call, FALSE, ERROR_IO_PENDING, #call " pends", source)
#define CHECK_WSA_PENDS(call, source) CHECK_CALL_(call, SOCKET_ERROR, WSA_IO_PENDING, #call " pends", source)
#define CHECK_CALL_(call, expected, error, text, source) do { \
        volatile long long check_got_ = CHECK_CRASHED; \
        DWORD check_error_; \
        SetLastError(CHECK_UNSET); \
        CHECK_GUARDED(check_got_ = (long long)(call)); \
        check_error_ = GetLastError(); \
        check_call(check_got_, (long long)(expected), check_error_, (DWORD)(error), __FILE__, __LINE__, text, source); \
    } while (0)
/* Not yet expected of linsock: reported, never counted as a failure. */
#define TODO(condition, source) check_todo(!!(condition), __FILE__, __LINE__, #condition, source)
/* Without this the rest of the program is pointless. */
#define REQUIRE(condition) do { \
        if (!check_result(!!(condition), __FILE__, __LINE__, #condition, "setup")) { \
            printf("%s: cannot go on\n", check_books()->name); \
            exit(1); \
        } \
    } while (0)

static DWORD WINAPI check_watchdog(void *books)
{
    if (WaitForSingleObject(((struct check_state *)books)->stop, CHECK_WATCHDOG_MS) == WAIT_TIMEOUT) {
        printf("%s: hangs, given up after %d s\n", ((struct check_state *)books)->name, CHECK_WATCHDOG_MS / 1000);
        fflush(stdout);
        CHECK_QUIT(2);
    }
    return 0;
}

/* Starts the books and the watchdog, but not Winsock. */
static inline void check_begin_bare(const char *name)
{
    struct check_state *books = check_books();

#ifdef __MINGW32__
    AddVectoredExceptionHandler(1, check_on_fault);
#endif
    books->name = name;
    books->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    books->watchdog = CreateThread(NULL, 0, check_watchdog, books, 0, NULL);
}

/* Prints the sum; main returns it. */
static inline int check_end_bare(void)
{
    struct check_state *books = check_books();

    SetEvent(books->stop);
    WaitForSingleObject(books->watchdog, INFINITE);
    CloseHandle(books->watchdog);
    CloseHandle(books->stop);
    printf("%s: %ld passed, %ld failed", books->name, (long)books->passed, (long)books->failed);
    if (books->todo)
        printf(", %ld todo", (long)books->todo);
    printf("\n");
    return books->failed ? 1 : 0;
}

static inline void check_begin(const char *name)
{
    WSADATA data;

    check_begin_bare(name);
    REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
}

static inline int check_end(void)
{
    CHECK_EQ(WSACleanup(), 0, "D WSACleanup");
    return check_end_bare();
}

/* ---- the extension functions ---------------------------------------------------------------------------- */

struct extensions {
    LPFN_ACCEPTEX accept_ex;
    LPFN_GETACCEPTEXSOCKADDRS get_accept_ex_sockaddrs;
    LPFN_CONNECTEX connect_ex;
    LPFN_DISCONNECTEX disconnect_ex;
};

static inline int get_extension(SOCKET s, GUID id, void *to)
{
    DWORD bytes = 0;

    return WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, to, sizeof(LPFN_DISCONNECTEX),
                    &bytes, NULL, NULL);
}

static inline const struct extensions *ext(void)
{
    static struct extensions e;
    const GUID accept_ex = WSAID_ACCEPTEX, sockaddrs = WSAID_GETACCEPTEXSOCKADDRS;
    const GUID connect_ex = WSAID_CONNECTEX, disconnect_ex = WSAID_DISCONNECTEX;

    if (!e.disconnect_ex) {
        DWORD error = GetLastError();
        SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);

        REQUIRE(get_extension(s, accept_ex, &e.accept_ex) == 0);
        REQUIRE(get_extension(s, sockaddrs, &e.get_accept_ex_sockaddrs) == 0);
        REQUIRE(get_extension(s, connect_ex, &e.connect_ex) == 0);
        REQUIRE(get_extension(s, disconnect_ex, &e.disconnect_ex) == 0);
        closesocket(s);
        SetLastError(error);
    }
    return &e;
}

/* ---- sockets in known states ---------------------------------------------------------------------------- */

#define ADDRESS_SIZE (sizeof(struct sockaddr_in) + 16) /* of one address in AcceptEx's buffer */

static inline SOCKET tcp_socket(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);

    REQUIRE(s != INVALID_SOCKET);
    return s;
}

static inline struct sockaddr_in loopback(unsigned short port_in_network_order)
{
    struct sockaddr_in address;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = port_in_network_order;
    return address;
}

static inline void bind_loopback(SOCKET s)
{
    struct sockaddr_in address = loopback(0);

    REQUIRE(bind(s, (struct sockaddr *)&address, sizeof address) == 0);
}

static inline SOCKET bound_socket(void)
{
    SOCKET s = tcp_socket();

    bind_loopback(s);
    return s;
}

static inline struct sockaddr_in name_of(SOCKET s)
{
    struct sockaddr_in address;
    int length = sizeof address;

    memset(&address, 0, sizeof address);
    REQUIRE(getsockname(s, (struct sockaddr *)&address, &length) == 0);
    return address;
}

/* A listener at a port of its own, and where it is. */
static inline SOCKET listener(struct sockaddr_in *at)
{
    SOCKET s = bound_socket();

    REQUIRE(listen(s, 20) == 0);
    *at = name_of(s);
    return s;
}

/* A port where nobody listens: it is bound, so nobody else can, until the caller closes the socket. */
static inline SOCKET refusing(struct sockaddr_in *at)
{
    SOCKET s = bound_socket();

    *at = name_of(s);
    return s;
}

/* recv that cannot hang: a test that waits in vain gets WSAETIMEDOUT. */
static inline void limit_waits(SOCKET s)
{
    DWORD ms = CHECK_WAIT_MS;

    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (const char *)&ms, sizeof ms);
}

/* Two ends of one connection, made by connect and accept. */
static inline void tcp_pair(SOCKET *client, SOCKET *server)
{
    struct sockaddr_in at;
    SOCKET l = listener(&at);

    *client = tcp_socket();
    REQUIRE(connect(*client, (struct sockaddr *)&at, sizeof at) == 0);
    *server = accept(l, NULL, NULL);
    REQUIRE(*server != INVALID_SOCKET);
    closesocket(l);
    limit_waits(*client);
    limit_waits(*server);
}

static inline void close_both(SOCKET a, SOCKET b)
{
    closesocket(a);
    closesocket(b);
}

/* Linger of zero: the peer gets a reset. */
static inline void close_with_rst(SOCKET s)
{
    struct linger linger;

    linger.l_onoff = 1;
    linger.l_linger = 0;
    REQUIRE(setsockopt(s, SOL_SOCKET, SO_LINGER, (const char *)&linger, sizeof linger) == 0);
    closesocket(s);
}

static inline void set_nonblocking(SOCKET s, BOOL on)
{
    u_long value = (u_long)on;

    REQUIRE(ioctlsocket(s, FIONBIO, &value) == 0);
}

/* Waits until select finds the socket readable (data, FIN, reset or a connection). */
static inline BOOL readable(SOCKET s, DWORD ms)
{
    struct timeval limit;
    fd_set set;

    limit.tv_sec = (long)(ms / 1000);
    limit.tv_usec = (long)(ms % 1000) * 1000;
    FD_ZERO(&set);
    FD_SET(s, &set);
    return select(0, &set, NULL, NULL, &limit) == 1;
}

/* Waits until WSAPoll shows one of these bits in revents; returns revents. */
static inline short poll_for(SOCKET s, short events, short wanted)
{
    ULONGLONG limit = GetTickCount64() + CHECK_WAIT_MS;
    WSAPOLLFD fd;

    do {
        fd.fd = s;
        fd.events = events;
        fd.revents = 0;
        if (WSAPoll(&fd, 1, 10) < 0)
            return -1;
    } while (!(fd.revents & wanted) && GetTickCount64() < limit);
    return fd.revents;
}

/* accept that cannot hang: a listener that nobody connects to gives INVALID_SOCKET. */
static inline SOCKET accept_one(SOCKET l)
{
    return readable(l, CHECK_WAIT_MS) ? accept(l, NULL, NULL) : INVALID_SOCKET;
}

/* Sends a short text and sees it arrive at the other end. */
#define check_transfer(from, to, source) check_transfer_at(from, to, __FILE__, __LINE__, source)
static inline void check_transfer_at(SOCKET from, SOCKET to, const char *file, int line, const char *source)
{
    char buffer[16] = "";

    check_equal(send(from, "hello", 5, 0), 5, file, line, "send in check_transfer", source);
    check_equal(recv(to, buffer, sizeof buffer, 0), 5, file, line, "recv in check_transfer", source);
    check_result(memcmp(buffer, "hello", 5) == 0, file, line, "data in check_transfer", source);
}

/* ---- events, overlapped operations, packets ------------------------------------------------------------- */

static inline HANDLE new_event(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    REQUIRE(event != NULL);
    return event;
}

static inline void ov_init(OVERLAPPED *ov, HANDLE event)
{
    memset(ov, 0, sizeof *ov);
    ov->hEvent = event;
}

static inline BOOL is_set(HANDLE event, DWORD ms)
{
    return WaitForSingleObject(event, ms) == WAIT_OBJECT_0;
}

/* Still under way after a quiet while. */
static inline BOOL stays_pending(const OVERLAPPED *ov, DWORD ms)
{
    return WaitForSingleObject(ov->hEvent, ms) == WAIT_TIMEOUT && (DWORD)ov->Internal == ST_PENDING;
}

/* Waits for the event of an operation; the result as GetOverlappedResult gives it (0 or a Win32 code),
 * or WAIT_TIMEOUT when it does not end. */
static inline DWORD finish(SOCKET s, OVERLAPPED *ov, DWORD *bytes)
{
    DWORD count = 0, error;

    if (WaitForSingleObject(ov->hEvent, CHECK_WAIT_MS) != WAIT_OBJECT_0)
        return WAIT_TIMEOUT;
    error = GetOverlappedResult((HANDLE)s, ov, &count, FALSE) ? 0 : GetLastError();
    if (bytes)
        *bytes = count;
    return error;
}

static inline DWORD wsa_result(SOCKET s, OVERLAPPED *ov)
{
    DWORD bytes = 0, flags = 0;

    return WSAGetOverlappedResult(s, ov, &bytes, FALSE, &flags) ? 0 : (DWORD)WSAGetLastError();
}

struct packet {
    BOOL ok;
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov;
    DWORD error; /* when not ok */
};

static inline struct packet next_packet(HANDLE port, DWORD ms)
{
    struct packet p;

    p.bytes = CHECK_UNSET;
    p.key = CHECK_UNSET;
    p.ov = (OVERLAPPED *)(ULONG_PTR)CHECK_UNSET;
    SetLastError(CHECK_UNSET);
    p.ok = GetQueuedCompletionStatus(port, &p.bytes, &p.key, &p.ov, ms);
    p.error = p.ok ? 0 : GetLastError();
    return p;
}

static inline BOOL no_packet(HANDLE port)
{
    struct packet p = next_packet(port, CHECK_QUIET_MS);

    return !p.ok && !p.ov && p.error == WAIT_TIMEOUT;
}

static inline HANDLE new_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);

    REQUIRE(port != NULL);
    return port;
}

static inline void associate(SOCKET s, HANDLE port, ULONG_PTR key)
{
    REQUIRE(CreateIoCompletionPort((HANDLE)s, port, key, 0) == port);
}

/* Checks the next packet: key, OVERLAPPED, bytes and Win32 error (0: success). */
#define CHECK_PACKET(port, expected_key, expected_ov, expected_bytes, expected_error, source) do { \
        struct packet p_ = next_packet(port, CHECK_WAIT_MS); \
        CHECK_EQ(p_.error, expected_error, source); \
        CHECK_EQ(p_.key, expected_key, source); \
        CHECK(p_.ov == (expected_ov), source); \
        CHECK_EQ(p_.bytes, expected_bytes, source); \
    } while (0)

/* ---- connections made by ConnectEx and AcceptEx --------------------------------------------------------- */

/* Accepts into `acceptor` with AcceptEx, connects `connector` with ConnectEx (it must be bound), and updates the
 * context of both. */
static inline BOOL ex_connect(SOCKET l, SOCKET acceptor, SOCKET connector)
{
    struct sockaddr_in at = name_of(l);
    char addresses[2 * ADDRESS_SIZE];
    OVERLAPPED accepting, connecting;
    HANDLE accepted = new_event(), connected = new_event();
    DWORD bytes = 0;
    BOOL ok;

    /* The low bit keeps the packets of a socket that is on a port away from the test's own. */
    ov_init(&accepting, (HANDLE)((ULONG_PTR)accepted | 1));
    ov_init(&connecting, (HANDLE)((ULONG_PTR)connected | 1));
    ok = ext()->accept_ex(l, acceptor, addresses, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &accepting)
      || GetLastError() == ERROR_IO_PENDING;
    if (ok) {
        ok = ext()->connect_ex(connector, (struct sockaddr *)&at, sizeof at, NULL, 0, &bytes, &connecting)
          || GetLastError() == ERROR_IO_PENDING;
        if (!ok) {
            DWORD error = GetLastError();

            CancelIoEx((HANDLE)l, &accepting);
            is_set(accepted, CHECK_WAIT_MS);
            SetLastError(error);
        }
    }
    if (ok) {
        ok = is_set(connected, CHECK_WAIT_MS) && is_set(accepted, CHECK_WAIT_MS)
          && GetOverlappedResult((HANDLE)connector, &connecting, &bytes, FALSE)
          && GetOverlappedResult((HANDLE)l, &accepting, &bytes, FALSE)
          && setsockopt(acceptor, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&l, sizeof l) == 0
          && setsockopt(connector, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0) == 0;
    }
    if (!ok)
        printf("    ex_connect: error %lu\n", (unsigned long)GetLastError());
    CloseHandle(accepted);
    CloseHandle(connected);
    return ok;
}

/* A pair by ConnectEx and AcceptEx, with its listener. */
static inline void ex_pair(SOCKET *l, SOCKET *client, SOCKET *server)
{
    struct sockaddr_in at;

    *l = listener(&at);
    *client = bound_socket();
    *server = tcp_socket();
    REQUIRE(ex_connect(*l, *server, *client));
    limit_waits(*client);
    limit_waits(*server);
}

/* Closes both ends of a connection by DisconnectEx(TF_REUSE_SOCKET), `first` first, and waits for both. */
static inline BOOL ex_recycle(SOCKET first, SOCKET second)
{
    OVERLAPPED one, two;
    HANDLE e1 = new_event(), e2 = new_event();
    char byte;
    BOOL ok;

    ov_init(&one, (HANDLE)((ULONG_PTR)e1 | 1));
    ov_init(&two, (HANDLE)((ULONG_PTR)e2 | 1));
    ok = !ext()->disconnect_ex(first, &one, TF_REUSE_SOCKET, 0) && GetLastError() == ERROR_IO_PENDING
      && recv(second, &byte, 1, 0) == 0
      && !ext()->disconnect_ex(second, &two, TF_REUSE_SOCKET, 0) && GetLastError() == ERROR_IO_PENDING
      && is_set(e2, CHECK_WAIT_MS) && is_set(e1, CHECK_WAIT_MS)
      && (DWORD)one.Internal == ST_SUCCESS && (DWORD)two.Internal == ST_SUCCESS;
    CloseHandle(e1);
    CloseHandle(e2);
    return ok;
}

#endif
