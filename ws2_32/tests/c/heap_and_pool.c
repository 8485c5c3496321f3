/* heap_and_pool.c - the rarer functions of heaps, pools and timers; multicast by WSAJoinLeaf; cycles; memory; SearchPath. */
#include "check.h"
#include <psapi.h>

static void heaps(void)
{
    HANDLE own = GetProcessHeap(), heap = HeapCreate(0, 0, 0);
    HEAP_OPTIMIZE_RESOURCES_INFORMATION optimize = {HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION, 0};
    ULONG kind = 2;
    char *block = HeapAlloc(heap, HEAP_ZERO_MEMORY, 100), *other = HeapAlloc(own, 0, 10);

    REQUIRE(heap != NULL && block != NULL && other != NULL);
    CHECK(HeapValidate(heap, 0, NULL), "D HeapValidate");
    CHECK(HeapValidate(own, 0, NULL), "D HeapValidate");
    CHECK(HeapValidate(heap, 0, block), "D HeapValidate");
    CHECK(HeapValidate(own, 0, other), "D HeapValidate");
    CHECK(!HeapValidate(heap, 0, other), "D HeapValidate: no block of that heap");
    CHECK(!HeapValidate(own, 0, block), "D HeapValidate: no block of that heap");
    CHECK(!HeapValidate(heap, 0, block + 16), "D HeapValidate: no block");
    CHECK(!HeapValidate(heap, 0, (void *)16), "D HeapValidate: no block");
    CHECK_FALSE(HeapValidate((HANDLE)12, 0, NULL), ERROR_INVALID_HANDLE, "choice: no heap");
    block[-1] ^= 1; /* what comes before a block is the heap's, here and on Windows */
    CHECK(!HeapValidate(heap, 0, NULL), "D HeapValidate: a block was overwritten");
    block[-1] ^= 1;
    CHECK(HeapValidate(heap, 0, NULL), "D HeapValidate");

    CHECK(HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0), "D HeapSetInformation");
    CHECK(HeapSetInformation(heap, HeapCompatibilityInformation, &kind, sizeof kind), "D HeapSetInformation");
    CHECK(HeapSetInformation(NULL, HeapOptimizeResources, &optimize, sizeof optimize), "D HeapSetInformation");
    CHECK(HeapSetInformation(heap, HeapOptimizeResources, &optimize, sizeof optimize), "D HeapSetInformation");
    optimize.Version = 7;
    CHECK_FALSE(HeapSetInformation(heap, HeapOptimizeResources, &optimize, sizeof optimize), ERROR_INVALID_PARAMETER,
                "choice: an unknown version");
    kind = 7;
    CHECK_FALSE(HeapSetInformation(heap, HeapCompatibilityInformation, &kind, sizeof kind), ERROR_INVALID_PARAMETER,
                "choice: an unknown kind of heap");
    CHECK_FALSE(HeapSetInformation(heap, HeapCompatibilityInformation, &kind, 2), ERROR_INVALID_PARAMETER,
                "choice: too short");
    CHECK_FALSE(HeapSetInformation(heap, (HEAP_INFORMATION_CLASS)55, &kind, sizeof kind), ERROR_INVALID_PARAMETER,
                "choice: an unknown class");
    CHECK_FALSE(HeapSetInformation((HANDLE)12, HeapCompatibilityInformation, &kind, sizeof kind),
                ERROR_INVALID_HANDLE, "choice: no heap");
    CHECK(HeapFree(own, 0, other), "setup");
    CHECK(HeapDestroy(heap), "setup");
}

static volatile LONG used;

static VOID CALLBACK use_stack(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    volatile char room[6 << 20];
    size_t n;
    (void)instance, (void)context, (void)work;

    for (n = 0; n < sizeof room; n += 4096)
        room[n] = 1;
    InterlockedExchange(&used, room[0]);
}

static void stacks(void)
{
    PTP_POOL pool = CreateThreadpool(NULL);
    TP_POOL_STACK_INFORMATION stack = {0, 0};
    TP_CALLBACK_ENVIRON environment;
    SIZE_T usual;
    PTP_WORK work;

    REQUIRE(pool != NULL);
    CHECK(QueryThreadpoolStackInformation(pool, &stack), "D QueryThreadpoolStackInformation");
    usual = stack.StackReserve;
    CHECK(usual >= 1 << 20, "choice: the usual stack");
    stack.StackReserve = 8 << 20;
    stack.StackCommit = 4096;
    CHECK(SetThreadpoolStackInformation(pool, &stack), "D SetThreadpoolStackInformation");
    CHECK(QueryThreadpoolStackInformation(pool, &stack), "D QueryThreadpoolStackInformation");
    CHECK_EQ(stack.StackReserve, 8 << 20, "D SetThreadpoolStackInformation");
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    work = CreateThreadpoolWork(use_stack, NULL, &environment);
    REQUIRE(work != NULL);
    SubmitThreadpoolWork(work);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(used, 1, "D SetThreadpoolStackInformation");
    CloseThreadpoolWork(work);
    stack.StackReserve = 4096;
    stack.StackCommit = 8192;
    CHECK_FALSE(SetThreadpoolStackInformation(pool, &stack), ERROR_INVALID_PARAMETER,
                "choice: a part larger than the whole");
    stack.StackReserve = stack.StackCommit = 0;
    CHECK(SetThreadpoolStackInformation(pool, &stack), "choice: the usual stack");
    CHECK(QueryThreadpoolStackInformation(pool, &stack), "D QueryThreadpoolStackInformation");
    CHECK_EQ(stack.StackReserve, usual, "choice: the usual stack");
    CloseThreadpool(pool);
}

static volatile LONG rung;
static HANDLE rings;

static VOID CALLBACK ring(PVOID context, BOOLEAN timed_out)
{
    (void)context, (void)timed_out;
    if (InterlockedIncrement(&rung) == 2)
        SetEvent(rings);
}

static void queued_timers(void)
{
    HANDLE queue = CreateTimerQueue(), timer = NULL;

    rings = CreateEventA(NULL, TRUE, FALSE, NULL);
    REQUIRE(queue != NULL && rings != NULL);
    REQUIRE(CreateTimerQueueTimer(&timer, queue, ring, NULL, 1, 1, 0));
    REQUIRE(WaitForSingleObject(rings, CHECK_WAIT_MS) == WAIT_OBJECT_0);
    SetLastError(0);
    CHECK(CancelTimerQueueTimer(queue, timer) || GetLastError() == ERROR_IO_PENDING, "D DeleteTimerQueueTimer");
    CHECK_FALSE(CancelTimerQueueTimer(queue, timer), ERROR_INVALID_HANDLE, "choice: it is deleted");
    CHECK(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE), "D DeleteTimerQueueEx");
    CloseHandle(rings);
}

static VOID CALLBACK free_library(PTP_CALLBACK_INSTANCE instance, PVOID module)
{
    FreeLibraryWhenCallbackReturns(instance, (HMODULE)module);
    InterlockedExchange(&used, 2);
    SetEventWhenCallbackReturns(instance, rings);
}

static void libraries(void)
{
    HMODULE module = LoadLibraryA("ws2_32.dll");

    rings = CreateEventA(NULL, TRUE, FALSE, NULL);
    REQUIRE(module != NULL && rings != NULL);
    REQUIRE(TrySubmitThreadpoolCallback(free_library, module, NULL));
    CHECK_EQ(WaitForSingleObject(rings, CHECK_WAIT_MS), WAIT_OBJECT_0, "D FreeLibraryWhenCallbackReturns");
    CHECK_EQ(used, 2, "D FreeLibraryWhenCallbackReturns");
    CloseHandle(rings);
}

static void cycles(void)
{
    ULONG64 before = 0, after = 0, process = 0;
    volatile unsigned n;

    CHECK(QueryThreadCycleTime(GetCurrentThread(), &before), "D QueryThreadCycleTime");
    for (n = 0; n < 1000000; n++)
        ;
    CHECK(QueryThreadCycleTime(GetCurrentThread(), &after), "D QueryThreadCycleTime");
    CHECK(after > before, "D QueryThreadCycleTime");
    CHECK(QueryProcessCycleTime(GetCurrentProcess(), &process), "D QueryProcessCycleTime");
    CHECK(process >= after, "D QueryProcessCycleTime: of all threads");
    CHECK_FALSE(QueryThreadCycleTime(NULL, &after), ERROR_INVALID_HANDLE, "choice: no thread");
    CHECK_FALSE(QueryThreadCycleTime(GetCurrentThread(), NULL), ERROR_NOACCESS, "choice: no place");
}

static SOCKET datagram_socket(void)
{
    return WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_MULTIPOINT_C_LEAF |
                      WSA_FLAG_MULTIPOINT_D_LEAF);
}

static SOCKET join(SOCKET s, const struct sockaddr_in *group, DWORD how)
{
    return WSAJoinLeaf(s, (const struct sockaddr *)group, sizeof *group, NULL, NULL, NULL, NULL, how);
}

static void leaves(void)
{
    SOCKET receiver = datagram_socket(), sender = datagram_socket(), stream = tcp_socket();
    struct sockaddr_in own, group;
    struct in_addr loop;
    char data[8];
    int length = sizeof own;

    REQUIRE(receiver != INVALID_SOCKET && sender != INVALID_SOCKET);
    memset(&group, 0, sizeof group);
    group.sin_family = AF_INET;
    group.sin_addr.s_addr = inet_addr("239.1.2.3");
    CHECK_CALL(join(receiver, &group, JL_BOTH), INVALID_SOCKET, WSAEINVAL, "choice: not bound");
    own = loopback(0);
    own.sin_addr.s_addr = INADDR_ANY;
    REQUIRE(bind(receiver, (struct sockaddr *)&own, sizeof own) == 0);
    limit_waits(receiver);
    own = loopback(name_of(receiver).sin_port);
    group.sin_port = own.sin_port;
    loop.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(setsockopt(receiver, IPPROTO_IP, IP_MULTICAST_IF, (char *)&loop, sizeof loop) == 0);
    REQUIRE(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, (char *)&loop, sizeof loop) == 0);
    CHECK_CALL(join(stream, &group, JL_BOTH), INVALID_SOCKET, WSAEOPNOTSUPP, "choice: streams have no groups");
    CHECK_CALL(join(receiver, &group, 0), INVALID_SOCKET, WSAEINVAL, "choice: no direction");
    CHECK_CALL(join(receiver, &own, JL_BOTH), INVALID_SOCKET, WSAEADDRNOTAVAIL, "choice: no group");
    CHECK_CALL(WSAJoinLeaf(receiver, NULL, sizeof group, NULL, NULL, NULL, NULL, JL_BOTH), INVALID_SOCKET, WSAEFAULT,
               "D WSAJoinLeaf");
    CHECK_EQ(join(receiver, &group, JL_BOTH), receiver, "D WSAJoinLeaf: a leaf is the socket itself");
    CHECK(join(receiver, &group, JL_RECEIVER_ONLY) == INVALID_SOCKET, "choice: it is in the group");
    CHECK_CALL(join(receiver, &group, JL_RECEIVER_ONLY), INVALID_SOCKET, WSAEADDRINUSE, "choice: it is in the group");
    CHECK_EQ(join(sender, &group, JL_SENDER_ONLY), sender, "D WSAJoinLeaf");
    CHECK_EQ(getpeername(sender, (struct sockaddr *)&own, &length), 0, "choice: sends go to the group");
    CHECK_EQ(own.sin_addr.s_addr, group.sin_addr.s_addr, "choice: sends go to the group");
    CHECK_EQ(send(sender, "hello", 5, 0), 5, "D WSAJoinLeaf");
    CHECK_EQ(recv(receiver, data, sizeof data, 0), 5, "D WSAJoinLeaf");
    closesocket(stream);
    close_both(receiver, sender);
}

static void memory(void)
{
    PROCESS_MEMORY_COUNTERS_EX before, after;
    PROCESS_MEMORY_COUNTERS brief;
    const size_t size = 16 << 20;
    HANDLE own;
    char *block;

    memset(&before, 0x55, sizeof before);
    CHECK(GetProcessMemoryInfo(GetCurrentProcess(), (PROCESS_MEMORY_COUNTERS *)&before, sizeof before),
          "D GetProcessMemoryInfo");
    CHECK_EQ(before.cb, sizeof before, "D PROCESS_MEMORY_COUNTERS_EX");
    CHECK(before.WorkingSetSize > 0 && before.PeakWorkingSetSize >= before.WorkingSetSize, "D PROCESS_MEMORY_COUNTERS");
    CHECK_EQ(before.PrivateUsage, before.PagefileUsage, "D PROCESS_MEMORY_COUNTERS_EX: the same");
    block = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    REQUIRE(block != NULL);
    memset(block, 1, size);
    CHECK(GetProcessMemoryInfo(GetCurrentProcess(), (PROCESS_MEMORY_COUNTERS *)&after, sizeof after),
          "D GetProcessMemoryInfo");
    CHECK(after.PrivateUsage >= before.PrivateUsage + size / 2, "D PROCESS_MEMORY_COUNTERS_EX");
    CHECK(after.PageFaultCount > before.PageFaultCount, "D PROCESS_MEMORY_COUNTERS");
    CHECK(VirtualFree(block, 0, MEM_RELEASE), "setup");
    CHECK(GetProcessMemoryInfo(GetCurrentProcess(), &brief, sizeof brief), "D GetProcessMemoryInfo");
    own = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, FALSE, GetCurrentProcessId());
    CHECK(GetProcessMemoryInfo(own, &brief, sizeof brief), "D GetProcessMemoryInfo: a handle to the process");
    CloseHandle(own);
    CHECK_EQ(brief.cb, sizeof brief, "D PROCESS_MEMORY_COUNTERS");
    CHECK_FALSE(GetProcessMemoryInfo(GetCurrentProcess(), &brief, sizeof brief - 1), ERROR_INSUFFICIENT_BUFFER,
                "choice: no room");
    CHECK_FALSE(GetProcessMemoryInfo(NULL, &brief, sizeof brief), ERROR_INVALID_HANDLE, "choice: no process");
    CHECK_FALSE(GetProcessMemoryInfo(GetCurrentProcess(), NULL, sizeof brief), ERROR_NOACCESS, "choice: no place");
}

static void searches(void)
{
    static const WCHAR wide_name[] = {'h', 'e', 'a', 'p', '_', 'f', 'o', 'u', 'n', 'd', 0}, dot_tmp[] = {'.', 't', 'm', 'p', 0};
    char path[MAX_PATH], here[MAX_PATH + 32], *part = NULL;
    WCHAR wide[MAX_PATH];
    HANDLE file = CreateFileA("heap_found.tmp", GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    DWORD length;

    REQUIRE(file != INVALID_HANDLE_VALUE);
    CloseHandle(file);
    REQUIRE(GetFullPathNameA(".", sizeof path, path, NULL) != 0);
    snprintf(here, sizeof here, "no such directory;%s", path);
    length = SearchPathA(here, "heap_found.tmp", NULL, sizeof path, path, &part);
    CHECK(length == strlen(path) && length > 14, "D SearchPath");
    CHECK(part == path + length - 14, "D SearchPath");
    CHECK_EQ(SearchPathA(here, "heap_found", ".tmp", sizeof path, path, NULL), length, "D SearchPath: the extension");
    CHECK_EQ(SearchPathA(NULL, "heap_found", ".tmp", sizeof path, path, NULL), length, "D SearchPath: the current directory");
    CHECK_EQ(SearchPathA(here, "heap_found.tmp", NULL, 3, path, NULL), length + 1, "D SearchPath: the size that it needs");
    CHECK_EQ(SearchPathW(NULL, wide_name, dot_tmp, MAX_PATH, wide, NULL), length, "D SearchPath");
    CHECK_EQ(wide[length - 1], 'p', "D SearchPath");
    CHECK_CALL(SearchPathA(here, "heap_lost.tmp", NULL, sizeof path, path, NULL), 0, ERROR_FILE_NOT_FOUND,
               "choice: as other functions that find nothing");
    CHECK_CALL(SearchPathA(NULL, NULL, NULL, sizeof path, path, NULL), 0, ERROR_NOACCESS, "choice: no name");
    CHECK(DeleteFileA("heap_found.tmp"), "setup");
}

int main(void)
{
    check_begin("heap_and_pool");
    heaps();
    stacks();
    queued_timers();
    libraries();
    cycles();
    leaves();
    memory();
    searches();
    return check_end();
}
