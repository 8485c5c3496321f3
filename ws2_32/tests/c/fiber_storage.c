/*
 * fiber_storage.c - FlsAlloc and its family: values of a thread's own, and the callbacks for what is left of them.
 */
#include "check.h"

static volatile LONG calls;      /* of the callback */
static void *volatile last_value; /* what it got */
static volatile DWORD last_thread;
static volatile DWORD shared;    /* the index of the test */

static VOID WINAPI count(PVOID value)
{
    last_value = value;
    last_thread = GetCurrentThreadId();
    InterlockedIncrement(&calls);
}

static DWORD allocate(PFLS_CALLBACK_FUNCTION callback)
{
    DWORD index = FlsAlloc(callback);

    REQUIRE(index != FLS_OUT_OF_INDEXES);
    calls = 0;
    last_value = NULL;
    shared = index;
    return index;
}

/* Runs a function in a thread of its own, to its end. */
static DWORD in_thread(LPTHREAD_START_ROUTINE function, void *argument)
{
    DWORD id = 0;
    HANDLE thread = CreateThread(NULL, 0, function, argument, 0, &id);

    REQUIRE(thread != NULL);
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    CloseHandle(thread);
    return id;
}

static DWORD WINAPI store(void *value)
{
    SetLastError(CHECK_UNSET);
    CHECK(FlsGetValue(shared) == NULL, "D FlsSetValue: the value is the thread's own; FlsAlloc: slots are zero at first");
    CHECK_EQ(GetLastError(), ERROR_SUCCESS, "choice: as TlsGetValue");
    CHECK(FlsSetValue(shared, value), "D FlsSetValue");
    CHECK(FlsGetValue(shared) == value, "D FlsGetValue");
    return 0;
}

static DWORD WINAPI store_and_leave(void *value)
{
    store(value);
    ExitThread(0);
    return 0;
}

static DWORD WINAPI store_and_clear(void *value)
{
    store(value);
    CHECK(FlsSetValue(shared, NULL), "D FlsSetValue");
    return 0;
}

static DWORD WINAPI overwrite(void *value)
{
    store((void *)&shared);
    CHECK(FlsSetValue(shared, value), "D FlsSetValue");
    return 0;
}

static void a_thread_ends(void)
{
    static const LPTHREAD_START_ROUTINE ways[] = {store, store_and_leave, overwrite};
    DWORD index, id;
    int value, i;

    for (i = 0; i < 3; i++) {
        index = allocate(count);
        CHECK(FlsSetValue(index, &i), "D FlsSetValue");
        id = in_thread(ways[i], &value);
        CHECK_EQ(calls, 1, "D FlsAlloc: the callback is called at thread exit, and before the thread is signaled");
        CHECK(last_value == &value, "D PFLS_CALLBACK_FUNCTION: it gets the value of the slot");
        CHECK_EQ(last_thread, id, "D FlsAlloc: at thread exit");
        CHECK(FlsGetValue(index) == &i, "D FlsGetValue: the thread's own");
        CHECK(FlsSetValue(index, NULL), "D FlsSetValue");
        CHECK(FlsFree(index), "D FlsFree");
        CHECK_EQ(calls, 1, "D FlsFree: called for a value that is not NULL");
    }
    index = allocate(count);
    in_thread(store_and_clear, &value);
    CHECK_EQ(calls, 0, "D FlsFree: called for a value that is not NULL; choice: at thread exit too");
    CHECK(FlsFree(index), "D FlsFree");
    index = allocate(NULL);
    in_thread(store, &value);
    CHECK(FlsSetValue(index, &value), "D FlsSetValue");
    CHECK(FlsFree(index), "D FlsAlloc: the callback is optional");
}

struct meeting {
    HANDLE stored, looked;
};

static DWORD WINAPI keep(void *argument)
{
    struct meeting *meeting = argument;

    store(meeting);
    SetEvent(meeting->stored);
    CHECK(is_set(meeting->looked, CHECK_WAIT_MS), "setup");
    CHECK(FlsGetValue(shared) == NULL, "D FlsAlloc: the slots are zero, also of an index that is used again");
    return 0;
}

/* An index is freed, and handed out again, while another thread keeps a value at it. */
static void an_index_is_freed(void)
{
    struct meeting meeting = {new_event(), new_event()};
    DWORD index = allocate(count);
    HANDLE thread = CreateThread(NULL, 0, keep, &meeting, 0, NULL);

    REQUIRE(thread != NULL);
    CHECK(is_set(meeting.stored, CHECK_WAIT_MS), "setup");
    CHECK(FlsFree(index), "D FlsFree");
    CHECK_EQ(calls, 1, "D FlsFree: the callback is called for each slot that is not NULL");
    CHECK(last_value == &meeting, "D PFLS_CALLBACK_FUNCTION");
    CHECK_EQ(last_thread, GetCurrentThreadId(), "choice: in the thread that frees");
    CHECK_EQ(FlsAlloc(count), index, "choice: the lowest free index is handed out");
    SetEvent(meeting.looked);
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    CHECK_EQ(calls, 1, "D FlsFree: the value was handed over then");
    CHECK(FlsFree(index), "D FlsFree");
    CloseHandle(thread);
    CloseHandle(meeting.stored);
    CloseHandle(meeting.looked);
}

/* What a callback does itself: it looks, stores at another index, and frees. */
static DWORD other;

static VOID WINAPI busy(PVOID value)
{
    CHECK(FlsGetValue(shared) == NULL, "choice: the value is no longer stored");
    CHECK(FlsSetValue(other, value), "D FlsSetValue");
    count(value);
}

static VOID WINAPI freeing(PVOID value)
{
    CHECK(FlsFree(shared), "D FlsFree");
    CHECK(!FlsFree(shared), "D FlsFree: no longer in use");
    count(value);
}

static void callbacks_that_call(void)
{
    DWORD index = allocate(busy);
    int value;

    other = FlsAlloc(count);
    REQUIRE(other != FLS_OUT_OF_INDEXES && other > index);
    in_thread(store, &value);
    CHECK_EQ(calls, 2, "choice: what a callback stores behind its own index is handed over too");
    CHECK(FlsFree(index) && FlsFree(other), "D FlsFree");
    allocate(freeing);
    in_thread(store, &value);
    CHECK_EQ(calls, 1, "D FlsAlloc");
}

static void bad_indexes(void)
{
    static const DWORD bad[] = {0x7fffffff, FLS_OUT_OF_INDEXES, FLS_MAXIMUM_AVAILABLE};
    DWORD freed = allocate(NULL);
    size_t i;

    CHECK(freed != 0, "choice: programs take 0 for none");
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_CALL((ULONG_PTR)FlsGetValue(bad[i]), 0, ERROR_INVALID_PARAMETER, "D FlsGetValue");
        CHECK_FALSE(FlsSetValue(bad[i], &freed), ERROR_INVALID_PARAMETER, "D FlsSetValue");
        CHECK_FALSE(FlsFree(bad[i]), ERROR_INVALID_PARAMETER, "D FlsFree");
    }
    CHECK(FlsFree(freed), "D FlsFree");
    CHECK_FALSE(FlsFree(freed), ERROR_INVALID_PARAMETER, "D FlsFree");
    CHECK_FALSE(FlsSetValue(freed, &freed), ERROR_INVALID_PARAMETER, "D FlsSetValue");
}

static void all_indexes(void)
{
    static DWORD indexes[FLS_MAXIMUM_AVAILABLE + 1];
    DWORD taken = 0, i;

    calls = 0;
    while (taken <= FLS_MAXIMUM_AVAILABLE && (indexes[taken] = FlsAlloc(count)) != FLS_OUT_OF_INDEXES)
        taken++;
    CHECK(taken >= 100 && taken <= FLS_MAXIMUM_AVAILABLE, "D FlsAlloc: FLS_MAXIMUM_AVAILABLE");
    CHECK_CALL(FlsAlloc(NULL), FLS_OUT_OF_INDEXES, ERROR_NO_MORE_ITEMS, "choice: the page names no error");
    for (i = 0; i < taken; i++)
        FlsSetValue(indexes[i], &indexes[i]);
    for (i = 0; i < taken && FlsGetValue(indexes[i]) == &indexes[i]; i++)
        ;
    CHECK_EQ(i, taken, "D FlsGetValue");
    for (i = 0; i < taken && FlsFree(indexes[i]); i++)
        ;
    CHECK_EQ(i, taken, "D FlsFree");
    CHECK_EQ(calls, taken, "D FlsFree");
}

/* The callback runs in a thread that ends while another one frees the index. */
static struct meeting slow;

static VOID WINAPI take_long(PVOID value)
{
    SetEvent(slow.stored);
    CHECK(!is_set(slow.looked, CHECK_QUIET_MS), "choice: FlsFree waits for callbacks in threads that end");
    count(value);
}

static void freed_while_it_runs(void)
{
    DWORD index = allocate(take_long);
    int value;
    HANDLE thread;

    slow.stored = new_event();
    slow.looked = new_event();
    thread = CreateThread(NULL, 0, store, &value, 0, NULL);
    REQUIRE(thread != NULL && is_set(slow.stored, CHECK_WAIT_MS));
    CHECK(FlsFree(index), "D FlsFree");
    SetEvent(slow.looked);
    CHECK_EQ(calls, 1, "choice: FlsFree waits for callbacks in threads that end");
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    CHECK_EQ(calls, 1, "D FlsAlloc");
    CloseHandle(thread);
    CloseHandle(slow.stored);
    CloseHandle(slow.looked);
}

enum { THREADS = 4, ROUNDS = 50 };

/* Threads end while the index is freed: each value is handed over once, and not behind FlsFree. */
static volatile LONG freed_already, late;

static VOID WINAPI count_in_time(PVOID value)
{
    SwitchToThread();
    if (freed_already)
        InterlockedIncrement(&late);
    InterlockedIncrement((LONG *)value);
}

struct racer {
    LONG calls;
    HANDLE stored, go;
};

static DWORD WINAPI race(void *argument)
{
    struct racer *racer = argument;

    FlsSetValue(shared, &racer->calls);
    SetEvent(racer->stored);
    WaitForSingleObject(racer->go, CHECK_WAIT_MS);
    return 0;
}

static void ends_and_frees_at_once(void)
{
    struct racer racers[THREADS];
    HANDLE threads[THREADS], go = CreateEventA(NULL, TRUE, FALSE, NULL);
    int round, i, wrong = 0;

    for (round = 0; round < ROUNDS; round++) {
        ResetEvent(go);
        freed_already = 0;
        allocate(count_in_time);
        for (i = 0; i < THREADS; i++) {
            racers[i].calls = 0;
            racers[i].stored = new_event();
            racers[i].go = go;
            threads[i] = CreateThread(NULL, 0, race, &racers[i], 0, NULL);
            REQUIRE(threads[i] != NULL && is_set(racers[i].stored, CHECK_WAIT_MS));
        }
        SetEvent(go);
        wrong += !FlsFree(shared);
        InterlockedExchange(&freed_already, 1);
        REQUIRE(WaitForMultipleObjects(THREADS, threads, TRUE, CHECK_WAIT_MS) == WAIT_OBJECT_0);
        for (i = 0; i < THREADS; i++) {
            wrong += racers[i].calls != 1;
            CloseHandle(threads[i]);
            CloseHandle(racers[i].stored);
        }
    }
    CHECK_EQ(wrong, 0, "D FlsAlloc, FlsFree: the callback is called for each slot; choice: once");
    CHECK_EQ(late, 0, "choice: FlsFree waits for callbacks in threads that end");
    CloseHandle(go);
}

int main(void)
{
    check_begin("fiber_storage");
    a_thread_ends();
    an_index_is_freed();
    callbacks_that_call();
    bad_indexes();
    all_indexes();
    freed_while_it_runs();
    ends_and_frees_at_once();
    return check_end();
}
