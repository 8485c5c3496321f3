/*
 * init_once.c - one-time initialization, and the locks' calls that do not wait.
 */
#include "check.h"

enum { THREADS = 4, ROUNDS = 200 };

static volatile LONG calls, inside;
static int context_of_all;

static BOOL CALLBACK initialize(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
    (void)once;
    CHECK_EQ(InterlockedIncrement(&inside), 1, "D InitOnceExecuteOnce: one thread is inside");
    InterlockedIncrement(&calls);
    SwitchToThread();
    *context = parameter;
    InterlockedDecrement(&inside);
    return TRUE;
}

static BOOL CALLBACK fail(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
    (void)once, (void)context;
    ++*(int *)parameter;
    SetLastError(1234);
    return FALSE;
}

static BOOL CALLBACK odd_context(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
    (void)once, (void)parameter;
    *context = (PVOID)(ULONG_PTR)0x1002;
    return TRUE;
}

static void executes_once(void)
{
    INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    PVOID context = NULL;
    int failures = 0;

    SetLastError(CHECK_UNSET);
    CHECK(!InitOnceExecuteOnce(&once, fail, &failures, &context), "D InitOnceExecuteOnce: the function fails");
    CHECK_EQ(GetLastError(), 1234, "choice: the function's last error stands");
    CHECK(!InitOnceExecuteOnce(&once, fail, &failures, NULL), "D InitOnceExecuteOnce: it is tried again");
    CHECK_EQ(failures, 2, "D InitOnceExecuteOnce: it is tried again");
    calls = 0;
    CHECK(InitOnceExecuteOnce(&once, initialize, &context_of_all, &context), "D InitOnceExecuteOnce");
    CHECK(context == &context_of_all, "D InitOnceExecuteOnce: the context");
    context = NULL;
    CHECK(InitOnceExecuteOnce(&once, fail, &failures, &context), "D InitOnceExecuteOnce: done already");
    CHECK(context == &context_of_all, "D InitOnceExecuteOnce: the context");
    CHECK(InitOnceExecuteOnce(&once, fail, &failures, NULL), "D InitOnceExecuteOnce: the context is optional");
    CHECK_EQ(failures, 2, "D InitOnceExecuteOnce");
    CHECK_EQ(calls, 1, "D InitOnceExecuteOnce");
}

static DWORD WINAPI execute(void *once)
{
    PVOID context = NULL;

    return !InitOnceExecuteOnce(once, initialize, &context_of_all, &context) || context != &context_of_all;
}

static void several_threads_execute_once(void)
{
    static INIT_ONCE onces[ROUNDS];
    HANDLE threads[THREADS];
    int round, i, wrong = 0;

    calls = 0;
    for (round = 0; round < ROUNDS; round++) {
        for (i = 0; i < THREADS; i++) {
            threads[i] = CreateThread(NULL, 0, execute, &onces[round], 0, NULL);
            REQUIRE(threads[i] != NULL);
        }
        CHECK_EQ(WaitForMultipleObjects(THREADS, threads, TRUE, 20000), WAIT_OBJECT_0, "D InitOnceExecuteOnce");
        for (i = 0; i < THREADS; i++) {
            DWORD code = 1;

            GetExitCodeThread(threads[i], &code);
            wrong += code != 0;
            CloseHandle(threads[i]);
        }
    }
    CHECK_EQ(wrong, 0, "D InitOnceExecuteOnce: all succeed and get the context");
    CHECK_EQ(calls, ROUNDS, "D InitOnceExecuteOnce: once each");
}

static DWORD WINAPI begin(void *once)
{
    BOOL pending = 7;
    PVOID context = NULL;
    BOOL begun = InitOnceBeginInitialize(once, 0, &pending, &context);

    return begun && !pending && context == &context_of_all;
}

static void begins_and_completes(void)
{
    INIT_ONCE once;
    BOOL pending = 7;
    PVOID context = &once;
    HANDLE thread;
    DWORD code = 0;

    InitOnceInitialize(&once);
    CHECK(!InitOnceBeginInitialize(&once, INIT_ONCE_CHECK_ONLY, &pending, &context),
          "D InitOnceBeginInitialize: INIT_ONCE_CHECK_ONLY, not done");
    CHECK(InitOnceBeginInitialize(&once, 0, &pending, &context), "D InitOnceBeginInitialize");
    CHECK_EQ(pending, TRUE, "D InitOnceBeginInitialize: the caller is to initialize");
    CHECK(!InitOnceBeginInitialize(&once, INIT_ONCE_CHECK_ONLY, &pending, &context),
          "D InitOnceBeginInitialize: INIT_ONCE_CHECK_ONLY, not done");
    CHECK(InitOnceComplete(&once, INIT_ONCE_INIT_FAILED, NULL), "D InitOnceComplete: INIT_ONCE_INIT_FAILED");
    pending = 7;
    CHECK(InitOnceBeginInitialize(&once, 0, &pending, NULL), "D InitOnceComplete: the next one begins");
    CHECK_EQ(pending, TRUE, "D InitOnceComplete: the next one begins");
    thread = CreateThread(NULL, 0, begin, &once, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK(!is_set(thread, CHECK_QUIET_MS), "D InitOnceBeginInitialize: others wait");
    CHECK(InitOnceComplete(&once, 0, &context_of_all), "D InitOnceComplete");
    CHECK(is_set(thread, CHECK_WAIT_MS), "D InitOnceBeginInitialize: until it is complete");
    CHECK(GetExitCodeThread(thread, &code) && code, "D InitOnceBeginInitialize: and get the context");
    CloseHandle(thread);
    CHECK(InitOnceBeginInitialize(&once, INIT_ONCE_CHECK_ONLY, &pending, &context),
          "D InitOnceBeginInitialize: INIT_ONCE_CHECK_ONLY, done");
    CHECK(!pending && context == &context_of_all, "D InitOnceBeginInitialize: INIT_ONCE_CHECK_ONLY, done");
    CHECK(!InitOnceComplete(&once, 0, NULL), "choice: nothing was begun");
    CHECK_EQ(GetLastError(), ERROR_GEN_FAILURE, "choice: nothing was begun");
}

static DWORD WINAPI begin_async(void *once)
{
    BOOL pending = 7;

    return InitOnceBeginInitialize(once, INIT_ONCE_ASYNC, &pending, NULL) && pending == TRUE;
}

static void several_may_initialize_at_once(void)
{
    INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    BOOL pending = 7;
    PVOID context = NULL;
    DWORD code = 0;
    HANDLE thread;

    CHECK(InitOnceBeginInitialize(&once, INIT_ONCE_ASYNC, &pending, NULL), "D InitOnceBeginInitialize: INIT_ONCE_ASYNC");
    CHECK_EQ(pending, TRUE, "D InitOnceBeginInitialize: INIT_ONCE_ASYNC");
    thread = CreateThread(NULL, 0, begin_async, &once, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK(is_set(thread, CHECK_WAIT_MS), "D InitOnceBeginInitialize: INIT_ONCE_ASYNC, in parallel");
    CHECK(GetExitCodeThread(thread, &code) && code, "D InitOnceBeginInitialize: INIT_ONCE_ASYNC, in parallel");
    CloseHandle(thread);
    CHECK(!InitOnceBeginInitialize(&once, 0, &pending, NULL), "choice: both ways at once are refused");
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER, "choice: both ways at once are refused");
    CHECK(InitOnceComplete(&once, INIT_ONCE_ASYNC, &context_of_all), "D InitOnceComplete: INIT_ONCE_ASYNC, the first");
    CHECK(!InitOnceComplete(&once, INIT_ONCE_ASYNC, &code), "D InitOnceComplete: INIT_ONCE_ASYNC, the second");
    CHECK(InitOnceBeginInitialize(&once, INIT_ONCE_ASYNC, &pending, &context), "D InitOnceBeginInitialize");
    CHECK(!pending && context == &context_of_all, "D InitOnceComplete: the first one's context");
}

static void refuses(void)
{
    INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    BOOL pending = 7;
    PVOID context = NULL;

    CHECK(!InitOnceBeginInitialize(&once, 8, &pending, &context), "choice: unknown flags");
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER, "choice: unknown flags");
    CHECK(InitOnceBeginInitialize(&once, 0, &pending, &context) && pending, "D InitOnceBeginInitialize");
    CHECK(!InitOnceComplete(&once, INIT_ONCE_ASYNC | INIT_ONCE_INIT_FAILED, NULL), "D InitOnceComplete: not together");
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER, "choice: the page names no error");
    CHECK(!InitOnceComplete(&once, 0, (PVOID)(ULONG_PTR)0x1001), "D InitOnceComplete: the low bits are reserved");
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER, "choice: the page names no error");
    CHECK(InitOnceComplete(&once, INIT_ONCE_INIT_FAILED, NULL), "D InitOnceComplete");
#ifndef __MINGW32__
    CHECK(!InitOnceExecuteOnce(&once, odd_context, NULL, &context), "choice: the low bits are reserved");
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER, "choice: the low bits are reserved");
    CHECK(!InitOnceExecuteOnce(NULL, fail, NULL, NULL), "choice: an error, and no crash");
    CHECK_EQ(GetLastError(), ERROR_NOACCESS, "choice: an error, and no crash");
    CHECK(!InitOnceExecuteOnce(&once, NULL, NULL, NULL), "choice: an error, and no crash");
    CHECK(!InitOnceBeginInitialize(&once, 0, NULL, NULL), "choice: an error, and no crash");
    CHECK_EQ(GetLastError(), ERROR_NOACCESS, "choice: an error, and no crash");
    CHECK(!InitOnceBeginInitialize(&once, 0, &pending, (PVOID *)16), "choice: an error, and no crash");
#else
    (void)odd_context;
#endif
    CHECK(InitOnceExecuteOnce(&once, initialize, &context_of_all, NULL), "choice: what was refused changed nothing");
}

static DWORD WINAPI try_lock(void *lock)
{
    DWORD got = 0;

    if (TryAcquireSRWLockShared(lock)) {
        got |= 1;
        ReleaseSRWLockShared(lock);
    }
    if (TryAcquireSRWLockExclusive(lock)) {
        got |= 2;
        ReleaseSRWLockExclusive(lock);
    }
    return got;
}

static DWORD tried(SRWLOCK *lock)
{
    HANDLE thread = CreateThread(NULL, 0, try_lock, lock, 0, NULL);
    DWORD got = CHECK_UNSET;

    REQUIRE(thread != NULL);
    CHECK(is_set(thread, CHECK_WAIT_MS), "D TryAcquireSRWLockShared: does not wait");
    GetExitCodeThread(thread, &got);
    CloseHandle(thread);
    return got;
}

static void locks(void)
{
    SRWLOCK lock = SRWLOCK_INIT;
    CRITICAL_SECTION section;

    CHECK_EQ(tried(&lock), 3, "D TryAcquireSRWLockShared");
    AcquireSRWLockShared(&lock);
    CHECK_EQ(tried(&lock), 1, "D TryAcquireSRWLockShared: readers share");
    ReleaseSRWLockShared(&lock);
    AcquireSRWLockExclusive(&lock);
    CHECK_EQ(tried(&lock), 0, "D TryAcquireSRWLockShared: a writer does not");
    ReleaseSRWLockExclusive(&lock);
    CHECK_EQ(tried(&lock), 3, "D TryAcquireSRWLockShared");
    InitializeCriticalSection(&section);
    SetCriticalSectionSpinCount(&section, 4000);
    CHECK(TryEnterCriticalSection(&section), "D SetCriticalSectionSpinCount");
    LeaveCriticalSection(&section);
    DeleteCriticalSection(&section);
}

int main(void)
{
    check_begin("init_once");
    executes_once();
    several_threads_execute_once();
    begins_and_completes();
    several_may_initialize_at_once();
    refuses();
    locks();
    return check_end();
}
