/*
 * kernel32.c - the little of kernel32 that socket programs use: threads, critical sections, interlocked
 * operations, the heap, clocks.
 */
#include "check.h"

enum { THREADS = 4, ROUNDS = 20000 };

struct shared {
    CRITICAL_SECTION section;
    long guarded; /* plain: the section is its only protection */
    volatile LONG counted;
    volatile LONG64 counted64;
    DWORD ids[THREADS];
    volatile LONG next;
};

static DWORD WINAPI work(void *argument)
{
    struct shared *shared = argument;
    int i;

    shared->ids[InterlockedIncrement(&shared->next) - 1] = GetCurrentThreadId();
    for (i = 0; i < ROUNDS; i++) {
        EnterCriticalSection(&shared->section);
        EnterCriticalSection(&shared->section);
        shared->guarded++;
        LeaveCriticalSection(&shared->section);
        LeaveCriticalSection(&shared->section);
        InterlockedIncrement(&shared->counted);
        InterlockedExchangeAdd64(&shared->counted64, 2);
    }
    return 0;
}

static void threads_and_sections(void)
{
    static struct shared shared;
    HANDLE threads[THREADS];
    DWORD ids[THREADS];
    int i, j;

    InitializeCriticalSection(&shared.section);
    for (i = 0; i < THREADS; i++) {
        threads[i] = CreateThread(NULL, 0, work, &shared, 0, &ids[i]);
        REQUIRE(threads[i] != NULL);
    }
    CHECK_EQ(WaitForMultipleObjects(THREADS, threads, TRUE, 20000), WAIT_OBJECT_0, "D CreateThread");
    CHECK_EQ(shared.guarded, THREADS * ROUNDS, "D EnterCriticalSection: one at a time, and recursive");
    CHECK_EQ(shared.counted, THREADS * ROUNDS, "D InterlockedIncrement");
    CHECK_EQ(shared.counted64, 2 * THREADS * ROUNDS, "D InterlockedExchangeAdd64");
    for (i = 0; i < THREADS; i++) {
        for (j = 0; j < THREADS && shared.ids[j] != ids[i]; j++)
            ;
        CHECK(j < THREADS, "D CreateThread: the thread's id is what it calls itself");
        CHECK(ids[i] != GetCurrentThreadId(), "D GetCurrentThreadId");
        CHECK(CloseHandle(threads[i]), "D CloseHandle");
    }
    DeleteCriticalSection(&shared.section);
}

static DWORD WINAPI try_section(void *section)
{
    BOOL got = TryEnterCriticalSection(section);

    if (got)
        LeaveCriticalSection(section);
    return (DWORD)got;
}

static DWORD WINAPI leave_by_exit(void *unused)
{
    (void)unused;
    ExitThread(42);
    return 1; /* never reached */
}

static DWORD code_of(LPTHREAD_START_ROUTINE function, void *argument)
{
    HANDLE thread = CreateThread(NULL, 0, function, argument, 0, NULL);
    DWORD code = CHECK_UNSET;

    REQUIRE(thread != NULL);
    CHECK(is_set(thread, CHECK_WAIT_MS), "D CreateThread");
    CHECK(GetExitCodeThread(thread, &code), "D GetExitCodeThread");
    CloseHandle(thread);
    return code;
}

static void ends(void)
{
    CRITICAL_SECTION section;

    CHECK(InitializeCriticalSectionAndSpinCount(&section, 100), "D InitializeCriticalSectionAndSpinCount");
    CHECK(TryEnterCriticalSection(&section), "D TryEnterCriticalSection");
    CHECK(TryEnterCriticalSection(&section), "D TryEnterCriticalSection: the owner again");
    CHECK_EQ(code_of(try_section, &section), FALSE, "D TryEnterCriticalSection: another has it");
    LeaveCriticalSection(&section);
    CHECK_EQ(code_of(try_section, &section), FALSE, "D LeaveCriticalSection: as often as it was entered");
    LeaveCriticalSection(&section);
    CHECK_EQ(code_of(try_section, &section), TRUE, "D LeaveCriticalSection");
    DeleteCriticalSection(&section);
    CHECK_EQ(code_of(leave_by_exit, NULL), 42, "D ExitThread");
}

static DWORD WINAPI own_last_error(void *unused)
{
    (void)unused;
    SetLastError(99);
    return GetLastError();
}

static void last_error(void)
{
    DWORD code, mine;

    SetLastError(7);
    code = code_of(own_last_error, NULL);
    mine = (SetLastError(7), GetLastError());
    CHECK_EQ(code, 99, "D SetLastError");
    CHECK_EQ(mine, 7, "D SetLastError: one per thread");
}

static void interlocked(void)
{
    volatile LONG n = 5;
    volatile LONG64 n64 = 0x100000000LL;
    void *volatile p = NULL;
    int target;

    CHECK_EQ(InterlockedIncrement(&n), 6, "D InterlockedIncrement: the new value");
    CHECK_EQ(InterlockedDecrement(&n), 5, "D InterlockedDecrement: the new value");
    CHECK_EQ(InterlockedExchange(&n, 10), 5, "D InterlockedExchange: the old value");
    CHECK_EQ(InterlockedExchangeAdd(&n, -3), 10, "D InterlockedExchangeAdd: the old value");
    CHECK_EQ(InterlockedCompareExchange(&n, 1, 8), 7, "D InterlockedCompareExchange");
    CHECK_EQ(n, 7, "D InterlockedCompareExchange: not equal, not exchanged");
    CHECK_EQ(InterlockedCompareExchange(&n, 1, 7), 7, "D InterlockedCompareExchange");
    CHECK_EQ(n, 1, "D InterlockedCompareExchange");
    CHECK_EQ(InterlockedOr(&n, 6), 1, "D InterlockedOr");
    CHECK_EQ(InterlockedAnd(&n, 3), 7, "D InterlockedAnd");
    CHECK_EQ(n, 3, "D InterlockedAnd");
    CHECK_EQ(InterlockedIncrement64(&n64), 0x100000001LL, "D InterlockedIncrement64");
    CHECK_EQ(InterlockedDecrement64(&n64), 0x100000000LL, "D InterlockedDecrement64");
    CHECK_EQ(InterlockedExchange64(&n64, 3), 0x100000000LL, "D InterlockedExchange64");
    CHECK_EQ(InterlockedCompareExchange64(&n64, 4, 3), 3, "D InterlockedCompareExchange64");
    CHECK_EQ(n64, 4, "D InterlockedCompareExchange64");
    CHECK(InterlockedExchangePointer(&p, &target) == NULL, "D InterlockedExchangePointer");
    CHECK(InterlockedCompareExchangePointer(&p, NULL, &target) == &target, "D InterlockedCompareExchangePointer");
    CHECK(p == NULL, "D InterlockedCompareExchangePointer");
}

static void heap(void)
{
    HANDLE process = GetProcessHeap();
    unsigned char *p = HeapAlloc(process, HEAP_ZERO_MEMORY, 100);
    int i, sum = 0;

    CHECK(process != NULL, "D GetProcessHeap");
    REQUIRE(p != NULL);
    for (i = 0; i < 100; i++)
        sum += p[i];
    CHECK_EQ(sum, 0, "D HeapAlloc: HEAP_ZERO_MEMORY");
    CHECK_EQ((ULONG_PTR)p % 16, 0, "D HeapAlloc: aligned on 16 bytes");
    memset(p, 7, 100);
    p = HeapReAlloc(process, HEAP_ZERO_MEMORY, p, 5000);
    REQUIRE(p != NULL);
    CHECK(p[0] == 7 && p[99] == 7, "D HeapReAlloc: the contents stay");
    for (i = 100; i < 5000; i++)
        sum += p[i];
    CHECK_EQ(sum, 0, "D HeapReAlloc: the new part is zero");
    CHECK(HeapFree(process, 0, p), "D HeapFree");
    CHECK(HeapFree(process, 0, NULL), "D HeapFree: NULL");
}

static void clocks(void)
{
    LARGE_INTEGER frequency, before, after;
    DWORD tick = GetTickCount();
    ULONGLONG tick64 = GetTickCount64();
    HANDLE never = new_event();
    double ms;

    CHECK(QueryPerformanceFrequency(&frequency) && frequency.QuadPart > 0, "D QueryPerformanceFrequency");
    CHECK(QueryPerformanceCounter(&before), "D QueryPerformanceCounter");
    CHECK_EQ(WaitForSingleObject(never, 50), WAIT_TIMEOUT, "setup");
    CHECK(QueryPerformanceCounter(&after), "D QueryPerformanceCounter");
    ms = (double)(after.QuadPart - before.QuadPart) * 1000.0 / (double)frequency.QuadPart;
    CHECK(ms >= 40 && ms < 5000, "D QueryPerformanceCounter");
    CHECK(GetTickCount() - tick >= 30, "D GetTickCount");
    CHECK(GetTickCount64() - tick64 >= 30, "D GetTickCount64");
    tick64 = GetTickCount64();
    Sleep(50);
    CHECK(GetTickCount64() - tick64 >= 30, "D Sleep");
    CHECK_EQ(SleepEx(1, FALSE), 0, "D SleepEx");
    CloseHandle(never);
}

int main(void)
{
    check_begin("kernel32");
    threads_and_sections();
    ends();
    last_error();
    interlocked();
    heap();
    clocks();
    return check_end();
}
