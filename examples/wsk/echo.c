/*
 * An echo driver: a client of Winsock Kernel that would also build for Windows.
 *
 *      linsock run --wsk examples/wsk/echo.c --seconds 2
 *
 * A listening socket tells its connections by a static callback. What comes on a connection is sent back; at the end of
 * the stream the connection is disconnected gracefully (WskDisconnect) and closed. Completions only queue work: a worker
 * thread makes the next call, because a completion routine must not wait and had better not call WSK itself.
 *
 * To show both ends, the driver also has a client, which sends a few messages to itself over the loopback, and once ends
 * its connection abortively (WSK_FLAG_ABORTIVE).
 */
#include <ntddk.h>
#include <wsk.h>

#define TAG 'ohcE'
#define BUFFER_SIZE 4096
#define ROUNDS 100

typedef struct _CONNECTION {
    SLIST_ENTRY Entry;
    PWSK_SOCKET Socket;
    PIRP Irp;
    PMDL Mdl;
    VOID (*Next)(struct _CONNECTION *);
    UCHAR Data[BUFFER_SIZE];
} CONNECTION;

static WSK_REGISTRATION Registration;
static WSK_PROVIDER_NPI Provider;
static PWSK_SOCKET Listener;
static SLIST_HEADER Work;
static KEVENT WorkReady;
static PETHREAD Worker, Client;
static volatile LONG Stopping, Connections, Echoed, Resets;
static SOCKADDR_IN ListenAddress;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

/* ---- the server: every step is begun by the worker, and its completion queues the next ---- */

static VOID Queue(CONNECTION *connection)
{
    InterlockedPushEntrySList(&Work, &connection->Entry);
    KeSetEvent(&WorkReady, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS NTAPI Completed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    Queue(context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static const WSK_PROVIDER_CONNECTION_DISPATCH *Dispatch(CONNECTION *connection)
{
    return connection->Socket->Dispatch;
}

static PIRP Prepare(CONNECTION *connection, VOID (*next)(CONNECTION *))
{
    connection->Next = next;
    IoReuseIrp(connection->Irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(connection->Irp, Completed, connection, TRUE, TRUE, TRUE);
    return connection->Irp;
}

static VOID Free(CONNECTION *connection)
{
    IoFreeMdl(connection->Mdl);
    IoFreeIrp(connection->Irp);
    ExFreePoolWithTag(connection, TAG);
    InterlockedDecrement(&Connections);
}

static VOID Close(CONNECTION *connection)
{
    Dispatch(connection)->Basic.WskCloseSocket(connection->Socket, Prepare(connection, Free));
}

static VOID Receive(CONNECTION *connection);

static VOID Received(CONNECTION *connection)
{
    NTSTATUS status = connection->Irp->IoStatus.Status;
    WSK_BUF buffer;

    buffer.Mdl = connection->Mdl;
    buffer.Offset = 0;
    buffer.Length = connection->Irp->IoStatus.Information;
    if (!NT_SUCCESS(status)) {
        if (status == STATUS_CONNECTION_RESET)
            InterlockedIncrement(&Resets);
        Close(connection);
    } else if (buffer.Length == 0) {
        /* The peer has ended the stream: so do we, and then both directions are disconnected. */
        Dispatch(connection)->WskDisconnect(connection->Socket, NULL, 0, Prepare(connection, Close));
    } else {
        InterlockedIncrement(&Echoed);
        Dispatch(connection)->WskSend(connection->Socket, &buffer, 0, Prepare(connection, Receive));
    }
}

static VOID Receive(CONNECTION *connection)
{
    WSK_BUF buffer;

    buffer.Mdl = connection->Mdl;
    buffer.Offset = 0;
    buffer.Length = BUFFER_SIZE;
    Dispatch(connection)->WskReceive(connection->Socket, &buffer, 0, Prepare(connection, Received));
}

static NTSTATUS WSKAPI Accepted(PVOID context, ULONG flags, PSOCKADDR local, PSOCKADDR remote, PWSK_SOCKET socket,
                                PVOID *socketContext, CONST WSK_CLIENT_CONNECTION_DISPATCH **dispatch)
{
    CONNECTION *connection;

    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(local);
    UNREFERENCED_PARAMETER(remote);
    if (socket == NULL || Stopping)
        return STATUS_REQUEST_NOT_ACCEPTED;
    connection = ExAllocatePoolZero(NonPagedPoolNx, sizeof *connection, TAG);
    if (connection == NULL)
        return STATUS_REQUEST_NOT_ACCEPTED;
    connection->Socket = socket;
    connection->Irp = IoAllocateIrp(1, FALSE);
    connection->Mdl = IoAllocateMdl(connection->Data, BUFFER_SIZE, FALSE, FALSE, NULL);
    if (connection->Irp == NULL || connection->Mdl == NULL) {
        if (connection->Mdl != NULL)
            IoFreeMdl(connection->Mdl);
        if (connection->Irp != NULL)
            IoFreeIrp(connection->Irp);
        ExFreePoolWithTag(connection, TAG);
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    MmBuildMdlForNonPagedPool(connection->Mdl);
    InterlockedIncrement(&Connections);
    connection->Next = Receive;
    Queue(connection);
    *socketContext = connection;
    *dispatch = NULL;
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_LISTEN_DISPATCH ListenDispatch = {Accepted, NULL, NULL};

static VOID NTAPI Work_(PVOID context)
{
    PSLIST_ENTRY entry, next;

    UNREFERENCED_PARAMETER(context);
    while (!Stopping || Connections > 0) {
        KeWaitForSingleObject(&WorkReady, Executive, KernelMode, FALSE, NULL);
        for (entry = InterlockedFlushSList(&Work); entry != NULL; entry = next) {
            CONNECTION *connection = CONTAINING_RECORD(entry, CONNECTION, Entry);

            next = entry->Next;
            connection->Next(connection);
        }
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* ---- calls that are waited for ---- */

static NTSTATUS NTAPI Signal(PDEVICE_OBJECT device, PIRP irp, PVOID event)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

typedef struct _CALL {
    PIRP Irp;
    KEVENT Event;
} CALL;

static PIRP Begin(CALL *call)
{
    IoReuseIrp(call->Irp, STATUS_UNSUCCESSFUL);
    KeInitializeEvent(&call->Event, NotificationEvent, FALSE);
    IoSetCompletionRoutine(call->Irp, Signal, &call->Event, TRUE, TRUE, TRUE);
    return call->Irp;
}

static NTSTATUS End(CALL *call)
{
    KeWaitForSingleObject(&call->Event, Executive, KernelMode, FALSE, NULL);
    return call->Irp->IoStatus.Status;
}

/* ---- the client ---- */

static NTSTATUS Exchange(CALL *call, BOOLEAN abortive)
{
    SOCKADDR_IN any;
    const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch;
    PWSK_SOCKET socket;
    UCHAR data[64];
    WSK_BUF buffer;
    NTSTATUS status;

    RtlZeroMemory(&any, sizeof any);
    any.sin_family = AF_INET;
    Provider.Dispatch->WskSocketConnect(Provider.Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&any, (PSOCKADDR)&ListenAddress,
                                        0, NULL, NULL, NULL, NULL, NULL, Begin(call));
    status = End(call);
    if (!NT_SUCCESS(status))
        return status;
    socket = (PWSK_SOCKET)call->Irp->IoStatus.Information;
    dispatch = socket->Dispatch;
    RtlFillMemory(data, sizeof data, 'x');
    buffer.Mdl = IoAllocateMdl(data, sizeof data, FALSE, FALSE, NULL);
    buffer.Offset = 0;
    buffer.Length = sizeof data;
    if (buffer.Mdl == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    MmBuildMdlForNonPagedPool(buffer.Mdl);
    dispatch->WskSend(socket, &buffer, 0, Begin(call));
    status = End(call);
    if (NT_SUCCESS(status)) {
        dispatch->WskReceive(socket, &buffer, WSK_FLAG_WAITALL, Begin(call));
        status = End(call);
    }
    if (NT_SUCCESS(status)) {
        dispatch->WskDisconnect(socket, NULL, abortive ? WSK_FLAG_ABORTIVE : 0, Begin(call));
        status = End(call);
    }
    if (NT_SUCCESS(status) && !abortive) {
        /* Half open: the peer's end comes as a receive of nothing. */
        dispatch->WskReceive(socket, &buffer, 0, Begin(call));
        status = End(call);
    }
    dispatch->Basic.WskCloseSocket(socket, Begin(call));
    End(call);
    IoFreeMdl(buffer.Mdl);
    return status;
}

static VOID NTAPI Connect(PVOID context)
{
    CALL call;
    int round;

    UNREFERENCED_PARAMETER(context);
    call.Irp = IoAllocateIrp(1, FALSE);
    for (round = 1; call.Irp != NULL && round <= ROUNDS && !Stopping; round++) {
        NTSTATUS status = Exchange(&call, (BOOLEAN)(round == ROUNDS));

        if (!NT_SUCCESS(status)) {
            DbgPrint("echo: round %d: 0x%08x\n", round, (unsigned)status);
            break;
        }
    }
    if (call.Irp != NULL)
        IoFreeIrp(call.Irp);
    DbgPrint("echo: the client has made %d connections, the last one ended abortively\n", round - 1);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* ---- loading and unloading ---- */

static NTSTATUS Listen(VOID)
{
    WSK_EVENT_CALLBACK_CONTROL events;
    const WSK_PROVIDER_LISTEN_DISPATCH *dispatch;
    CALL call;
    NTSTATUS status;

    events.NpiId = &NPI_WSK_INTERFACE_ID;
    events.EventMask = WSK_EVENT_ACCEPT;
    status = Provider.Dispatch->WskControlClient(Provider.Client, WSK_SET_STATIC_EVENT_CALLBACKS, sizeof events, &events, 0,
                                                 NULL, NULL, NULL);
    call.Irp = IoAllocateIrp(1, FALSE);
    if (!NT_SUCCESS(status) || call.Irp == NULL)
        return NT_SUCCESS(status) ? STATUS_INSUFFICIENT_RESOURCES : status;
    Provider.Dispatch->WskSocket(Provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_LISTEN_SOCKET, NULL,
                                 &ListenDispatch, NULL, NULL, NULL, Begin(&call));
    status = End(&call);
    if (NT_SUCCESS(status)) {
        Listener = (PWSK_SOCKET)call.Irp->IoStatus.Information;
        dispatch = Listener->Dispatch;
        RtlZeroMemory(&ListenAddress, sizeof ListenAddress);
        ListenAddress.sin_family = AF_INET;
        ListenAddress.sin_addr.s_addr = RtlUlongByteSwap(0x7f000001);
        dispatch->WskBind(Listener, (PSOCKADDR)&ListenAddress, 0, Begin(&call));
        status = End(&call);
        if (NT_SUCCESS(status)) {
            dispatch->WskGetLocalAddress(Listener, (PSOCKADDR)&ListenAddress, Begin(&call));
            status = End(&call);
        }
    }
    IoFreeIrp(call.Irp);
    return status;
}

static PETHREAD Start(PKSTART_ROUTINE routine)
{
    HANDLE handle;
    PVOID thread = NULL;

    if (NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, routine, NULL))) {
        ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &thread, NULL);
        ZwClose(handle);
    }
    return thread;
}

static VOID Join(PETHREAD thread)
{
    if (thread != NULL) {
        KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(thread);
    }
}

static VOID NTAPI Unload(PDRIVER_OBJECT driver)
{
    CALL call;

    UNREFERENCED_PARAMETER(driver);
    InterlockedExchange(&Stopping, TRUE);
    Join(Client);
    call.Irp = IoAllocateIrp(1, FALSE);
    if (Listener != NULL && call.Irp != NULL) {
        const WSK_PROVIDER_LISTEN_DISPATCH *dispatch = Listener->Dispatch;

        dispatch->Basic.WskCloseSocket(Listener, Begin(&call));
        End(&call);
    }
    if (call.Irp != NULL)
        IoFreeIrp(call.Irp);
    KeSetEvent(&WorkReady, IO_NO_INCREMENT, FALSE);
    Join(Worker);
    WskReleaseProviderNPI(&Registration);
    WskDeregister(&Registration);
    DbgPrint("echo: %ld messages echoed, %ld connections reset by the peer\n", (long)Echoed, (long)Resets);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registryPath)
{
    static const WSK_CLIENT_DISPATCH dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
    WSK_CLIENT_NPI npi;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(registryPath);
    InitializeSListHead(&Work);
    KeInitializeEvent(&WorkReady, SynchronizationEvent, FALSE);
    npi.ClientContext = NULL;
    npi.Dispatch = &dispatch;
    status = WskRegister(&npi, &Registration);
    if (!NT_SUCCESS(status))
        return status;
    status = WskCaptureProviderNPI(&Registration, WSK_INFINITE_WAIT, &Provider);
    if (!NT_SUCCESS(status)) {
        WskDeregister(&Registration);
        return status;
    }
    driver->DriverUnload = Unload;
    Worker = Start(Work_);
    status = Worker != NULL ? Listen() : STATUS_INSUFFICIENT_RESOURCES;
    if (!NT_SUCCESS(status)) {
        Unload(driver);
        return status;
    }
    DbgPrint("echo: listening on 127.0.0.1:%u\n", RtlUshortByteSwap(ListenAddress.sin_port));
    Client = Start(Connect);
    return STATUS_SUCCESS;
}
