/*
 * wsk_check.h - what the WSK programs share: checks that name their source, calls that are waited for, connections.
 *
 *      "S 004"         the WskDisconnect page (a specification page)
 *      "D page"        Microsoft's documentation of that function says it
 *      "T driver_netio"    Wine's test, which its project runs on Windows, shows it
 *      "chimney"       the contract of Microsoft's TCP with an offload card for the same operation
 *      "choice ..."    the documentation is silent; linsock chose
 */
#ifndef WSK_CHECK_H
#define WSK_CHECK_H

#include <ntddk.h>
#include <wsk.h>
#include <stdio.h>
#include <stdlib.h>

static volatile LONG passed, failed;

static inline BOOLEAN check_result(BOOLEAN ok, int line, const char *expression, const char *source)
{
    if (ok) {
        InterlockedIncrement(&passed);
    } else {
        InterlockedIncrement(&failed);
        printf("line %d: FAILED [%s] %s\n", line, source, expression);
        fflush(stdout);
    }
    return ok;
}

static inline BOOLEAN check_equal(long long got, long long expected, int line, const char *expression, const char *source)
{
    BOOLEAN ok = check_result((BOOLEAN)(got == expected), line, expression, source);

    if (!ok)
        printf("    got 0x%llx, expected 0x%llx\n", (unsigned long long)got, (unsigned long long)expected);
    return ok;
}

#define CHECK(condition, source) check_result((BOOLEAN)!!(condition), __LINE__, #condition, source)
#define CHECK_EQ(got, expected, source) check_equal((long long)(got), (long long)(expected), __LINE__, #got, source)
#define REQUIRE(condition) \
    do { \
        if (!CHECK(condition, "setup")) \
            exit(1); \
    } while (0)

static WSK_PROVIDER_NPI provider;
static WSK_REGISTRATION registration;

/* ---- calls ---- */

struct call {
    PIRP irp;
    KEVENT done;
    NTSTATUS returned, status;
    ULONG_PTR information;
    LONG completions;
    BOOLEAN pending_returned;
};

static NTSTATUS NTAPI call_completed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct call *call = context;

    UNREFERENCED_PARAMETER(device);
    call->status = irp->IoStatus.Status;
    call->information = irp->IoStatus.Information;
    call->pending_returned = irp->PendingReturned;
    InterlockedIncrement(&call->completions);
    KeSetEvent(&call->done, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void call_begin(struct call *call)
{
    memset(call, 0, sizeof *call);
    call->irp = IoAllocateIrp(1, FALSE);
    REQUIRE(call->irp != NULL);
    KeInitializeEvent(&call->done, NotificationEvent, FALSE);
    IoSetCompletionRoutine(call->irp, call_completed, call, TRUE, TRUE, TRUE);
}

static BOOLEAN call_is_over(struct call *call, ULONG ms)
{
    LARGE_INTEGER time;

    time.QuadPart = -10000LL * ms;
    return (BOOLEAN)(KeWaitForSingleObject(&call->done, Executive, KernelMode, FALSE, &time) == STATUS_SUCCESS);
}

/* Waits for the end, and checks the rules that hold for every IRP. */
static NTSTATUS call_end(struct call *call)
{
    if (!call_is_over(call, 5000)) {
        CHECK(!"the IRP completes", "setup");
        exit(1);
    }
    CHECK_EQ(call->completions, 1, "D using IRPs: completed exactly once");
    CHECK(call->returned == STATUS_PENDING || call->returned == call->status, "D using IRPs: return value and IoStatus");
    CHECK_EQ(call->pending_returned, call->returned == STATUS_PENDING, "D IoMarkIrpPending: PendingReturned");
    IoFreeIrp(call->irp);
    return call->status;
}

#define START(call, expression) (call_begin(call), (call)->returned = (expression))
#define RUN(call, expression) (START(call, expression), call_end(call))

/* ---- buffers ---- */

static inline WSK_BUF buffer_of(void *octets, SIZE_T length)
{
    WSK_BUF buffer;

    buffer.Mdl = IoAllocateMdl(octets, (ULONG)length, FALSE, FALSE, NULL);
    REQUIRE(buffer.Mdl != NULL);
    MmBuildMdlForNonPagedPool(buffer.Mdl);
    buffer.Offset = 0;
    buffer.Length = length;
    return buffer;
}

/* ---- sockets ---- */

#define CONNECTION(socket) ((const WSK_PROVIDER_CONNECTION_DISPATCH *)(socket)->Dispatch)
#define LISTEN(socket) ((const WSK_PROVIDER_LISTEN_DISPATCH *)(socket)->Dispatch)
#define STREAM(socket) ((const WSK_PROVIDER_STREAM_DISPATCH *)(socket)->Dispatch)
#define DATAGRAM(socket) ((const WSK_PROVIDER_DATAGRAM_DISPATCH *)(socket)->Dispatch)

static struct sockaddr_in loopback(USHORT port)
{
    struct sockaddr_in at;

    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_port = RtlUshortByteSwap(port);
    at.sin_addr.s_addr = RtlUlongByteSwap(0x7f000001);
    return at;
}

static PWSK_SOCKET socket_of(ULONG flags, PVOID context, const void *dispatch)
{
    BOOLEAN datagrams = flags == WSK_FLAG_DATAGRAM_SOCKET;
    struct call call;

    REQUIRE(RUN(&call, provider.Dispatch->WskSocket(provider.Client, AF_INET, datagrams ? SOCK_DGRAM : SOCK_STREAM,
                                                    datagrams ? IPPROTO_UDP : IPPROTO_TCP, flags, context, dispatch, NULL,
                                                    NULL, NULL, call.irp)) == STATUS_SUCCESS);
    REQUIRE(call.information != 0);
    return (PWSK_SOCKET)call.information;
}

static void close_socket(PWSK_SOCKET socket)
{
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    struct call call;

    CHECK_EQ(RUN(&call, basic->WskCloseSocket(socket, call.irp)), STATUS_SUCCESS, "D WskCloseSocket");
}

static inline void bind_socket(PWSK_SOCKET socket)
{
    struct sockaddr_in any = loopback(0);
    struct call call;

    REQUIRE(RUN(&call, CONNECTION(socket)->WskBind(socket, (PSOCKADDR)&any, 0, call.irp)) == STATUS_SUCCESS);
}

static inline PWSK_SOCKET listener_with(PVOID context, const void *dispatch, struct sockaddr_in *at)
{
    PWSK_SOCKET socket = socket_of(WSK_FLAG_LISTEN_SOCKET, context, dispatch);
    struct sockaddr_in any = loopback(0);
    struct call call;

    REQUIRE(RUN(&call, LISTEN(socket)->WskBind(socket, (PSOCKADDR)&any, 0, call.irp)) == STATUS_SUCCESS);
    REQUIRE(RUN(&call, LISTEN(socket)->WskGetLocalAddress(socket, (PSOCKADDR)at, call.irp)) == STATUS_SUCCESS);
    return socket;
}

static inline void pair_with(PVOID context, const WSK_CLIENT_CONNECTION_DISPATCH *dispatch, PWSK_SOCKET *client, PWSK_SOCKET *server)
{
    struct sockaddr_in at;
    PWSK_SOCKET listener = listener_with(NULL, NULL, &at);
    struct call accepting, connecting;

    START(&accepting, LISTEN(listener)->WskAccept(listener, 0, context, dispatch, NULL, NULL, accepting.irp));
    *client = socket_of(WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    bind_socket(*client);
    REQUIRE(RUN(&connecting, CONNECTION(*client)->WskConnect(*client, (PSOCKADDR)&at, 0, connecting.irp)) == STATUS_SUCCESS);
    REQUIRE(call_end(&accepting) == STATUS_SUCCESS);
    *server = (PWSK_SOCKET)accepting.information;
    close_socket(listener);
}

static inline void pair(PWSK_SOCKET *client, PWSK_SOCKET *server)
{
    pair_with(NULL, NULL, client, server);
}

static inline NTSTATUS send_all(PWSK_SOCKET socket, void *octets, SIZE_T length)
{
    WSK_BUF buffer = buffer_of(octets, length);
    struct call call;
    NTSTATUS status = RUN(&call, CONNECTION(socket)->WskSend(socket, &buffer, 0, call.irp));

    CHECK_EQ(call.information, NT_SUCCESS(status) ? length : 0, "D WskSend: Information");
    IoFreeMdl(buffer.Mdl);
    return status;
}

static inline NTSTATUS receive(PWSK_SOCKET socket, void *octets, SIZE_T room, SIZE_T *got)
{
    WSK_BUF buffer = buffer_of(octets, room);
    struct call call;
    NTSTATUS status = RUN(&call, CONNECTION(socket)->WskReceive(socket, &buffer, 0, call.irp));

    *got = call.information;
    IoFreeMdl(buffer.Mdl);
    return status;
}

static inline NTSTATUS disconnect(PWSK_SOCKET socket, ULONG flags)
{
    struct call call;
    NTSTATUS status = RUN(&call, CONNECTION(socket)->WskDisconnect(socket, NULL, flags, call.irp));

    CHECK_EQ(call.information, 0, "choice: Information without a buffer");
    return status;
}

static const WSK_CLIENT_DISPATCH client_dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};

static void begin(void)
{
    WSK_CLIENT_NPI npi;

    npi.ClientContext = NULL;
    npi.Dispatch = &client_dispatch;
    REQUIRE(WskRegister(&npi, &registration) == STATUS_SUCCESS);
    REQUIRE(WskCaptureProviderNPI(&registration, WSK_INFINITE_WAIT, &provider) == STATUS_SUCCESS);
}

static int finish(const char *name)
{
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
    printf("%s: %ld passed, %ld failed\n", name, (long)passed, (long)failed);
    return failed != 0;
}

#endif
