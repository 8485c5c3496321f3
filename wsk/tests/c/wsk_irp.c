/*
 * IRPs and the kernel's objects: mechanics, reuse, IRPs that are passed down, completion styles; the rules whose breach
 * is reported. Sources: "Using IRPs with Winsock Kernel Functions" and the wdm pages (D).
 */
#include "wsk_check.h"
#include <winsock2.h>

static NTSTATUS NTAPI keeps(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(context, 0, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS NTAPI goes_on(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    if (irp->PendingReturned && irp->CurrentLocation <= irp->StackCount)
        IoMarkIrpPending(irp);
    InterlockedIncrement((volatile LONG *)context);
    return STATUS_SUCCESS;
}

static void wait_for(PKEVENT event)
{
    LARGE_INTEGER time;

    time.QuadPart = -50000000LL;
    REQUIRE(KeWaitForSingleObject(event, Executive, KernelMode, FALSE, &time) == STATUS_SUCCESS);
}

static void reuse(void)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    KEVENT done;
    int i;

    KeInitializeEvent(&done, SynchronizationEvent, FALSE);
    for (i = 0; i < 50; i++) {
        PWSK_SOCKET socket;

        IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
        IoSetCompletionRoutine(irp, keeps, &done, TRUE, TRUE, TRUE);
        provider.Dispatch->WskSocket(provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL,
                                     NULL, NULL, NULL, irp);
        wait_for(&done);
        CHECK_EQ(irp->IoStatus.Status, STATUS_SUCCESS, "D IoReuseIrp");
        socket = (PWSK_SOCKET)irp->IoStatus.Information;
        IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
        IoSetCompletionRoutine(irp, keeps, &done, TRUE, TRUE, TRUE);
        CONNECTION(socket)->Basic.WskCloseSocket(socket, irp);
        wait_for(&done);
    }
    IoFreeIrp(irp);
}

/* An IRP of a driver above: our completion routine lets it go on to that driver's. */
static void passed_down(void)
{
    PIRP irp = IoAllocateIrp(2, FALSE);
    volatile LONG passed_by = 0;
    PWSK_SOCKET socket;
    KEVENT done;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoSetCompletionRoutine(irp, keeps, &done, TRUE, TRUE, TRUE); /* the driver above */
    IoSetNextIrpStackLocation(irp);                              /* it is ours now */
    IoSetCompletionRoutine(irp, goes_on, (PVOID)&passed_by, TRUE, TRUE, TRUE);
    provider.Dispatch->WskSocket(provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL,
                                 NULL, NULL, NULL, irp);
    wait_for(&done);
    CHECK_EQ(passed_by, 1, "D IoCompleteRequest: up the stack");
    CHECK_EQ(irp->IoStatus.Status, STATUS_SUCCESS, "D IoCompleteRequest");
    socket = (PWSK_SOCKET)irp->IoStatus.Information;
    IoFreeIrp(irp);
    close_socket(socket);
}

/* In memory of the client's. */
static void on_the_stack(void)
{
    union {
        IRP irp;
        UCHAR room[sizeof(IRP) + sizeof(IO_STACK_LOCATION)];
    } own;
    KEVENT done;
    PWSK_SOCKET socket;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoInitializeIrp(&own.irp, sizeof own, 1);
    IoSetCompletionRoutine(&own.irp, keeps, &done, TRUE, TRUE, TRUE);
    provider.Dispatch->WskSocket(provider.Client, AF_INET6, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL,
                                 NULL, NULL, NULL, &own.irp);
    wait_for(&done);
    socket = (PWSK_SOCKET)own.irp.IoStatus.Information;
    IoCleanupIrp(&own.irp);
    close_socket(socket);
}

static void styles(void)
{
    struct call call;

    linsock_wsk_completion(0, 0);
    RUN(&call, provider.Dispatch->WskSocket(provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, NULL,
                                            NULL, NULL, NULL, NULL, call.irp));
    CHECK_EQ(call.returned, STATUS_PENDING, "T driver_netio: nearly everything pends");
    close_socket((PWSK_SOCKET)call.information);
    linsock_wsk_completion(1, 0);
    RUN(&call, provider.Dispatch->WskSocket(provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, NULL,
                                            NULL, NULL, NULL, NULL, call.irp));
    CHECK_EQ(call.returned, STATUS_SUCCESS, "choice: the inline style");
    close_socket((PWSK_SOCKET)call.information);
    linsock_wsk_completion(0, 0);
}

/* ---- broken rules ---- */

#define REPORTED(statement, rule) \
    do { \
        ULONG before = linsock_wsk_misuses(); \
        statement; \
        CHECK_EQ(linsock_wsk_misuses(), before + 1, rule); \
    } while (0)

static NTSTATUS NTAPI waits(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    KEVENT never;
    LARGE_INTEGER time;

    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    time.QuadPart = -10000;
    KeWaitForSingleObject(&never, Executive, KernelMode, FALSE, &time);
    KeSetEvent(context, 0, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS NTAPI lets_go(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(context, 0, FALSE);
    return STATUS_SUCCESS;
}

static void local_address(PWSK_SOCKET socket, PIRP irp)
{
    static struct sockaddr_in at;

    CONNECTION(socket)->WskGetLocalAddress(socket, (PSOCKADDR)&at, irp);
}

static void misuses(void)
{
    PWSK_SOCKET client, server;
    char octet;
    WSK_BUF buffer = buffer_of(&octet, 1);
    struct call call;
    PIRP irp = IoAllocateIrp(1, FALSE), empty = IoAllocateIrp(0, FALSE);
    KEVENT done;

    KeInitializeEvent(&done, SynchronizationEvent, FALSE);
    pair(&client, &server);
    START(&call, CONNECTION(server)->WskReceive(server, &buffer, 0, call.irp));
    REPORTED(IoFreeIrp(call.irp), "an IRP is freed while it is pending");
    REPORTED(IoReuseIrp(call.irp, STATUS_SUCCESS), "an IRP is reused while it is pending");
    REPORTED(IoInitializeIrp(call.irp, IoSizeOfIrp(1), 1), "an IRP is initialized while it is pending");
    REPORTED(IoCompleteRequest(call.irp, IO_NO_INCREMENT), "an IRP is completed while it is pending");
    REPORTED(CHECK_EQ(CONNECTION(server)->WskReceive(server, &buffer, 0, call.irp), STATUS_INVALID_PARAMETER, "choice"),
             "an IRP is given to two calls");
    CHECK_EQ(send_all(client, "x", 1), STATUS_SUCCESS, "setup");
    CHECK_EQ(call_end(&call), STATUS_SUCCESS, "and the request goes on");
    REPORTED(CHECK_EQ(CONNECTION(server)->WskReceive(server, &buffer, 0, empty), STATUS_INVALID_PARAMETER, "choice"),
             "an IRP without a stack location");
    IoReuseIrp(irp, STATUS_SUCCESS);
    IoSetCompletionRoutine(irp, keeps, &done, TRUE, FALSE, FALSE);
    REPORTED((local_address(server, irp), wait_for(&done)), "a completion routine that is not always invoked");
    IoReuseIrp(irp, STATUS_SUCCESS);
    IoSetCompletionRoutine(irp, waits, &done, TRUE, TRUE, TRUE);
    REPORTED((local_address(server, irp), wait_for(&done)), "a wait inside a completion routine");
    IoReuseIrp(irp, STATUS_SUCCESS);
    IoSetCompletionRoutine(irp, lets_go, &done, TRUE, TRUE, TRUE);
    REPORTED((local_address(server, irp), wait_for(&done), close_socket(client)),
             "a completion routine that does not return STATUS_MORE_PROCESSING_REQUIRED");
    close_socket(server);
    REPORTED(CHECK_EQ(RUN(&call, CONNECTION(server)->WskReceive(server, &buffer, 0, call.irp)), STATUS_INVALID_HANDLE, "choice"),
             "a call on a closed socket");
    pair(&client, &server);
    close_socket(server);
    client = (close_socket(client), NULL);
    client = socket_of(WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    bind_socket(client);
    {
        WSK_EVENT_CALLBACK_CONTROL control;

        control.NpiId = &NPI_WSK_INTERFACE_ID;
        control.EventMask = WSK_EVENT_RECEIVE;
        REPORTED(CHECK_EQ(CONNECTION(client)->Basic.WskControlSocket(client, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET,
                                                                     sizeof control, &control, 0, NULL, NULL, NULL),
                          STATUS_INVALID_DEVICE_STATE, "choice"),
                 "events are enabled before the connection is made");
    }
    close_socket(client);
    IoFreeMdl(buffer.Mdl);
    IoFreeIrp(irp);
    IoFreeIrp(empty);
}

static KEVENT deregistered;

static VOID NTAPI deregister(PVOID own)
{
    WskDeregister(own);
    KeSetEvent(&deregistered, 0, FALSE);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* WskDeregister blocks while something is out, and says what. */
static void leaving(void)
{
    WSK_REGISTRATION own;
    WSK_PROVIDER_NPI npi, late;
    WSK_CLIENT_NPI client;
    PWSK_SOCKET socket;
    struct call call;
    HANDLE thread;
    LARGE_INTEGER time;
    ULONG before = linsock_wsk_misuses();

    time.QuadPart = -500000;
    client.ClientContext = NULL;
    client.Dispatch = &client_dispatch;
    KeInitializeEvent(&deregistered, NotificationEvent, FALSE);
    REQUIRE(WskRegister(&client, &own) == STATUS_SUCCESS);
    REQUIRE(WskCaptureProviderNPI(&own, WSK_NO_WAIT, &npi) == STATUS_SUCCESS);
    RUN(&call, npi.Dispatch->WskSocket(npi.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL,
                                       NULL, NULL, NULL, call.irp));
    socket = (PWSK_SOCKET)call.information;
    REQUIRE(NT_SUCCESS(PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, deregister, &own)));
    CHECK_EQ(KeWaitForSingleObject(&deregistered, Executive, KernelMode, FALSE, &time), STATUS_TIMEOUT, "D WskDeregister: blocks");
    CHECK_EQ(linsock_wsk_misuses(), before + 2, "a socket and an NPI are left");
    CHECK_EQ(WskCaptureProviderNPI(&own, WSK_INFINITE_WAIT, &late), STATUS_DEVICE_NOT_READY, "D WskCaptureProviderNPI");
    close_socket(socket);
    CHECK_EQ(KeWaitForSingleObject(&deregistered, Executive, KernelMode, FALSE, &time), STATUS_TIMEOUT, "D WskDeregister: blocks");
    WskReleaseProviderNPI(&own);
    time.QuadPart = -50000000;
    CHECK_EQ(KeWaitForSingleObject(&deregistered, Executive, KernelMode, FALSE, &time), STATUS_SUCCESS, "D WskDeregister");
    ZwClose(thread);
    REPORTED(WskReleaseProviderNPI(&registration); WskReleaseProviderNPI(&registration), "an NPI is released twice");
    REQUIRE(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider) == STATUS_SUCCESS);
}

/* ---- objects ---- */

static KSEMAPHORE semaphore;
static KMUTEX mutex;
static KSPIN_LOCK spin_lock;
static EX_RUNDOWN_REF rundown;
static SLIST_HEADER list;
static LONG by_spin_lock, by_mutex;

static VOID NTAPI contends(PVOID context)
{
    int i;

    UNREFERENCED_PARAMETER(context);
    for (i = 0; i < 1000; i++) {
        KIRQL old;

        KeAcquireSpinLock(&spin_lock, &old);
        by_spin_lock++;
        KeReleaseSpinLock(&spin_lock, old);
        KeWaitForSingleObject(&mutex, Executive, KernelMode, FALSE, NULL);
        KeWaitForSingleObject(&mutex, Executive, KernelMode, FALSE, NULL);
        by_mutex++;
        KeReleaseMutex(&mutex, FALSE);
        KeReleaseMutex(&mutex, FALSE);
    }
    KeReleaseSemaphore(&semaphore, 0, 1, FALSE);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static volatile LONG run_down;

static VOID NTAPI runs_down(PVOID context)
{
    ExWaitForRundownProtectionRelease(&rundown);
    InterlockedExchange(&run_down, 1);
    KeSetEvent(context, 0, FALSE);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static volatile LONG worked;

static VOID NTAPI works(PDEVICE_OBJECT device, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    InterlockedIncrement(&worked);
    KeSetEvent(context, 0, FALSE);
}

static void objects(void)
{
    KEVENT a, b;
    PVOID both[2];
    HANDLE threads[4];
    PVOID thread;
    LARGE_INTEGER none, time;
    SLIST_ENTRY entries[3];
    PIO_WORKITEM item = IoAllocateWorkItem(NULL);
    int i;

    none.QuadPart = 0;
    both[0] = &a;
    both[1] = &b;
    KeInitializeEvent(&a, SynchronizationEvent, FALSE);
    KeInitializeEvent(&b, NotificationEvent, FALSE);
    CHECK_EQ(KeWaitForMultipleObjects(2, both, WaitAny, Executive, KernelMode, FALSE, &none, NULL), STATUS_TIMEOUT, "D Ke");
    CHECK_EQ(KeSetEvent(&b, 0, FALSE), 0, "D KeSetEvent: the state before");
    CHECK_EQ(KeWaitForMultipleObjects(2, both, WaitAny, Executive, KernelMode, FALSE, &none, NULL), STATUS_WAIT_1, "D Ke");
    CHECK_EQ(KeWaitForMultipleObjects(2, both, WaitAll, Executive, KernelMode, FALSE, &none, NULL), STATUS_TIMEOUT, "D Ke");
    KeSetEvent(&a, 0, FALSE);
    CHECK_EQ(KeWaitForMultipleObjects(2, both, WaitAll, Executive, KernelMode, FALSE, &none, NULL), STATUS_SUCCESS, "D Ke");
    CHECK_EQ(KeReadStateEvent(&a), 0, "D Ke: a synchronization event is taken");
    CHECK(KeReadStateEvent(&b) != 0, "D Ke: a notification event stays");
    KeInitializeSemaphore(&semaphore, 0, 4);
    KeInitializeMutex(&mutex, 0);
    KeInitializeSpinLock(&spin_lock);
    by_spin_lock = by_mutex = 0;
    for (i = 0; i < 4; i++)
        REQUIRE(NT_SUCCESS(PsCreateSystemThread(&threads[i], THREAD_ALL_ACCESS, NULL, NULL, NULL, contends, NULL)));
    for (i = 0; i < 4; i++)
        CHECK_EQ(KeWaitForSingleObject(&semaphore, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS, "D KeReleaseSemaphore");
    for (i = 0; i < 4; i++) {
        REQUIRE(NT_SUCCESS(ObReferenceObjectByHandle(threads[i], THREAD_ALL_ACCESS, NULL, KernelMode, &thread, NULL)));
        ZwClose(threads[i]);
        CHECK_EQ(KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS, "D: a thread ends");
        ObDereferenceObject(thread);
    }
    CHECK_EQ(by_spin_lock, 4000, "D KeAcquireSpinLock: one at a time");
    CHECK_EQ(by_mutex, 4000, "D KeWaitForSingleObject: a mutex has one owner");
    InitializeSListHead(&list);
    CHECK(InterlockedPopEntrySList(&list) == NULL, "D SLists");
    for (i = 0; i < 3; i++)
        InterlockedPushEntrySList(&list, &entries[i]);
    CHECK_EQ(QueryDepthSList(&list), 3, "D SLists");
    CHECK(InterlockedPopEntrySList(&list) == &entries[2], "D SLists: the last comes first");
    CHECK(InterlockedFlushSList(&list) == &entries[1] && entries[1].Next == &entries[0] && entries[0].Next == NULL, "D SLists");
    ExInitializeRundownProtection(&rundown);
    CHECK(ExAcquireRundownProtection(&rundown), "D rundown protection");
    ExReleaseRundownProtection(&rundown);
    ExWaitForRundownProtectionRelease(&rundown);
    CHECK(!ExAcquireRundownProtection(&rundown), "D rundown protection");
    ExInitializeRundownProtection(&rundown);
    CHECK(ExAcquireRundownProtection(&rundown), "D rundown protection");
    KeResetEvent(&b);
    REQUIRE(NT_SUCCESS(PsCreateSystemThread(&threads[0], THREAD_ALL_ACCESS, NULL, NULL, NULL, runs_down, &b)));
    time.QuadPart = -200000;
    CHECK_EQ(KeWaitForSingleObject(&b, Executive, KernelMode, FALSE, &time), STATUS_TIMEOUT, "D ExWaitForRundownProtectionRelease");
    CHECK_EQ(run_down, 0, "D ExWaitForRundownProtectionRelease: waits for the reference");
    ExReleaseRundownProtection(&rundown);
    wait_for(&b);
    CHECK_EQ(run_down, 1, "D ExWaitForRundownProtectionRelease");
    ZwClose(threads[0]);
    KeResetEvent(&b);
    IoQueueWorkItem(item, works, DelayedWorkQueue, &b);
    wait_for(&b);
    CHECK_EQ(worked, 1, "D IoQueueWorkItem");
    IoFreeWorkItem(item);
    worked = 0;
    KeQuerySystemTime(&time);
    CHECK(time.QuadPart > 132000000000000000LL, "D KeQuerySystemTime: 100 ns since 1601");
}

static volatile LONG raced, inside;
static FAST_MUTEX fast;

static VOID NTAPI races(PVOID event)
{
    int i;

    for (i = 0; i < 2000; i++) {
        ExAcquireFastMutex(&fast);
        if (InterlockedIncrement(&inside) != 1)
            InterlockedIncrement(&raced);
        InterlockedDecrement(&inside);
        ExReleaseFastMutex(&fast);
    }
    KeSetEvent(event, 0, FALSE);
}

static void more_objects(void)
{
    WORK_QUEUE_ITEM items[2];
    KEVENT events[2];
    UCHAR *pool;
    PMDL first, second;
    PIRP irp = IoAllocateIrp(1, FALSE);
    LARGE_INTEGER time, frequency;
    ULONGLONG begun = KeQueryInterruptTime();
    KIRQL old;
    PETHREAD self = PsGetCurrentThread();
    PDEVICE_OBJECT device;
    DRIVER_OBJECT driver;
    UNICODE_STRING none;
    int i;

    ExInitializeFastMutex(&fast);
    for (i = 0; i < 2; i++) {
        KeInitializeEvent(&events[i], NotificationEvent, FALSE);
        ExInitializeWorkItem(&items[i], races, &events[i]);
        ExQueueWorkItem(&items[i], DelayedWorkQueue);
    }
    wait_for(&events[0]);
    wait_for(&events[1]);
    CHECK_EQ(raced, 0, "D ExAcquireFastMutex: one at a time");
    KeClearEvent(&events[0]);
    CHECK_EQ(KeReadStateEvent(&events[0]), 0, "D KeClearEvent");
    CHECK_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL, "D KeGetCurrentIrql");
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    CHECK_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL, "D KeRaiseIrql");
    KeAcquireSpinLockAtDpcLevel(&spin_lock);
    KeReleaseSpinLockFromDpcLevel(&spin_lock);
    time.QuadPart = -10000;
    REPORTED(KeWaitForSingleObject(&events[0], Executive, KernelMode, FALSE, &time), "a wait at DISPATCH_LEVEL");
    KeLowerIrql(old);
    pool = ExAllocatePool2(POOL_FLAG_NON_PAGED, 5000, 0x74736554);
    CHECK(pool[0] == 0 && pool[4999] == 0, "D ExAllocatePool2: zeroed");
    first = IoAllocateMdl(pool, 5000, FALSE, FALSE, irp);
    second = IoAllocateMdl(pool + 100, 10, TRUE, FALSE, irp);
    CHECK(irp->MdlAddress == first && first->Next == second, "D IoAllocateMdl: SecondaryBuffer");
    MmProbeAndLockPages(first, KernelMode, IoWriteAccess);
    CHECK((first->MdlFlags & MDL_PAGES_LOCKED) != 0, "D MmProbeAndLockPages");
    CHECK(MmGetMdlVirtualAddress(second) == pool + 100 && MmGetMdlByteCount(second) == 10, "D MmGetMdlVirtualAddress");
    MmUnlockPages(first);
    IoFreeMdl(first);
    IoFreeMdl(second);
    ExFreePool(pool);
    ExFreePool(ExAllocatePool(NonPagedPool, 1));
    ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPool, 1, 1), 1);
    ExFreePoolWithTag(ExAllocatePoolUninitialized(NonPagedPoolNx, 1, 1), 1);
    IoFreeIrp(irp);
    KeDelayExecutionThread(KernelMode, FALSE, &time);
    CHECK(KeQueryInterruptTime() - begun >= 10000, "D KeDelayExecutionThread: 100 ns");
    KeQueryPerformanceCounter(&frequency);
    CHECK(frequency.QuadPart > 0, "D KeQueryPerformanceCounter");
    CHECK(self != NULL && self == PsGetCurrentThread(), "D PsGetCurrentThread");
    ObReferenceObject(self);
    ObDereferenceObject(self);
    CHECK(PsGetCurrentThreadId() != NULL && PsGetCurrentProcessId() != NULL, "D PsGetCurrentThreadId");
    memset(&driver, 0, sizeof driver);
    memset(&none, 0, sizeof none);
    REQUIRE(NT_SUCCESS(IoCreateDevice(&driver, 16, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device)));
    CHECK(device->DriverObject == &driver && device->StackSize == 1, "D IoCreateDevice");
    memset(device->DeviceExtension, 1, 16);
    CHECK(NT_SUCCESS(IoCreateSymbolicLink(&none, &none)) && NT_SUCCESS(IoDeleteSymbolicLink(&none)), "choice: nothing is named");
    IoDeleteDevice(device);
}

/* The other front door: a Winsock socket and a WSK socket are two ends of one connection. */
static void a_winsock_peer(void)
{
    struct sockaddr_in at;
    PWSK_SOCKET listener = listener_with(NULL, NULL, &at), server;
    struct call accepting;
    char octets[16];
    SIZE_T got;
    WSADATA data;
    SOCKET s;

    REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    START(&accepting, LISTEN(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, accepting.irp));
    REQUIRE(connect(s, (struct sockaddr *)&at, sizeof at) == 0);
    REQUIRE(call_end(&accepting) == STATUS_SUCCESS);
    server = (PWSK_SOCKET)accepting.information;
    CHECK_EQ(send(s, "hello", 5, 0), 5, "D send");
    CHECK_EQ(receive(server, octets, sizeof octets, &got), STATUS_SUCCESS, "D WskReceive");
    CHECK(got == 5 && memcmp(octets, "hello", 5) == 0, "D WskReceive");
    CHECK_EQ(send_all(server, "goodbye", 7), STATUS_SUCCESS, "D WskSend");
    CHECK_EQ(disconnect(server, 0), STATUS_SUCCESS, "S 004");
    CHECK_EQ(recv(s, octets, sizeof octets, 0), 7, "D recv");
    CHECK_EQ(recv(s, octets, sizeof octets, 0), 0, "D recv: a graceful end");
    CHECK_EQ(WSASendDisconnect(s, NULL), 0, "S 002");
    CHECK_EQ(receive(server, octets, sizeof octets, &got), STATUS_SUCCESS, "D WskReceive");
    CHECK_EQ(got, 0, "D WskReceive: the peer has disconnected");
    close_socket(server);
    closesocket(s);
    close_socket(listener);
    WSACleanup();
}

int main(void)
{
    ULONG style;

    setenv("LINSOCK_WSK_CHECK", "1", 0);
    begin();
    for (style = 0; style < 3; style++) {
        linsock_wsk_completion(style, 31);
        reuse();
        passed_down();
        on_the_stack();
        a_winsock_peer();
    }
    styles();
    misuses();
    leaving();
    objects();
    more_objects();
    return finish("wsk_irp");
}
