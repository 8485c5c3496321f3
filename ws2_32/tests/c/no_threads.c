/*
 * no_threads.c - what needs a thread that cannot be started is refused where it can be said, and nothing is lost.
 */
#include "check.h"
#ifndef __MINGW32__
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const char *const REFUSED = "choice: refused by who makes the object, as who submits has no result";

/* From now on the kernel starts no thread for the calling thread; the other threads start theirs as before. */
static void refuse_threads(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)SYS_clone3, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)SYS_clone, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static VOID CALLBACK fired(PVOID event, BOOLEAN timed_out)
{
    (void)timed_out;
    SetEvent(event);
}

static DWORD WINAPI item(void *event)
{
    return SetEvent(event) ? 0 : 1;
}

static VOID CALLBACK worked(PTP_CALLBACK_INSTANCE instance, PVOID event, PTP_WORK work)
{
    (void)instance, (void)work;
    SetEvent(event);
}

static VOID CALLBACK timer_over(PTP_CALLBACK_INSTANCE instance, PVOID event, PTP_TIMER timer)
{
    (void)instance, (void)timer;
    SetEvent(event);
}

static VOID CALLBACK wait_over(PTP_CALLBACK_INSTANCE instance, PVOID event, PTP_WAIT wait, TP_WAIT_RESULT result)
{
    (void)instance, (void)wait, (void)result;
    SetEvent(event);
}

/* The clock's thread and the one that waits, but none of the pool. */
static void start_other_threads(void)
{
    HANDLE signal = CreateEventW(NULL, FALSE, TRUE, NULL), called = new_event();
    HANDLE timer = CreateWaitableTimerW(NULL, FALSE, NULL), wait;
    LARGE_INTEGER soon = {.QuadPart = -1};

    CHECK(SetWaitableTimer(timer, &soon, 0, NULL, NULL, FALSE), "setup");
    CHECK(is_set(timer, CHECK_WAIT_MS), "setup");
    CHECK(RegisterWaitForSingleObject(&wait, signal, fired, called, INFINITE, WT_EXECUTEINWAITTHREAD), "setup");
    CHECK(is_set(called, CHECK_WAIT_MS), "setup");
    CHECK(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE), "setup");
    CloseHandle(timer);
    CloseHandle(signal);
    CloseHandle(called);
}

static void pool_refuses(void)
{
    HANDLE signal = CreateEventW(NULL, FALSE, TRUE, NULL), wait, timer;

    CHECK_FALSE(QueueUserWorkItem(item, signal, 0), ERROR_NOT_ENOUGH_MEMORY, "choice");
    CHECK_FALSE(CreateThreadpoolWork(worked, signal, NULL) != NULL, ERROR_NOT_ENOUGH_MEMORY, REFUSED);
    CHECK_FALSE(CreateThreadpoolTimer(timer_over, signal, NULL) != NULL, ERROR_NOT_ENOUGH_MEMORY, REFUSED);
    CHECK_FALSE(CreateThreadpoolWait(wait_over, signal, NULL) != NULL, ERROR_NOT_ENOUGH_MEMORY, REFUSED);
    CHECK_FALSE(CreateTimerQueueTimer(&timer, NULL, fired, signal, 0, 0, 0), ERROR_NOT_ENOUGH_MEMORY, REFUSED);
    CHECK_FALSE(RegisterWaitForSingleObject(&wait, signal, fired, signal, INFINITE, 0), ERROR_NOT_ENOUGH_MEMORY, REFUSED);
    CHECK(is_set(signal, 0), "choice: the signal is not lost");
    CloseHandle(signal);
}

static void resolver_refuses(void)
{
    ADDRINFOEXW *found = NULL;
    HANDLE handle = NULL;
    OVERLAPPED ov;

    ov_init(&ov, NULL);
    CHECK_EQ(GetAddrInfoExW(u"127.0.0.1", u"80", NS_ALL, NULL, NULL, &found, NULL, &ov, NULL, &handle),
             WSA_NOT_ENOUGH_MEMORY, "choice");
    CHECK_EQ(GetAddrInfoExOverlappedResult(&ov), WSA_NOT_ENOUGH_MEMORY, "choice: what was not started is not under way");
    CHECK(found == NULL, "choice");
}

/* Nothing is owed that the kernel does not have. */
static void a_close_needs_none(void)
{
    SOCKET client, server;
    char byte;

    tcp_pair(&client, &server);
    CHECK_EQ(send(client, "x", 1, 0), 1, "setup");
    CHECK_EQ(closesocket(client), 0, "D closesocket");
    CHECK_EQ(recv(server, &byte, 1, 0), 1, "D closesocket: graceful, the data goes first");
    CHECK_EQ(recv(server, &byte, 1, 0), 0, "D closesocket: graceful");
    closesocket(server);
}

struct busy {
    PTP_POOL pool;
    HANDLE running, go, done;
    PTP_WORK blocks, comes;
};

static VOID CALLBACK block(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    struct busy *busy = context;

    (void)instance, (void)work;
    SetEvent(busy->running);
    CHECK(is_set(busy->go, CHECK_WAIT_MS), "setup");
}

static VOID CALLBACK come(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    struct busy *busy = context;

    (void)instance, (void)work;
    SetEvent(busy->done);
}

/* A pool whose one thread runs a callback. */
static void make_busy(struct busy *busy)
{
    TP_CALLBACK_ENVIRON environment;

    busy->running = new_event();
    busy->go = new_event();
    busy->done = new_event();
    busy->pool = CreateThreadpool(NULL);
    REQUIRE(busy->pool != NULL);
    SetThreadpoolThreadMaximum(busy->pool, 1);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, busy->pool);
    busy->blocks = CreateThreadpoolWork(block, busy, &environment);
    busy->comes = CreateThreadpoolWork(come, busy, &environment);
    REQUIRE(busy->blocks != NULL && busy->comes != NULL);
    SubmitThreadpoolWork(busy->blocks);
    CHECK(is_set(busy->running, CHECK_WAIT_MS), "setup");
}

/* There may be another thread now, and none can be started: the one that there is has the work when it is free. */
static void one_thread_is_enough(struct busy *busy)
{
    SetThreadpoolThreadMaximum(busy->pool, 2);
    SubmitThreadpoolWork(busy->comes);
    CHECK(!is_set(busy->done, CHECK_QUIET_MS), "setup: it is not free");
    SetEvent(busy->go);
    CHECK(is_set(busy->done, CHECK_WAIT_MS), "choice: refused only while there is no thread at all");
}

static void end_busy(struct busy *busy)
{
    WaitForThreadpoolWorkCallbacks(busy->blocks, FALSE);
    WaitForThreadpoolWorkCallbacks(busy->comes, FALSE);
    CloseThreadpoolWork(busy->blocks);
    CloseThreadpoolWork(busy->comes);
    CloseThreadpool(busy->pool);
    CloseHandle(busy->running);
    CloseHandle(busy->go);
    CloseHandle(busy->done);
}

static void *without_threads(void *busy)
{
    refuse_threads();
    a_close_needs_none();
    pool_refuses();
    one_thread_is_enough(busy);
    resolver_refuses();
    return NULL;
}

static void works_again(void)
{
    HANDLE called = new_event();
    PTP_WORK work = CreateThreadpoolWork(worked, called, NULL);

    CHECK(work != NULL, "choice");
    SubmitThreadpoolWork(work);
    CHECK(is_set(called, CHECK_WAIT_MS), "choice");
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CloseThreadpoolWork(work);
    CloseHandle(called);
}
#endif

int main(void)
{
#ifndef __MINGW32__
    pthread_t thread;
    struct busy busy;
#endif

    check_begin("no_threads");
#ifndef __MINGW32__
    start_other_threads();
    make_busy(&busy);
    REQUIRE(pthread_create(&thread, NULL, without_threads, &busy) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
    end_busy(&busy);
    works_again();
#endif
    return check_end();
}
