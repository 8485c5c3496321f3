/*
 * thread_pool.c - the thread pool: work items, sockets bound to it, its objects, registered waits, cleanup groups.
 */
#include "check.h"

static const char *const D_WORK = "D SubmitThreadpoolWork", *const D_IO = "D CreateThreadpoolIo";

static HANDLE done;
static volatile LONG calls, told_of; /* those that have begun to tell, and those that have told */

#define FROM_NOW(ms) ((FILETIME *)&(LARGE_INTEGER){.QuadPart = -(ms) * 10000LL})

/* Waits for a count that callbacks raise, each of which sets `done`. */
static BOOL calls_reach(LONG wanted)
{
    ULONGLONG limit = GetTickCount64() + CHECK_WAIT_MS;

    while (InterlockedCompareExchange(&calls, 0, 0) < wanted && GetTickCount64() < limit)
        WaitForSingleObject(done, CHECK_WAIT_MS);
    return InterlockedCompareExchange(&calls, 0, 0) == wanted;
}

static void restart(void)
{
    while (InterlockedCompareExchange(&told_of, 0, 0) != InterlockedCompareExchange(&calls, 0, 0))
        SwitchToThread();
    InterlockedExchange(&told_of, 0);
    InterlockedExchange(&calls, 0);
    ResetEvent(done);
}

static void count(void)
{
    InterlockedIncrement(&calls);
    SetEvent(done);
    InterlockedIncrement(&told_of);
}

/* ---- work items ----------------------------------------------------------------------------------------- */

static DWORD WINAPI work_item(void *context)
{
    CHECK(*(DWORD *)context != GetCurrentThreadId(), "D QueueUserWorkItem: a thread of the pool");
    count();
    return 0;
}

/* Each waits until all have begun. */
struct crowd {
    volatile LONG begun;
    LONG size;
    HANDLE all;
};

static DWORD WINAPI join_crowd(void *context)
{
    struct crowd *crowd = context;

    if (InterlockedIncrement(&crowd->begun) == crowd->size)
        SetEvent(crowd->all);
    if (is_set(crowd->all, CHECK_WAIT_MS))
        count();
    return 0;
}

static void work_items(void)
{
    struct crowd crowd = {0, 24, new_event()};
    DWORD me = GetCurrentThreadId();
    int i;

    restart();
    for (i = 0; i < 100; i++)
        CHECK(QueueUserWorkItem(work_item, &me, i % 2 ? WT_EXECUTEDEFAULT : WT_EXECUTELONGFUNCTION), "D QueueUserWorkItem");
    CHECK(calls_reach(100), "D QueueUserWorkItem: each once");
    CHECK_FALSE(QueueUserWorkItem(NULL, NULL, 0), ERROR_INVALID_PARAMETER, "choice: no function");
    CHECK_FALSE(QueueUserWorkItem(work_item, NULL, 0x4000), ERROR_INVALID_PARAMETER, "choice: unknown flags");
    restart();
    for (i = 0; i < crowd.size; i++)
        CHECK(QueueUserWorkItem(join_crowd, &crowd, WT_EXECUTEDEFAULT), "D QueueUserWorkItem");
    CHECK(calls_reach(crowd.size), "D thread pools: the pool grows while callbacks block");
    CloseHandle(crowd.all);
}

/* ---- sockets -------------------------------------------------------------------------------------------- */

static struct {
    DWORD error, bytes;
    LPOVERLAPPED ov;
} told;

static VOID CALLBACK bound(DWORD error, DWORD bytes, LPOVERLAPPED ov)
{
    told.error = error;
    told.bytes = bytes;
    told.ov = ov;
    count();
}

static void start_receive(SOCKET s, OVERLAPPED *ov, char *buffer, ULONG size)
{
    WSABUF space;
    DWORD flags = 0;

    space.buf = buffer;
    space.len = size;
    ov_init(ov, NULL);
    CHECK_WSA_PENDS(WSARecv(s, &space, 1, NULL, &flags, ov, NULL), "setup");
}

static void bound_socket_calls(void)
{
    SOCKET client, server;
    OVERLAPPED ov;
    char buffer[8];

    restart();
    tcp_pair(&client, &server);
    CHECK(BindIoCompletionCallback((HANDLE)server, bound, 0), "D BindIoCompletionCallback");
    CHECK_FALSE(BindIoCompletionCallback((HANDLE)server, bound, 0), ERROR_INVALID_PARAMETER,
                "choice: as a second CreateIoCompletionPort");
    start_receive(server, &ov, buffer, sizeof buffer);
    CHECK_EQ(send(client, "abc", 3, 0), 3, "setup");
    CHECK(calls_reach(1), "D BindIoCompletionCallback");
    CHECK(told.error == 0 && told.bytes == 3 && told.ov == &ov, "D FileIOCompletionRoutine");
    CHECK(memcmp(buffer, "abc", 3) == 0, "D WSARecv");
    start_receive(server, &ov, buffer, sizeof buffer);
    closesocket(server);
    CHECK(calls_reach(2), "D closesocket: pending operations complete");
    CHECK(told.error == ST_CONNECTION_ABORTED && told.bytes == 0 && told.ov == &ov,
          "choice: the NTSTATUS, as programs know it that call RtlNtStatusToDosError");
    closesocket(client);
    CHECK_FALSE(BindIoCompletionCallback((HANDLE)server, bound, 0), ERROR_INVALID_HANDLE, "D BindIoCompletionCallback");
    CHECK_FALSE(BindIoCompletionCallback(done, bound, 0), ERROR_INVALID_HANDLE, "D BindIoCompletionCallback: no file");
}

struct io_result {
    ULONG error;
    ULONG_PTR bytes;
    PVOID ov;
    PTP_IO io;
};

static VOID CALLBACK io_over(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID ov, ULONG error, ULONG_PTR bytes, PTP_IO io)
{
    struct io_result *result = context;

    CHECK(instance != NULL, D_IO);
    result->error = error;
    result->bytes = bytes;
    result->ov = ov;
    result->io = io;
    count();
}

static void io_objects(void)
{
    struct io_result result = {0, 0, NULL, NULL};
    SOCKET client, server;
    OVERLAPPED ov;
    char buffer[8];
    PTP_IO io;

    restart();
    tcp_pair(&client, &server);
    io = CreateThreadpoolIo((HANDLE)server, io_over, &result, NULL);
    REQUIRE(io != NULL);
    CHECK_CALL(CreateThreadpoolIo((HANDLE)server, io_over, &result, NULL), 0, ERROR_INVALID_PARAMETER,
               "choice: as a second CreateIoCompletionPort");
    StartThreadpoolIo(io);
    start_receive(server, &ov, buffer, sizeof buffer);
    CHECK_EQ(send(client, "abcd", 4, 0), 4, "setup");
    WaitForThreadpoolIoCallbacks(io, FALSE);
    CHECK_EQ(calls, 1, "D WaitForThreadpoolIoCallbacks: of pending operations too");
    CHECK(result.error == NO_ERROR && result.bytes == 4 && result.ov == &ov && result.io == io, "D IoCompletionCallback");

    StartThreadpoolIo(io);
    CancelThreadpoolIo(io);
    WaitForThreadpoolIoCallbacks(io, FALSE);
    CHECK_EQ(calls, 1, "D CancelThreadpoolIo: nothing is expected any more");

    StartThreadpoolIo(io);
    start_receive(server, &ov, buffer, sizeof buffer);
    WaitForThreadpoolIoCallbacks(io, TRUE);
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    while (!HasOverlappedIoCompleted(&ov))
        SleepEx(1, FALSE);
    StartThreadpoolIo(io);
    start_receive(server, &ov, buffer, sizeof buffer);
    closesocket(server);
    WaitForThreadpoolIoCallbacks(io, FALSE);
    CHECK_EQ(calls, 2, "D WaitForThreadpoolIoCallbacks: callbacks that were called off are not made, later ones are");
    CHECK_EQ(result.error, ERROR_CONNECTION_ABORTED, "D IoCompletionCallback: a Win32 error");
    CloseThreadpoolIo(io);
    CHECK_CALL((StartThreadpoolIo(io), 0), 0, ERROR_INVALID_HANDLE, "choice: a stale pointer is refused");
    closesocket(client);
}

static VOID CALLBACK close_own_io(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID ov, ULONG error, ULONG_PTR bytes, PTP_IO io)
{
    SOCKET s = *(SOCKET *)context;

    (void)instance, (void)ov, (void)error, (void)bytes;
    closesocket(s);
    CloseThreadpoolIo(io);
    count();
}

static void io_closes_itself(void)
{
    SOCKET client, server;
    OVERLAPPED ov, unannounced;
    char buffer[8];
    PTP_IO io;

    restart();
    tcp_pair(&client, &server);
    io = CreateThreadpoolIo((HANDLE)server, close_own_io, &server, NULL);
    StartThreadpoolIo(io);
    start_receive(server, &ov, buffer, 1);
    start_receive(server, &unannounced, buffer + 1, 1);
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    CHECK(calls_reach(1), "D CloseThreadpoolIo: in its own callback");
    while (!HasOverlappedIoCompleted(&unannounced))
        SleepEx(1, FALSE);
    CHECK_EQ(calls, 1, "D StartThreadpoolIo: the pool ignores a completion that was not announced");
    closesocket(client);
}

/* ---- a server whose connections are I/O objects ---------------------------------------------------------- */

enum { CONNECTIONS = 12, ECHOES = 40 };

struct connection {
    SOCKET s;
    PTP_IO io;
    OVERLAPPED ov;
    WSABUF space;
    char buffer[32];
    BOOL sends;
};

/* Receives after a send, and sends what it has received, until the peer is done. */
static void go_on(struct connection *c, ULONG bytes)
{
    DWORD flags = 0, error = 0;

    c->sends = !c->sends;
    c->space.buf = c->buffer;
    c->space.len = c->sends ? bytes : sizeof c->buffer;
    ov_init(&c->ov, NULL);
    StartThreadpoolIo(c->io);
    if (c->sends ? WSASend(c->s, &c->space, 1, NULL, 0, &c->ov, NULL) : WSARecv(c->s, &c->space, 1, NULL, &flags, &c->ov, NULL))
        error = WSAGetLastError();
    CHECK(error == 0 || error == WSA_IO_PENDING, "D WSARecv");
}

static VOID CALLBACK connection_io(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID ov, ULONG error, ULONG_PTR bytes, PTP_IO io)
{
    struct connection *c = context;

    (void)instance;
    CHECK(error == NO_ERROR && io == c->io && ov == &c->ov, D_IO);
    if (bytes != 0) {
        go_on(c, (ULONG)bytes);
        return;
    }
    closesocket(c->s);
    CloseThreadpoolIo(io);
    count();
}

static void echoes(void)
{
    static struct connection all[CONNECTIONS];
    SOCKET clients[CONNECTIONS];
    char text[32], back[32];
    int i, round;

    restart();
    for (i = 0; i < CONNECTIONS; i++) {
        tcp_pair(&clients[i], &all[i].s);
        all[i].io = CreateThreadpoolIo((HANDLE)all[i].s, connection_io, &all[i], NULL);
        REQUIRE(all[i].io != NULL);
        all[i].sends = TRUE;
        go_on(&all[i], 0);
    }
    for (round = 0; round < ECHOES; round++) {
        for (i = 0; i < CONNECTIONS; i++) {
            int length = snprintf(text, sizeof text, "%d of %d", round, i);

            CHECK_EQ(send(clients[i], text, length, 0), length, "setup");
        }
        for (i = 0; i < CONNECTIONS; i++) {
            int length = snprintf(text, sizeof text, "%d of %d", round, i);

            CHECK(recv(clients[i], back, length, MSG_WAITALL) == length && memcmp(text, back, (size_t)length) == 0, D_IO);
        }
    }
    for (i = 0; i < CONNECTIONS; i++)
        closesocket(clients[i]);
    CHECK(calls_reach(CONNECTIONS), "D CloseThreadpoolIo: in its own callback");
}

/* ---- everything is set and closed while it calls --------------------------------------------------------- */

static volatile LONG alive;

struct registered {
    HANDLE event;
    DWORD thread;
    volatile LONG fired;
};

static VOID CALLBACK registered_over(PVOID context, BOOLEAN fired);

/* The context is valid until its timer is closed and no callback of it is left, as the pages have it done. */
static VOID CALLBACK touch_context(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer)
{
    (void)instance, (void)timer;
    InterlockedIncrement((volatile LONG *)context);
    InterlockedIncrement(&alive);
}

static DWORD WINAPI set_and_close_timers(void *unused)
{
    int i;

    (void)unused;
    for (i = 0; i < 100; i++) {
        LONG *context = calloc(1, sizeof *context);
        PTP_TIMER timer = CreateThreadpoolTimer(touch_context, context, NULL);

        SetThreadpoolTimer(timer, FROM_NOW(0), 1, 0);
        if (i % 2)
            SwitchToThread();
        if (i % 10 == 0)
            WaitForThreadpoolTimerCallbacks(timer, FALSE);
        SetThreadpoolTimer(timer, NULL, 0, 0);
        WaitForThreadpoolTimerCallbacks(timer, TRUE);
        CloseThreadpoolTimer(timer);
        free(context);
    }
    return 0;
}

static DWORD WINAPI register_and_unregister(void *unused)
{
    int i;

    (void)unused;
    for (i = 0; i < 100; i++) {
        struct registered *of = calloc(1, sizeof *of);
        HANDLE wait = NULL;

        of->event = CreateEventW(NULL, FALSE, i % 2, NULL);
        CHECK(RegisterWaitForSingleObject(&wait, of->event, registered_over, of, INFINITE, i % 3 ? 0 : WT_EXECUTEINWAITTHREAD),
              "D RegisterWaitForSingleObject");
        SetEvent(of->event);
        CHECK(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE), "D UnregisterWaitEx");
        CloseHandle(of->event);
        free(of);
    }
    return 0;
}

static void races(void)
{
    HANDLE threads[4];
    int i;

    for (i = 0; i < 4; i++) {
        threads[i] = CreateThread(NULL, 0, i % 2 ? set_and_close_timers : register_and_unregister, NULL, 0, NULL);
        REQUIRE(threads[i] != NULL);
    }
    CHECK_EQ(WaitForMultipleObjects(4, threads, TRUE, 20000), WAIT_OBJECT_0, "setup");
    for (i = 0; i < 4; i++)
        CloseHandle(threads[i]);
}

/* ---- work objects --------------------------------------------------------------------------------------- */

static VOID CALLBACK work_of_object(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    CHECK(context == &calls && work != NULL && instance != NULL, D_WORK);
    count();
}

struct gate {
    HANDLE begun, open;
};

static VOID CALLBACK pass_gate(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    struct gate *gate = context;

    (void)instance, (void)work;
    SetEvent(gate->begun);
    WaitForSingleObject(gate->open, CHECK_WAIT_MS);
    count();
}

static VOID CALLBACK close_own_work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    CloseThreadpoolWork(work);
    SetLastError(0);
    SubmitThreadpoolWork(work);
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE, "choice: a stale pointer is refused");
    CHECK(CallbackMayRunLong(instance), "D CallbackMayRunLong");
    SetEventWhenCallbackReturns(instance, *(HANDLE *)context);
    count();
}

static void work_objects(void)
{
    PTP_WORK work = CreateThreadpoolWork(work_of_object, (void *)&calls, NULL);
    HANDLE returned = new_event();
    int i;

    REQUIRE(work != NULL);
    restart();
    for (i = 0; i < 500; i++)
        SubmitThreadpoolWork(work);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(calls, 500, "D SubmitThreadpoolWork: as often as it was submitted; WaitForThreadpoolWorkCallbacks");
    WaitForThreadpoolWorkCallbacks(work, TRUE);
    CHECK_FALSE(CloseHandle((HANDLE)work), ERROR_INVALID_HANDLE, "choice: it is no handle");
    CHECK_CALL(WaitForSingleObject((HANDLE)work, 0), WAIT_FAILED, ERROR_INVALID_HANDLE, "choice: it is no handle");
    SubmitThreadpoolWork(work);
    CloseThreadpoolWork(work);
    CHECK(calls_reach(501), "D CloseThreadpoolWork: freed when outstanding callbacks are over");
    CHECK_CALL((SubmitThreadpoolWork(work), 0), 0, ERROR_INVALID_HANDLE, "choice: a stale pointer is refused");
    CHECK_CALL((CloseThreadpoolWork(work), 0), 0, ERROR_INVALID_HANDLE, "choice: a stale pointer is refused");
    CHECK_CALL((SubmitThreadpoolWork((PTP_WORK)0x1234), 0), 0, ERROR_INVALID_HANDLE, "choice: a wild pointer is refused");
    CHECK_CALL(CreateThreadpoolWork(NULL, NULL, NULL), 0, ERROR_INVALID_PARAMETER, "choice: no function");

    restart();
    work = CreateThreadpoolWork(close_own_work, &returned, NULL);
    SubmitThreadpoolWork(work);
    CHECK(is_set(returned, CHECK_WAIT_MS), "D SetEventWhenCallbackReturns");
    CHECK_EQ(calls, 1, "D CloseThreadpoolWork: in its own callback");
    CloseHandle(returned);
}

/* A pool of one thread, so that what is queued behind a callback that blocks has not begun. */
static PTP_POOL narrow_pool(PTP_CALLBACK_ENVIRON environment)
{
    PTP_POOL pool = CreateThreadpool(NULL);

    REQUIRE(pool != NULL);
    SetThreadpoolThreadMaximum(pool, 1);
    CHECK(SetThreadpoolThreadMinimum(pool, 1), "D SetThreadpoolThreadMinimum");
    InitializeThreadpoolEnvironment(environment);
    SetThreadpoolCallbackPool(environment, pool);
    return pool;
}

static void work_is_called_off(void)
{
    struct gate gate = {new_event(), new_event()};
    TP_CALLBACK_ENVIRON environment;
    PTP_POOL pool = narrow_pool(&environment);
    PTP_WORK first = CreateThreadpoolWork(pass_gate, &gate, &environment);
    PTP_WORK second = CreateThreadpoolWork(work_of_object, (void *)&calls, &environment);
    int i;

    restart();
    SubmitThreadpoolWork(first);
    CHECK(is_set(gate.begun, CHECK_WAIT_MS), D_WORK);
    for (i = 0; i < 5; i++)
        SubmitThreadpoolWork(second);
    WaitForThreadpoolWorkCallbacks(second, TRUE);
    SubmitThreadpoolWork(second);
    SetEvent(gate.open);
    WaitForThreadpoolWorkCallbacks(first, FALSE);
    WaitForThreadpoolWorkCallbacks(second, FALSE);
    CHECK_EQ(calls, 2, "D WaitForThreadpoolWorkCallbacks: those that have not begun are cancelled, later ones are made");
    CloseThreadpoolWork(first);
    CloseThreadpoolWork(second);
    CloseThreadpool(pool);
    CHECK_CALL(CreateThreadpoolWork(pass_gate, &gate, &environment), 0, ERROR_INVALID_HANDLE,
               "choice: a stale pointer is refused");
    environment.Version = 77;
    CHECK_CALL(CreateThreadpoolWork(pass_gate, &gate, &environment), 0, ERROR_INVALID_PARAMETER, "choice: no environment");
    CHECK_CALL(CreateThreadpoolWork(pass_gate, &gate, (PTP_CALLBACK_ENVIRON)16), 0, ERROR_NOACCESS,
               "choice: as other pointers");
    DestroyThreadpoolEnvironment(&environment);
    CloseHandle(gate.begun);
    CloseHandle(gate.open);
}

/* ---- what a callback may ask for ------------------------------------------------------------------------ */

struct leaving {
    CRITICAL_SECTION section;
    HANDLE semaphore, mutex, over;
    PTP_CALLBACK_INSTANCE stale;
    PTP_WORK work;
};

static VOID CALLBACK leave_behind(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    struct leaving *leaving = context;

    EnterCriticalSection(&leaving->section);
    LeaveCriticalSectionWhenCallbackReturns(instance, &leaving->section);
    ReleaseSemaphoreWhenCallbackReturns(instance, leaving->semaphore, 2);
    CHECK_EQ(WaitForSingleObject(leaving->mutex, 0), WAIT_OBJECT_0, "setup");
    ReleaseMutexWhenCallbackReturns(instance, leaving->mutex);
    SetEventWhenCallbackReturns(instance, leaving->over);
    leaving->stale = instance;
    CHECK(!is_set(leaving->semaphore, 0) && !is_set(leaving->over, 0), "D SetEventWhenCallbackReturns: not before");
}

static VOID CALLBACK disassociate(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    struct leaving *leaving = context;

    DisassociateCurrentThreadFromCallback(instance);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    WaitForSingleObject(leaving->over, CHECK_WAIT_MS);
    count();
}

static void instances(void)
{
    struct leaving leaving = {.semaphore = CreateSemaphoreA(NULL, 0, 9, NULL), .mutex = CreateMutexA(NULL, FALSE, NULL)};

    leaving.over = new_event();
    InitializeCriticalSection(&leaving.section);
    CHECK(TrySubmitThreadpoolCallback(leave_behind, &leaving, NULL), "D TrySubmitThreadpoolCallback");
    CHECK(is_set(leaving.over, CHECK_WAIT_MS), "D SetEventWhenCallbackReturns");
    CHECK(is_set(leaving.semaphore, 0) && is_set(leaving.semaphore, 0) && !is_set(leaving.semaphore, 0),
          "D ReleaseSemaphoreWhenCallbackReturns");
    CHECK(is_set(leaving.mutex, 0), "D ReleaseMutexWhenCallbackReturns");
    CHECK(TryEnterCriticalSection(&leaving.section), "D LeaveCriticalSectionWhenCallbackReturns");
    CHECK_CALL((SetEventWhenCallbackReturns(leaving.stale, leaving.over), 0), 0, ERROR_INVALID_PARAMETER,
               "choice: an instance is valid in its callback only");
    CHECK_FALSE(CallbackMayRunLong(leaving.stale), ERROR_INVALID_PARAMETER, "choice: as above");

    restart();
    ResetEvent(leaving.over);
    leaving.work = CreateThreadpoolWork(disassociate, &leaving, NULL);
    SubmitThreadpoolWork(leaving.work);
    WaitForThreadpoolWorkCallbacks(leaving.work, FALSE);
    CHECK_EQ(calls, 0, "D DisassociateCurrentThreadFromCallback: nobody waits for the callback any more");
    SetEvent(leaving.over);
    CHECK(calls_reach(1), "D DisassociateCurrentThreadFromCallback");
    CloseThreadpoolWork(leaving.work);
    LeaveCriticalSection(&leaving.section);
    DeleteCriticalSection(&leaving.section);
    CloseHandle(leaving.semaphore);
    CloseHandle(leaving.mutex);
    CloseHandle(leaving.over);
}

/* ---- timer objects -------------------------------------------------------------------------------------- */

static VOID CALLBACK timer_over(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer)
{
    (void)instance;
    CHECK(context == &calls && timer != NULL, "D SetThreadpoolTimer");
    count();
}

static void timer_objects(void)
{
    PTP_TIMER timer = CreateThreadpoolTimer(timer_over, (void *)&calls, NULL);
    ULONGLONG start = GetTickCount64();

    REQUIRE(timer != NULL);
    restart();
    CHECK(!IsThreadpoolTimerSet(timer), "D IsThreadpoolTimerSet");
    SetThreadpoolTimer(timer, FROM_NOW(30), 0, 0);
    CHECK(IsThreadpoolTimerSet(timer), "D IsThreadpoolTimerSet");
    CHECK(calls_reach(1), "D SetThreadpoolTimer");
    CHECK(GetTickCount64() - start >= 29, "D SetThreadpoolTimer: not before its time");
    CHECK(!SetThreadpoolTimerEx(timer, FROM_NOW(3600000), 0, 0), "D SetThreadpoolTimerEx: the time had come");
    CHECK(SetThreadpoolTimerEx(timer, FROM_NOW(0), 5, 0), "D SetThreadpoolTimerEx: the time had not come");
    while (InterlockedCompareExchange(&calls, 0, 0) < 5)
        CHECK(is_set(done, CHECK_WAIT_MS), "D SetThreadpoolTimer: at once, and each period");
    SetThreadpoolTimer(timer, NULL, 0, 0);
    WaitForThreadpoolTimerCallbacks(timer, TRUE);
    CHECK(!IsThreadpoolTimerSet(timer), "D IsThreadpoolTimerSet");
    restart();
    CHECK(!is_set(done, CHECK_QUIET_MS), "D SetThreadpoolTimer: without a time, and waited for, no callback is left");
    SetThreadpoolTimer(timer, FROM_NOW(5), 0, 0);
    CloseThreadpoolTimer(timer);
    CHECK(!is_set(done, CHECK_QUIET_MS), "choice: closing unsets it");
    CHECK_CALL((SetThreadpoolTimer(timer, NULL, 0, 0), 0), 0, ERROR_INVALID_HANDLE, "choice: a stale pointer is refused");
}

/* ---- waits ---------------------------------------------------------------------------------------------- */

static volatile LONG last_result;

static VOID CALLBACK wait_over(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WAIT wait, TP_WAIT_RESULT result)
{
    (void)instance, (void)context, (void)wait;
    InterlockedExchange(&last_result, (LONG)result);
    count();
}

static void wait_objects(void)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    PTP_WAIT wait = CreateThreadpoolWait(wait_over, NULL, NULL);
    int i;

    REQUIRE(wait != NULL && event != NULL);
    restart();
    for (i = 0; i < 50; i++) {
        SetThreadpoolWait(wait, event, NULL);
        SetEvent(event);
        CHECK(calls_reach(i + 1), "D SetThreadpoolWait: it is set again for each wait");
        CHECK_EQ(last_result, WAIT_OBJECT_0, "D WaitCallback");
    }
    SetEvent(event);
    CHECK(is_set(event, 0), "D SetThreadpoolWait: once");
    SetThreadpoolWait(wait, event, FROM_NOW(1));
    CHECK(calls_reach(51), "D SetThreadpoolWait: a timeout");
    CHECK_EQ(last_result, WAIT_TIMEOUT, "D WaitCallback");
    SetThreadpoolWait(wait, event, NULL);
    CHECK(SetThreadpoolWaitEx(wait, NULL, NULL, NULL), "D SetThreadpoolWaitEx: it waited");
    CHECK(!SetThreadpoolWaitEx(wait, NULL, NULL, NULL), "D SetThreadpoolWaitEx");
    SetEvent(event);
    CHECK(is_set(event, 0), "D SetThreadpoolWait: no handle, and it waits no more");
    WaitForThreadpoolWaitCallbacks(wait, FALSE);
    CHECK_EQ(calls, 51, "D SetThreadpoolWait");
    CHECK_CALL((SetThreadpoolWait(wait, (HANDLE)wait, NULL), 0), 0, ERROR_INVALID_HANDLE, "choice: an exception on Windows");
    SetThreadpoolWait(wait, event, NULL);
    CloseThreadpoolWait(wait);
    SetEvent(event);
    CHECK(is_set(event, 0), "choice: closing ends the wait");
    CloseHandle(event);
}

static VOID CALLBACK registered_over(PVOID context, BOOLEAN fired)
{
    struct registered *registered = context;

    registered->thread = GetCurrentThreadId();
    InterlockedExchange(&registered->fired, fired);
    count();
}

static VOID CALLBACK registered_blocks(PVOID context, BOOLEAN fired)
{
    struct gate *gate = context;

    (void)fired;
    SetEvent(gate->begun);
    WaitForSingleObject(gate->open, CHECK_WAIT_MS);
    count();
}

/* Any object that can be waited for. */
static void registered_for_others(struct registered *of)
{
    HANDLE timer = CreateWaitableTimerW(NULL, FALSE, NULL), semaphore = CreateSemaphoreA(NULL, 3, 3, NULL), wait = NULL;
    LARGE_INTEGER due = {.QuadPart = -10000};

    restart();
    CHECK(SetWaitableTimer(timer, &due, 1, NULL, NULL, FALSE), "D SetWaitableTimer");
    CHECK(RegisterWaitForSingleObject(&wait, timer, registered_over, of, INFINITE, 0), "D RegisterWaitForSingleObject");
    while (InterlockedCompareExchange(&calls, 0, 0) < 3)
        CHECK(is_set(done, CHECK_WAIT_MS), "D RegisterWaitForSingleObject: a waitable timer");
    CHECK(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE), "D UnregisterWaitEx");
    CloseHandle(timer);

    restart();
    CHECK(RegisterWaitForSingleObject(&wait, semaphore, registered_over, of, INFINITE, 0), "D RegisterWaitForSingleObject");
    CHECK(calls_reach(3), "D RegisterWaitForSingleObject: a semaphore is counted down");
    CHECK(!is_set(semaphore, 0), "D RegisterWaitForSingleObject: a semaphore is counted down");
    CHECK(UnregisterWaitEx(wait, NULL) || GetLastError() == ERROR_IO_PENDING, "D UnregisterWaitEx");
    CloseHandle(semaphore);
}

static VOID CALLBACK unregister_itself(PVOID context, BOOLEAN fired)
{
    HANDLE *wait = context;

    (void)fired;
    CHECK_FALSE(UnregisterWait(*wait), ERROR_IO_PENDING, "D UnregisterWait: in its own callback");
    count();
}

static void unregistered_by_itself(void)
{
    static HANDLE wait;
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    restart();
    CHECK(RegisterWaitForSingleObject(&wait, event, unregister_itself, &wait, INFINITE, 0), "D RegisterWaitForSingleObject");
    SetEvent(event);
    CHECK(calls_reach(1), "D UnregisterWait: in its own callback");
    SleepEx(20, FALSE);
    CHECK_EQ(calls, 1, "D UnregisterWait: it waits no more, though the event stays signaled");
    CloseHandle(event);
}

static void registered_waits(void)
{
    struct registered of = {CreateEventW(NULL, FALSE, FALSE, NULL), 0, 0};
    HANDLE wait = NULL;
    DWORD thread;
    int i;

    restart();
    CHECK(RegisterWaitForSingleObject(&wait, of.event, registered_over, &of, INFINITE, WT_EXECUTEDEFAULT),
          "D RegisterWaitForSingleObject");
    for (i = 0; i < 20; i++) {
        SetEvent(of.event);
        CHECK(calls_reach(i + 1), "D RegisterWaitForSingleObject: again and again");
        CHECK_EQ(of.fired, FALSE, "D WaitOrTimerCallback: signaled");
    }
    CHECK(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE), "D UnregisterWaitEx");
    CHECK_FALSE(UnregisterWait(wait), ERROR_INVALID_HANDLE, "D UnregisterWait: twice");
    SetEvent(of.event);
    CHECK(is_set(of.event, 0), "D UnregisterWaitEx: it waits no more");

    restart();
    CHECK(RegisterWaitForSingleObject(&wait, of.event, registered_over, &of, 1, WT_EXECUTEONLYONCE),
          "D RegisterWaitForSingleObject");
    CHECK(calls_reach(1), "D RegisterWaitForSingleObject: the time is over");
    CHECK_EQ(of.fired, TRUE, "D WaitOrTimerCallback: timed out");
    SetEvent(of.event);
    CHECK(is_set(of.event, 0), "D RegisterWaitForSingleObject: only once");
    CHECK(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE), "D RegisterWaitForSingleObject: unregistered also when it was once");

    restart();
    CHECK(RegisterWaitForSingleObject(&wait, of.event, registered_over, &of, INFINITE, WT_EXECUTEINWAITTHREAD),
          "D RegisterWaitForSingleObject");
    SetEvent(of.event);
    CHECK(calls_reach(1), "D RegisterWaitForSingleObject");
    thread = of.thread;
    SetEvent(of.event);
    CHECK(calls_reach(2) && of.thread == thread, "D RegisterWaitForSingleObject: on the thread that waits");
    CHECK(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE), "D UnregisterWaitEx");

    registered_for_others(&of);
    CHECK_FALSE(RegisterWaitForSingleObject(&wait, (HANDLE)4096, registered_over, &of, 1, 0), ERROR_INVALID_HANDLE,
                "D RegisterWaitForSingleObject");
    CHECK_FALSE(RegisterWaitForSingleObject(NULL, of.event, registered_over, &of, 1, 0), ERROR_NOACCESS,
                "choice: as other pointers");
    CloseHandle(of.event);
}

static void unregistered_while_called(void)
{
    HANDLE event = CreateEventW(NULL, FALSE, TRUE, NULL), over = new_event(), wait = NULL;
    struct gate gate = {new_event(), new_event()};

    restart();
    CHECK(RegisterWaitForSingleObject(&wait, event, registered_blocks, &gate, INFINITE, WT_EXECUTEDEFAULT),
          "D RegisterWaitForSingleObject");
    CHECK(is_set(gate.begun, CHECK_WAIT_MS), "D RegisterWaitForSingleObject: it was signaled already");
    CHECK_FALSE(UnregisterWaitEx(wait, over), ERROR_IO_PENDING, "D UnregisterWaitEx: a callback is not over");
    CHECK(!is_set(over, 0), "D UnregisterWaitEx");
    SetEvent(gate.open);
    CHECK(is_set(over, CHECK_WAIT_MS), "D UnregisterWaitEx: the event is set when the callback is over");
    CHECK_EQ(calls, 1, "D UnregisterWaitEx");
    CloseHandle(event);
    CloseHandle(over);
    CloseHandle(gate.begun);
    CloseHandle(gate.open);
}

/* ---- cleanup groups ------------------------------------------------------------------------------------- */

static volatile LONG cancelled;

static VOID CALLBACK cancel_member(PVOID object_context, PVOID cleanup_context)
{
    CHECK(object_context != NULL && cleanup_context == &cancelled, "D CleanupGroupCancelCallback");
    InterlockedIncrement(&cancelled);
}

static VOID CALLBACK simple_counts(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    (void)instance, (void)context;
    count();
}

static void cleanup_groups(void)
{
    struct gate gate = {new_event(), new_event()};
    TP_CALLBACK_ENVIRON environment;
    PTP_POOL pool = narrow_pool(&environment);
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    PTP_WORK blocks, waits, closed;
    PTP_TIMER timer;

    REQUIRE(group != NULL);
    restart();
    blocks = CreateThreadpoolWork(pass_gate, &gate, &environment);
    SetThreadpoolCallbackCleanupGroup(&environment, group, cancel_member);
    SetThreadpoolCallbackPriority(&environment, TP_CALLBACK_PRIORITY_LOW);
    SetThreadpoolCallbackRunsLong(&environment);
    waits = CreateThreadpoolWork(work_of_object, (void *)&calls, &environment);
    closed = CreateThreadpoolWork(work_of_object, (void *)&calls, &environment);
    timer = CreateThreadpoolTimer(timer_over, (void *)&calls, &environment);
    REQUIRE(blocks != NULL && waits != NULL && closed != NULL && timer != NULL);
    SubmitThreadpoolWork(blocks);
    CHECK(is_set(gate.begun, CHECK_WAIT_MS), "setup");
    CloseThreadpoolWork(closed);
    SubmitThreadpoolWork(waits);
    CHECK(TrySubmitThreadpoolCallback(simple_counts, &gate, &environment), "D TrySubmitThreadpoolCallback");
    SetThreadpoolTimer(timer, FROM_NOW(3600000), 0, 0);
    CloseThreadpoolCleanupGroupMembers(group, TRUE, (void *)&cancelled);
    CHECK_EQ(cancelled, 3, "D CloseThreadpoolCleanupGroupMembers: each member that was not released before");
    CHECK_CALL((SubmitThreadpoolWork(waits), 0), 0, ERROR_INVALID_HANDLE,
               "D CloseThreadpoolCleanupGroupMembers: the members are released");
    SetEvent(gate.open);
    WaitForThreadpoolWorkCallbacks(blocks, FALSE);
    CHECK_EQ(calls, 1, "D CloseThreadpoolCleanupGroupMembers: what has not begun is cancelled");

    waits = CreateThreadpoolWork(work_of_object, (void *)&calls, &environment);
    SubmitThreadpoolWork(waits);
    CHECK(TrySubmitThreadpoolCallback(simple_counts, &gate, &environment), "D TrySubmitThreadpoolCallback");
    CloseThreadpoolCleanupGroupMembers(group, FALSE, NULL);
    CHECK_EQ(calls, 3, "D CloseThreadpoolCleanupGroupMembers: waits for all callbacks");
    CHECK_EQ(cancelled, 3, "D CleanupGroupCancelCallback: only of a cancelled group");
    CloseThreadpoolCleanupGroup(group);
    CHECK_CALL((CloseThreadpoolCleanupGroup(group), 0), 0, ERROR_INVALID_HANDLE, "choice: a stale pointer is refused");
    CloseThreadpoolWork(blocks);
    CloseThreadpool(pool);
    CloseHandle(gate.begun);
    CloseHandle(gate.open);
}

/* A member closes itself, and its callback goes on. */
struct lingering {
    HANDLE closed, open;
    volatile LONG is_over;
};

static VOID CALLBACK close_and_linger(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    struct lingering *of = context;

    (void)instance;
    CloseThreadpoolWork(work);
    SetEvent(of->closed);
    WaitForSingleObject(of->open, CHECK_WAIT_MS);
    InterlockedExchange(&of->is_over, 1);
}

static DWORD WINAPI close_members(void *group)
{
    CloseThreadpoolCleanupGroupMembers(group, FALSE, NULL);
    return 0;
}

static void group_waits_for_closed_members(void)
{
    struct lingering lingering = {new_event(), new_event(), 0};
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    TP_CALLBACK_ENVIRON environment;
    HANDLE closing;
    PTP_WORK work;

    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackCleanupGroup(&environment, group, NULL);
    work = CreateThreadpoolWork(close_and_linger, &lingering, &environment);
    REQUIRE(work != NULL);
    SubmitThreadpoolWork(work);
    CHECK(is_set(lingering.closed, CHECK_WAIT_MS), "setup");
    closing = CreateThread(NULL, 0, close_members, group, 0, NULL);
    CHECK(!is_set(closing, CHECK_QUIET_MS), "D CloseThreadpoolCleanupGroupMembers: waits for all callbacks");
    SetEvent(lingering.open);
    CHECK(is_set(closing, CHECK_WAIT_MS), "D CloseThreadpoolCleanupGroupMembers: until they are over");
    CHECK_EQ(lingering.is_over, 1, "D CloseThreadpoolCleanupGroupMembers: until they are over");
    CloseThreadpoolCleanupGroup(group);
    CloseHandle(closing);
    CloseHandle(lingering.closed);
    CloseHandle(lingering.open);
}

/* Callbacks that set their object again while another thread closes it. */
static HANDLE always;

struct rearmed {
    volatile LONG calls, late, is_closed;
};

static void note_rearmed(struct rearmed *of)
{
    if (InterlockedCompareExchange(&of->is_closed, 0, 0))
        InterlockedExchange(&of->late, 1);
    InterlockedIncrement(&of->calls);
}

static VOID CALLBACK wait_again(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WAIT wait, TP_WAIT_RESULT result)
{
    (void)instance, (void)result;
    note_rearmed(context);
    SetThreadpoolWait(wait, always, NULL);
}

static VOID CALLBACK time_again(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer)
{
    (void)instance;
    note_rearmed(context);
    SetThreadpoolTimer(timer, FROM_NOW(0), 0, 0);
}

#define ROUNDS 1500

static void set_again_while_closed(void)
{
    struct rearmed *all = calloc(2 * ROUNDS, sizeof *all);
    TP_CALLBACK_ENVIRON environment;
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    LONG late = 0;
    int i, spins;

    REQUIRE(all != NULL && group != NULL);
    always = CreateEventW(NULL, TRUE, TRUE, NULL);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackCleanupGroup(&environment, group, NULL);
    for (i = 0; i < ROUNDS; i++) {
        struct rearmed *waits = &all[2 * i], *times = waits + 1;

        SetThreadpoolWait(CreateThreadpoolWait(wait_again, waits, &environment), always, NULL);
        SetThreadpoolTimer(CreateThreadpoolTimer(time_again, times, &environment), FROM_NOW(0), 0, 0);
        while (!InterlockedCompareExchange(&waits->calls, 0, 0) || !InterlockedCompareExchange(&times->calls, 0, 0))
            SwitchToThread();
        for (spins = i * 7 % 3000; spins > 0; spins--)
            InterlockedCompareExchange(&waits->calls, 0, 0);
        CloseThreadpoolCleanupGroupMembers(group, i % 2, NULL);
        InterlockedExchange(&waits->is_closed, 1);
        InterlockedExchange(&times->is_closed, 1);
    }
    /* The contexts of all rounds are still there, for whoever should come late. */
    for (i = 0; i < 2 * ROUNDS; i++)
        late += all[i].late;
    CHECK_EQ(late, 0, "D CloseThreadpoolCleanupGroupMembers: no callback comes after it");
    CloseThreadpoolCleanupGroup(group);
    CloseHandle(always);
    free(all);
}

int main(void)
{
    check_begin("thread_pool");
    done = CreateEventW(NULL, FALSE, FALSE, NULL);
    REQUIRE(done != NULL);
    work_items();
    bound_socket_calls();
    io_objects();
    io_closes_itself();
    echoes();
    work_objects();
    work_is_called_off();
    instances();
    timer_objects();
    wait_objects();
    registered_waits();
    unregistered_while_called();
    unregistered_by_itself();
    cleanup_groups();
    group_waits_for_closed_members();
    set_again_while_closed();
    races();
    CloseHandle(done);
    return check_end();
}
