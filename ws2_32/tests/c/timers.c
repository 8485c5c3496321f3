/*
 * timers.c - waitable timers in every wait, with periods and completion routines; timer queues.
 */
#include "check.h"

#define MS 10000LL /* 100-nanosecond intervals in a millisecond */
#define HOUR (3600000 * MS)

static const char *const D_SET = "D SetWaitableTimer";

static LARGE_INTEGER after(LONGLONG intervals)
{
    LARGE_INTEGER due;

    due.QuadPart = -intervals;
    return due;
}

static LARGE_INTEGER time_of_day(LONGLONG intervals)
{
    LARGE_INTEGER due;
    FILETIME now;

    GetSystemTimeAsFileTime(&now);
    due.QuadPart = ((LONGLONG)now.dwHighDateTime << 32) + now.dwLowDateTime + intervals;
    return due;
}

static HANDLE new_timer(BOOL manual_reset)
{
    HANDLE timer = CreateWaitableTimerW(NULL, manual_reset, NULL);

    REQUIRE(timer != NULL);
    return timer;
}

static BOOL set_timer(HANDLE timer, LONGLONG intervals, LONG period)
{
    LARGE_INTEGER due = after(intervals);

    return SetWaitableTimer(timer, &due, period, NULL, NULL, FALSE);
}

static void creation(void)
{
    HANDLE timer, event = new_event();
    LARGE_INTEGER due = after(HOUR);

    SetLastError(CHECK_UNSET);
    timer = CreateWaitableTimerA(NULL, TRUE, NULL);
    CHECK(timer != NULL && GetLastError() == 0, "D CreateWaitableTimer");
    CHECK(!is_set(timer, 0), "D CreateWaitableTimer: not signaled until it is set");
    CHECK(CancelWaitableTimer(timer), "D CancelWaitableTimer: one that is not set");
    CHECK_FALSE(SetWaitableTimer(timer, &due, -1, NULL, NULL, FALSE), ERROR_INVALID_PARAMETER, D_SET);
    CHECK_FALSE(SetWaitableTimer(timer, NULL, 0, NULL, NULL, FALSE), ERROR_NOACCESS, "choice: as other pointers");
    CHECK(SetWaitableTimer(timer, &due, 0, NULL, NULL, TRUE), D_SET);
    CHECK_EQ(GetLastError(), ERROR_NOT_SUPPORTED, "D SetWaitableTimer: fResume where nothing wakes the system");
    CHECK(CloseHandle(timer), "D CloseHandle");
    CHECK_FALSE(SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE), ERROR_INVALID_HANDLE, D_SET);
    CHECK_FALSE(CancelWaitableTimer(timer), ERROR_INVALID_HANDLE, "D CancelWaitableTimer");
    CHECK_FALSE(SetWaitableTimer(event, &due, 0, NULL, NULL, FALSE), ERROR_INVALID_HANDLE, "D SetWaitableTimer: an event");
    CHECK_FALSE(CancelWaitableTimer(event), ERROR_INVALID_HANDLE, "D CancelWaitableTimer: an event");
    CloseHandle(event);

    timer = CreateWaitableTimerExW(NULL, NULL, CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, TIMER_ALL_ACCESS);
    CHECK(timer != NULL, "D CreateWaitableTimerEx");
    CloseHandle(timer);
    CHECK_CALL(CreateWaitableTimerExA(NULL, NULL, 8, TIMER_ALL_ACCESS), 0, ERROR_INVALID_PARAMETER,
               "choice: flags that do not exist");
}

static void kinds(void)
{
    HANDLE manual = new_timer(TRUE), automatic = new_timer(FALSE);

    CHECK(set_timer(manual, MS, 0) && set_timer(automatic, MS, 0), D_SET);
    CHECK(is_set(manual, CHECK_WAIT_MS) && is_set(manual, 0), "D waitable timer: manual-reset stays signaled");
    CHECK(is_set(automatic, CHECK_WAIT_MS), "D waitable timer");
    CHECK(!is_set(automatic, 0), "D waitable timer: synchronization timer, one wait is satisfied");
    CHECK(set_timer(manual, HOUR, 0), D_SET);
    CHECK(!is_set(manual, 0), "D SetWaitableTimer: not signaled until the new time");
    CloseHandle(manual);
    CloseHandle(automatic);
}

static void times(void)
{
    HANDLE timer = new_timer(TRUE);
    LARGE_INTEGER due;
    ULONGLONG start = GetTickCount64();

    CHECK(set_timer(timer, 50 * MS, 0), D_SET);
    CHECK(is_set(timer, CHECK_WAIT_MS), D_SET);
    CHECK(GetTickCount64() - start >= 49, "D SetWaitableTimer: not before its time");
    start = GetTickCount64();
    due = time_of_day(50 * MS);
    CHECK(SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE), D_SET);
    CHECK(is_set(timer, CHECK_WAIT_MS), "D SetWaitableTimer: an absolute time");
    CHECK(GetTickCount64() - start >= 45, "D SetWaitableTimer: an absolute time");
    due = time_of_day(-HOUR);
    CHECK(SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE), D_SET);
    CHECK(is_set(timer, 0), "choice: a time that is over signals before the call returns");
    due.QuadPart = 0;
    CHECK(SetWaitableTimerEx(timer, &due, 0, NULL, NULL, NULL, 10), "D SetWaitableTimerEx");
    CHECK(is_set(timer, 0), "choice: 0 is 1601");
    CloseHandle(timer);
}

static void cancelling(void)
{
    HANDLE timer = new_timer(TRUE);
    ULONGLONG start;

    do { /* until it is cancelled in time */
        start = GetTickCount64();
        CHECK(set_timer(timer, 30 * MS, 0), D_SET);
        CHECK(CancelWaitableTimer(timer), "D CancelWaitableTimer");
    } while (GetTickCount64() - start >= 30);
    CHECK(!is_set(timer, CHECK_QUIET_MS), "D CancelWaitableTimer: does not change the signaled state");
    CHECK(set_timer(timer, 0, 0) && CancelWaitableTimer(timer), D_SET);
    CHECK(is_set(timer, 0), "D CancelWaitableTimer: does not change the signaled state");
    CloseHandle(timer);
}

static void periods(void)
{
    HANDLE timer = new_timer(FALSE);
    ULONGLONG start = GetTickCount64();
    int i;

    CHECK(set_timer(timer, MS, 20), D_SET);
    for (i = 0; i < 4; i++)
        CHECK(is_set(timer, CHECK_WAIT_MS), "D SetWaitableTimer: each period");
    CHECK(GetTickCount64() - start >= 55, "D SetWaitableTimer: three periods of 20 ms");
    CHECK(CancelWaitableTimer(timer), "D CancelWaitableTimer");
    (void)is_set(timer, 0);
    CHECK(!is_set(timer, CHECK_QUIET_MS), "D CancelWaitableTimer: a period too");
    CloseHandle(timer);
}

static void every_wait(void)
{
    HANDLE process = GetCurrentProcess(), event = new_event(), copy = NULL, all[2], timer = new_timer(FALSE);

    all[0] = event;
    all[1] = timer;
    CHECK(set_timer(timer, MS, 0), D_SET);
    CHECK_EQ(WaitForSingleObjectEx(timer, CHECK_WAIT_MS, TRUE), WAIT_OBJECT_0, "D WaitForSingleObjectEx");
    CHECK(set_timer(timer, MS, 0), D_SET);
    CHECK_EQ(WaitForMultipleObjects(2, all, FALSE, CHECK_WAIT_MS), WAIT_OBJECT_0 + 1, "D WaitForMultipleObjects");
    CHECK(set_timer(timer, MS, 0), D_SET);
    CHECK_EQ(WSAWaitForMultipleEvents(2, all, FALSE, CHECK_WAIT_MS, FALSE), WSA_WAIT_EVENT_0 + 1,
             "D WSAWaitForMultipleEvents");
    CHECK(set_timer(timer, MS, 0) && SetEvent(event), D_SET);
    CHECK_EQ(WaitForMultipleObjectsEx(2, all, TRUE, CHECK_WAIT_MS, TRUE), WAIT_OBJECT_0, "D WaitForMultipleObjectsEx");
    CHECK(!is_set(timer, 0), "D WaitForMultipleObjects: the signal was taken");
    CHECK(DuplicateHandle(process, timer, process, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS), "D DuplicateHandle");
    CHECK(CloseHandle(timer), "D CloseHandle");
    CHECK(set_timer(copy, MS, 0) && is_set(copy, CHECK_WAIT_MS), "D DuplicateHandle: the same timer");
    CloseHandle(copy);
    CloseHandle(event);
}

struct calls {
    DWORD thread;
    int count;
    LONGLONG time;
};

static VOID APIENTRY note_call(LPVOID argument, DWORD low, DWORD high)
{
    struct calls *calls = argument;

    calls->thread = GetCurrentThreadId();
    calls->count++;
    calls->time = ((LONGLONG)high << 32) + low;
}

static void routines(void)
{
    HANDLE timer = new_timer(TRUE);
    LARGE_INTEGER due = after(MS), begun = time_of_day(0);
    struct calls calls = {0, 0, 0};

    CHECK(SetWaitableTimer(timer, &due, 0, note_call, &calls, FALSE), D_SET);
    CHECK_EQ(SleepEx(CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, "D SetWaitableTimer: the routine runs in an alertable wait");
    CHECK_EQ(calls.count, 1, D_SET);
    CHECK_EQ(calls.thread, GetCurrentThreadId(), "D SetWaitableTimer: on the thread that set the timer");
    CHECK(calls.time >= begun.QuadPart && calls.time <= time_of_day(0).QuadPart,
          "D TimerAPCProc: the time at which the timer was signaled, UTC");
    CHECK(is_set(timer, 0), "D SetWaitableTimer: signaled too");

    CHECK(SetWaitableTimer(timer, &due, 0, note_call, &calls, FALSE) && is_set(timer, CHECK_WAIT_MS), D_SET);
    CHECK(CancelWaitableTimer(timer), "D CancelWaitableTimer");
    CHECK_EQ(SleepEx(0, TRUE), 0, "D CancelWaitableTimer: outstanding APCs are cancelled");
    CHECK(SetWaitableTimer(timer, &due, 0, note_call, &calls, FALSE) && is_set(timer, CHECK_WAIT_MS), D_SET);
    CHECK(set_timer(timer, HOUR, 0), D_SET);
    CHECK_EQ(SleepEx(0, TRUE), 0, "D SetWaitableTimer: stopping a timer cancels pending completion routines");
    CHECK_EQ(calls.count, 1, D_SET);

    CHECK(SetWaitableTimer(timer, &due, 2, note_call, &calls, FALSE), D_SET);
    while (calls.count < 4)
        CHECK_EQ(SleepEx(CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, "D SetWaitableTimer: each period");
    CHECK(CloseHandle(timer), "D CloseHandle");
    (void)SleepEx(0, TRUE);
    CHECK_EQ(SleepEx(10, TRUE), 0, "choice: closing the last handle stops the timer");
}

static DWORD WINAPI set_and_end(void *timer)
{
    static struct calls calls;
    LARGE_INTEGER due = after(40 * MS);

    return (DWORD)SetWaitableTimer(timer, &due, 0, note_call, &calls, FALSE);
}

static void end_of_the_thread(void)
{
    HANDLE timer = new_timer(TRUE), thread;
    ULONGLONG start;
    DWORD code = 0;

    do { /* until the thread has ended in time */
        start = GetTickCount64();
        thread = CreateThread(NULL, 0, set_and_end, timer, 0, NULL);
        REQUIRE(thread != NULL && is_set(thread, CHECK_WAIT_MS) && GetExitCodeThread(thread, &code));
        CHECK_EQ(code, TRUE, D_SET);
        CloseHandle(thread);
    } while (GetTickCount64() - start >= 40);
    CHECK(!is_set(timer, CHECK_QUIET_MS), "D SetWaitableTimer: the end of the thread cancels a timer with a routine");
    CloseHandle(timer);
}

/* ---- timer queues --------------------------------------------------------------------------------------- */

struct ticks {
    volatile LONG count, running, most;
    LONG wanted;
    HANDLE reached, open;
    DWORD thread;
};

static VOID CALLBACK tick(PVOID context, BOOLEAN fired)
{
    struct ticks *ticks = context;

    CHECK_EQ(fired, TRUE, "D WaitOrTimerCallback: always TRUE for timers");
    ticks->thread = GetCurrentThreadId();
    if (InterlockedIncrement(&ticks->count) == ticks->wanted)
        SetEvent(ticks->reached);
}

static VOID CALLBACK tick_slowly(PVOID context, BOOLEAN fired)
{
    struct ticks *ticks = context;

    (void)fired;
    SetEvent(ticks->reached);
    WaitForSingleObject(ticks->open, CHECK_WAIT_MS);
    InterlockedIncrement(&ticks->count);
}

static void ticks_init(struct ticks *ticks, LONG wanted)
{
    memset(ticks, 0, sizeof *ticks);
    ticks->wanted = wanted;
    ticks->reached = new_event();
    ticks->open = new_event();
}

static void ticks_over(struct ticks *ticks)
{
    CloseHandle(ticks->reached);
    CloseHandle(ticks->open);
}

static void queue_timers(HANDLE queue)
{
    struct ticks ticks;
    HANDLE timer = NULL;
    ULONGLONG start = GetTickCount64();

    ticks_init(&ticks, 1);
    CHECK(CreateTimerQueueTimer(&timer, queue, tick, &ticks, 30, 0, WT_EXECUTEDEFAULT), "D CreateTimerQueueTimer");
    CHECK(is_set(ticks.reached, CHECK_WAIT_MS), "D CreateTimerQueueTimer");
    CHECK(GetTickCount64() - start >= 29, "D CreateTimerQueueTimer: not before its time");
    CHECK(ticks.thread != GetCurrentThreadId(), "D CreateTimerQueueTimer: a thread of the pool");
    ResetEvent(ticks.reached);
    CHECK(ChangeTimerQueueTimer(queue, timer, 0, 1), "D ChangeTimerQueueTimer");
    CHECK(!is_set(ticks.reached, CHECK_QUIET_MS), "D ChangeTimerQueueTimer: one-shot that has expired, not updated");
    CHECK_EQ(ticks.count, 1, "D CreateTimerQueueTimer: a period of zero, once");
    CHECK_FALSE(CloseHandle(timer), ERROR_INVALID_HANDLE, "choice: it is no handle");
    CHECK(DeleteTimerQueueTimer(queue, timer, INVALID_HANDLE_VALUE), "D DeleteTimerQueueTimer");
    CHECK_FALSE(DeleteTimerQueueTimer(queue, timer, NULL), ERROR_INVALID_HANDLE, "choice: a stale one is refused");
    CHECK_FALSE(ChangeTimerQueueTimer(queue, timer, 1, 1), ERROR_INVALID_HANDLE, "choice: a stale one is refused");

    ticks.count = 0;
    ticks.wanted = 5;
    CHECK(CreateTimerQueueTimer(&timer, queue, tick, &ticks, 3600000, 0, WT_EXECUTEINTIMERTHREAD), "D CreateTimerQueueTimer");
    CHECK(ChangeTimerQueueTimer(queue, timer, 0, 2), "D ChangeTimerQueueTimer: one that has not expired");
    CHECK(is_set(ticks.reached, CHECK_WAIT_MS), "D CreateTimerQueueTimer: each period");
    CHECK(DeleteTimerQueueTimer(queue, timer, INVALID_HANDLE_VALUE), "D DeleteTimerQueueTimer");
    ticks.wanted = ticks.count + 1;
    ResetEvent(ticks.reached);
    CHECK(!is_set(ticks.reached, CHECK_QUIET_MS), "D DeleteTimerQueueTimer: no callback is left when it returns");

    ticks.count = 0;
    ticks.wanted = 1;
    CHECK(CreateTimerQueueTimer(&timer, queue, tick, &ticks, 0, 1, WT_EXECUTEONLYONCE), "D CreateTimerQueueTimer");
    CHECK(is_set(ticks.reached, CHECK_WAIT_MS) && !is_set(ticks.open, 20), "D CreateTimerQueueTimer");
    CHECK(DeleteTimerQueueTimer(queue, timer, INVALID_HANDLE_VALUE), "D DeleteTimerQueueTimer");
    CHECK_EQ(ticks.count, 1, "D CreateTimerQueueTimer: WT_EXECUTEONLYONCE");
    ticks_over(&ticks);
}

static VOID CALLBACK tick_alone(PVOID context, BOOLEAN fired)
{
    struct ticks *ticks = context;
    LONG running = InterlockedIncrement(&ticks->running);

    (void)fired;
    if (running > ticks->most)
        ticks->most = running;
    (void)is_set(ticks->open, 3);
    InterlockedDecrement(&ticks->running);
    if (InterlockedIncrement(&ticks->count) == ticks->wanted)
        SetEvent(ticks->reached);
}

static void timer_thread(void)
{
    HANDLE queue = CreateTimerQueue(), over = new_event(), timers[4];
    struct ticks ticks;
    int i;

    ticks_init(&ticks, 20);
    for (i = 0; i < 4; i++)
        CHECK(CreateTimerQueueTimer(&timers[i], queue, tick_alone, &ticks, 0, 1, WT_EXECUTEINTIMERTHREAD), "setup");
    CHECK(is_set(ticks.reached, CHECK_WAIT_MS), "D CreateTimerQueueTimer");
    SetEvent(ticks.open);
    (void)DeleteTimerQueueEx(queue, over);
    CHECK(is_set(over, CHECK_WAIT_MS), "D DeleteTimerQueueEx: the event is set when all callbacks are over");
    CHECK_EQ(ticks.most, 1, "D CreateTimerQueueTimer: WT_EXECUTEINTIMERTHREAD, the timer thread itself");
    for (i = 0; i < 4; i++)
        CHECK_FALSE(DeleteTimerQueueTimer(NULL, timers[i], NULL), ERROR_INVALID_HANDLE, "D DeleteTimerQueueEx: its timers too");
    CHECK_FALSE(DeleteTimerQueue(queue), ERROR_INVALID_HANDLE, "choice: a stale one is refused");
    ticks_over(&ticks);
    CloseHandle(over);
}

static void deleted_while_called(void)
{
    HANDLE queue = CreateTimerQueue(), over = new_event(), timer;
    struct ticks ticks;

    ticks_init(&ticks, 0);
    CHECK(CreateTimerQueueTimer(&timer, queue, tick_slowly, &ticks, 0, 0, WT_EXECUTEDEFAULT), "setup");
    CHECK(is_set(ticks.reached, CHECK_WAIT_MS), "setup");
    CHECK_FALSE(DeleteTimerQueueTimer(queue, timer, over), ERROR_IO_PENDING, "choice: with an event as without");
    CHECK(!is_set(over, 0), "D DeleteTimerQueueTimer");
    SetEvent(ticks.open);
    CHECK(is_set(over, CHECK_WAIT_MS), "D DeleteTimerQueueTimer: the event is set when the callback is over");
    CHECK_EQ(ticks.count, 1, "D DeleteTimerQueueTimer");

    ResetEvent(ticks.reached);
    ResetEvent(ticks.open);
    CHECK(CreateTimerQueueTimer(&timer, queue, tick_slowly, &ticks, 0, 0, WT_EXECUTELONGFUNCTION), "setup");
    CHECK(is_set(ticks.reached, CHECK_WAIT_MS), "setup");
    CHECK_FALSE(DeleteTimerQueueTimer(queue, timer, NULL), ERROR_IO_PENDING, "D DeleteTimerQueueTimer: callbacks are not over");
    ResetEvent(ticks.reached);
    CHECK(CreateTimerQueueTimer(&timer, queue, tick_slowly, &ticks, 0, 0, WT_EXECUTEDEFAULT), "setup");
    CHECK(is_set(ticks.reached, CHECK_WAIT_MS), "setup");
    SetEvent(ticks.open);
    CHECK(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE), "D DeleteTimerQueueEx: waits for the callbacks");
    while (InterlockedCompareExchange(&ticks.count, 0, 0) < 3)
        Sleep(1);
    ticks_over(&ticks);
    CloseHandle(over);
}

static VOID CALLBACK delete_own_timer(PVOID context, BOOLEAN fired)
{
    struct ticks *ticks = context;

    (void)fired;
    CHECK(is_set(ticks->open, CHECK_WAIT_MS), "setup");
    CHECK_FALSE(DeleteTimerQueueTimer(NULL, *(HANDLE *)(ticks + 1), NULL), ERROR_IO_PENDING,
                "D DeleteTimerQueueTimer: in its own callback");
    SetEvent(ticks->reached);
}

static void queues(void)
{
    HANDLE queue = CreateTimerQueue(), timer;
    struct {
        struct ticks ticks;
        HANDLE timer;
    } own;

    REQUIRE(queue != NULL);
    queue_timers(queue);
    queue_timers(NULL);
    CHECK_FALSE(CreateTimerQueueTimer(NULL, queue, tick, NULL, 0, 0, 0), ERROR_NOACCESS, "choice: as other pointers");
    CHECK_FALSE(CreateTimerQueueTimer(&timer, queue, NULL, NULL, 0, 0, 0), ERROR_INVALID_PARAMETER, "choice: no function");
    CHECK_FALSE(CreateTimerQueueTimer(&timer, queue, tick, NULL, 0, 0, 0x4000), ERROR_INVALID_PARAMETER,
                "choice: unknown flags");
    CHECK(DeleteTimerQueueEx(queue, NULL), "D DeleteTimerQueueEx: no callback is left");
    CHECK_FALSE(CreateTimerQueueTimer(&timer, queue, tick, NULL, 0, 0, 0), ERROR_INVALID_HANDLE,
                "D CreateTimerQueueTimer: a deleted queue");
    CHECK_FALSE(DeleteTimerQueueEx(NULL, NULL), ERROR_INVALID_HANDLE, "choice: the queue that all have stays");

    ticks_init(&own.ticks, 0);
    CHECK(CreateTimerQueueTimer(&own.timer, NULL, delete_own_timer, &own, 0, 0, WT_EXECUTEINTIMERTHREAD), "setup");
    SetEvent(own.ticks.open);
    CHECK(is_set(own.ticks.reached, CHECK_WAIT_MS), "D DeleteTimerQueueTimer: in its own callback");
    ticks_over(&own.ticks);
}

/* The timers' thread is busy while a period goes by again and again. */
struct busy {
    HANDLE begun, open;
    volatile LONG calls;
};

static VOID CALLBACK keep_busy(PVOID context, BOOLEAN fired)
{
    struct busy *busy = context;

    (void)fired;
    InterlockedIncrement(&busy->calls);
    SetEvent(busy->begun);
    WaitForSingleObject(busy->open, CHECK_WAIT_MS);
}

static void busy_timer_thread(void)
{
    struct busy busy = {new_event(), new_event(), 0};
    HANDLE periodic = new_timer(FALSE), over = new_event(), timer;
    int i;

    CHECK(CreateTimerQueueTimer(&timer, NULL, keep_busy, &busy, 0, 1, WT_EXECUTEINTIMERTHREAD), "setup");
    CHECK(is_set(busy.begun, CHECK_WAIT_MS), "setup");
    CHECK(set_timer(periodic, 0, 1), D_SET);
    for (i = 0; i < 30; i++)
        CHECK(is_set(periodic, CHECK_WAIT_MS), D_SET);
    CHECK_FALSE(DeleteTimerQueueTimer(NULL, timer, over), ERROR_IO_PENDING, "D DeleteTimerQueueTimer");
    SetEvent(busy.open);
    CHECK(is_set(over, CHECK_WAIT_MS), "D DeleteTimerQueueTimer: the event is set when the callbacks are over");
    CHECK(busy.calls <= 2, "D CreateTimerQueueTimer: WT_EXECUTEINTIMERTHREAD: the timers' thread itself calls");
    CloseHandle(periodic);
    CloseHandle(over);
    CloseHandle(busy.begun);
    CloseHandle(busy.open);
}

/* A timer that deletes itself, and whose callback goes on. */
struct lingering {
    HANDLE queue, timer, deleted, open;
    volatile LONG is_over;
};

static VOID CALLBACK delete_and_linger(PVOID context, BOOLEAN fired)
{
    struct lingering *of = context;

    (void)fired;
    CHECK_FALSE(DeleteTimerQueueTimer(of->queue, of->timer, NULL), ERROR_IO_PENDING, "D DeleteTimerQueueTimer");
    SetEvent(of->deleted);
    WaitForSingleObject(of->open, CHECK_WAIT_MS);
    InterlockedExchange(&of->is_over, 1);
}

static void queue_waits_for_deleted_timers(void)
{
    struct lingering of = {CreateTimerQueue(), NULL, new_event(), new_event(), 0};
    HANDLE over = new_event();

    CHECK(CreateTimerQueueTimer(&of.timer, of.queue, delete_and_linger, &of, 0, 0, 0), "setup");
    CHECK(is_set(of.deleted, CHECK_WAIT_MS), "setup");
    CHECK_FALSE(DeleteTimerQueueEx(of.queue, over), ERROR_IO_PENDING, "D DeleteTimerQueueEx: a callback runs");
    CHECK(!is_set(over, 0), "D DeleteTimerQueueEx: the event is set when all callbacks are over");
    SetEvent(of.open);
    CHECK(is_set(over, CHECK_WAIT_MS), "D DeleteTimerQueueEx: the event is set when all callbacks are over");
    CHECK_EQ(of.is_over, 1, "D DeleteTimerQueueEx: the event is set when all callbacks are over");
    CloseHandle(of.deleted);
    CloseHandle(of.open);
    CloseHandle(over);
}

/* Callbacks that change their timer while another thread deletes it. */
struct changed {
    HANDLE timer;
    volatile LONG calls, late, is_deleted;
};

static VOID CALLBACK change_own_timer(PVOID context, BOOLEAN fired)
{
    struct changed *of = context;

    (void)fired;
    if (InterlockedCompareExchange(&of->is_deleted, 0, 0))
        InterlockedExchange(&of->late, 1);
    InterlockedIncrement(&of->calls);
    ChangeTimerQueueTimer(NULL, of->timer, 0, 1);
}

#define ROUNDS 1500

static void changed_while_deleted(void)
{
    struct changed *all = calloc(ROUNDS, sizeof *all);
    LONG late = 0;
    int i, spins;

    REQUIRE(all != NULL);
    for (i = 0; i < ROUNDS; i++) {
        CHECK(CreateTimerQueueTimer(&all[i].timer, NULL, change_own_timer, &all[i], 0, 1, 0), "setup");
        while (InterlockedCompareExchange(&all[i].calls, 0, 0) < 2)
            SwitchToThread();
        for (spins = i * 7 % 2000; spins > 0; spins--)
            InterlockedCompareExchange(&all[i].calls, 0, 0);
        CHECK(DeleteTimerQueueTimer(NULL, all[i].timer, INVALID_HANDLE_VALUE), "D DeleteTimerQueueTimer");
        InterlockedExchange(&all[i].is_deleted, 1);
    }
    /* The contexts of all rounds are still there, for whoever should come late. */
    for (i = 0; i < ROUNDS; i++)
        late += all[i].late;
    CHECK_EQ(late, 0, "D DeleteTimerQueueTimer: no callback comes after it");
    free(all);
}

int main(void)
{
    check_begin("timers");
    creation();
    kinds();
    times();
    cancelling();
    periods();
    every_wait();
    routines();
    end_of_the_thread();
    queues();
    timer_thread();
    deleted_while_called();
    busy_timer_thread();
    queue_waits_for_deleted_timers();
    changed_while_deleted();
    return check_end();
}
