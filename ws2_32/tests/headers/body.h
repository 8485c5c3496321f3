/* body.h - what every source file of the include-order matrix must be able to do, in C and in C++. */
#ifdef __cplusplus
#define CHECK(e) static_assert(e, #e)
#else
#define CHECK(e) _Static_assert(e, #e)
#endif

CHECK(sizeof(struct timeval) == 8);
CHECK(sizeof(fd_set) == 8 + 8 * FD_SETSIZE);
CHECK(FD_SETSIZE == EXPECT_FD_SETSIZE);
CHECK(sizeof(u_long) == 4);
CHECK(sizeof(u_int) == 4);
CHECK(sizeof(u_short) == 2);
CHECK(sizeof(u_char) == 1);
CHECK(sizeof(socklen_t) == 4);
CHECK(AF_INET6 == 23);
CHECK(SOL_SOCKET == 0xffff);
CHECK(POLLIN == 0x300);
CHECK(FIONBIO == (int)0x8004667e);
#if FD_SETSIZE < 1
#error FD_SETSIZE must be usable by the preprocessor
#endif

/* A member named like a function must survive. */
struct ops {
    int (*connect)(int);
    int (*select)(int);
    int (*bind)(void);
    int send, recv, accept, socket, shutdown, gethostname;
};
int use_ops(struct ops *o);
int use_ops(struct ops *o)
{
    return o->connect(1) + o->select(2) + o->bind() + o->send + o->recv + o->accept + o->socket + o->shutdown;
}

int use_select(SOCKET s, const struct timeval *limit);
int use_select(SOCKET s, const struct timeval *limit)
{
    fd_set r, w;
    struct timeval tv;
    TIMEVAL tv2 = {1, 2};
    FD_ZERO(&r);
    FD_SET(s, &r);
    w = r;
    FD_CLR(s, &w);
    tv.tv_sec = 1;
    tv.tv_usec = 0;
    if (FD_ISSET(s, &r) && r.fd_count == 1 && r.fd_array[0] == s)
        return select(0, &r, &w, NULL, &tv);
#ifdef __cplusplus
    if (select(0, nullptr, nullptr, nullptr, nullptr) == SOCKET_ERROR)
        return -1;
#endif
    return select(0, &r, NULL, NULL, NULL) + select(0, NULL, NULL, NULL, &tv2) + select(0, NULL, &w, NULL, limit);
}

int use_sockets(void);
int use_sockets(void)
{
    char name[256];
    u_long one = 1;
    struct sockaddr_in a;
    struct sockaddr_in6 a6;
    int len = sizeof a;
    SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), t;
    memset(&a, 0, sizeof a);
    memset(&a6, 0, sizeof a6);
    a.sin_family = AF_INET;
    a.sin_port = htons(80);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a6.sin6_addr = in6addr_any;
    a6.sin6_addr.s6_addr[15] = 1;
    a6.sin6_scope_id = 0;
    if (s == INVALID_SOCKET || bind(s, (struct sockaddr *)&a, sizeof a) == SOCKET_ERROR || listen(s, SOMAXCONN))
        return WSAGetLastError();
    t = accept(s, (struct sockaddr *)&a, &len);
    ioctlsocket(t, FIONBIO, &one);
    connect(t, (struct sockaddr *)&a, sizeof a);
    setsockopt(t, SOL_SOCKET, SO_REUSEADDR, (const char *)&one, sizeof one);
    len = sizeof one;
    getsockopt(t, SOL_SOCKET, SO_ERROR, (char *)&one, &len);
    getsockname(t, (struct sockaddr *)&a6, &len);
    getpeername(t, (struct sockaddr *)&a6, &len);
    send(t, name, 1, 0);
    recv(t, name, 1, MSG_PEEK);
    sendto(t, name, 1, 0, (const struct sockaddr *)&a, sizeof a);
    recvfrom(t, name, 1, 0, (struct sockaddr *)&a, &len);
    shutdown(t, SD_SEND);
    closesocket(t);
    inet_ntop(AF_INET, &a.sin_addr, name, sizeof name);
    inet_pton(AF_INET, "1.2.3.4", &a.sin_addr);
    a.sin_addr.s_addr = inet_addr(inet_ntoa(a.sin_addr));
    return gethostname(name, 256) + (int)ntohl(1) + ntohs(1) + IN6_IS_ADDR_LOOPBACK(&a6.sin6_addr);
}

int use_names(void);
int use_names(void)
{
    struct addrinfo hints, *res = NULL;
    char host[NI_MAXHOST];
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_flags = AI_PASSIVE;
    if (getaddrinfo(NULL, "80", &hints, &res) != 0)
        return (int)strlen(gai_strerrorA(EAI_NONAME));
    getnameinfo(res->ai_addr, (socklen_t)res->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(res);
    return 0;
}

static LPFN_DISCONNECTEX disconnect_ex;
struct per_io {
    int operation;
    OVERLAPPED ov;
    LIST_ENTRY link;
};

BOOL use_iocp(SOCKET s, HANDLE port);
BOOL use_iocp(SOCKET s, HANDLE port)
{
    GUID id = WSAID_DISCONNECTEX;
    DWORD n = 0;
    ULONG_PTR key = 0;
    size_t key2 = 0;
    uintptr_t key3 = 0;
    LPOVERLAPPED ov = NULL;
    struct per_io *io;
    WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &disconnect_ex, sizeof disconnect_ex, &n, NULL, NULL);
    CreateIoCompletionPort((HANDLE)s, port, (ULONG_PTR)s, 0);
    GetQueuedCompletionStatus(port, &n, &key2, &ov, INFINITE);
    GetQueuedCompletionStatus(port, &n, &key3, &ov, INFINITE);
    if (!GetQueuedCompletionStatus(port, &n, &key, &ov, INFINITE) || ov == NULL)
        return FALSE;
    io = CONTAINING_RECORD(ov, struct per_io, ov);
    while (!HasOverlappedIoCompleted(&io->ov))
        YieldProcessor();
    io->ov.Pointer = NULL;
    io->ov.Offset = io->ov.OffsetHigh = 0;
    return disconnect_ex(s, &io->ov, TF_REUSE_SOCKET, 0);
}

long use_interlocked(void);
long use_interlocked(void)
{
    static volatile long l;
    static long l2;
    static volatile LONG L;
    static LONG L2;
    static volatile LONG64 q;
    static volatile LONGLONG q2;
    static volatile DWORD d;
    static PVOID volatile p;
    static unsigned __int64 u;
    CHECK(sizeof(InterlockedIncrement(&l)) == sizeof(long));
    CHECK(sizeof(InterlockedIncrement(&L)) == 4);
    CHECK(sizeof(InterlockedExchangeAdd64(&q, 1)) == 8);
    InterlockedIncrement(&l2);
    InterlockedDecrement(&L2);
    InterlockedExchangeAdd(&L, 5);
    InterlockedExchange(&l, 5);
    InterlockedCompareExchange(&L, 1, 0);
    InterlockedCompareExchange(&l, 1, 0);
    InterlockedIncrement(&d);
    InterlockedAnd(&L, 1);
    InterlockedOr(&L, 1);
    InterlockedXor(&L, 1);
    InterlockedAdd(&L, 1);
    InterlockedIncrement64(&q);
    InterlockedDecrement64(&q2);
    InterlockedExchange64(&q, 1);
    InterlockedCompareExchange64(&q, 1, 0);
    InterlockedAdd64(&q, 1);
    InterlockedExchangePointer(&p, NULL);
    InterlockedCompareExchangePointer(&p, NULL, NULL);
    MemoryBarrier();
    u = (unsigned __int64)q;
    return l + (long)u + _stricmp("A", "a");
}

__declspec(noinline) errno_t use_crt(char *to, size_t size, const char *from);
__declspec(noinline) errno_t use_crt(char *to, size_t size, const char *from)
{
    char number[34];

    ZeroMemory(to, size);
    CopyMemory(to, from, 1);
    return strcpy_s(to, size, from) + strncpy_s(to, size, from, _TRUNCATE) + strcat_s(to, size, from) +
           memcpy_s(to, size, from, 1) + sprintf_s(to, size, "%s", from) + stricmp(itoa(5, number, 10), from);
}

static DWORD WINAPI worker(LPVOID arg)
{
    UNREFERENCED_PARAMETER(arg);
    ZeroMemory(arg, 0);
    return (DWORD)(MAKEWORD(2, 2) + LOBYTE(3) + HIWORD(4));
}
static unsigned __stdcall worker2(void *arg)
{
    (void)arg;
    _endthreadex(0);
    return 0;
}
__declspec(noinline) int use_threads(_In_ int n, _Out_opt_ int *out);
__declspec(noinline) int use_threads(_In_ int n, _Out_opt_ int *out)
{
    __declspec(align(16)) char aligned[16] = "x";
    CRITICAL_SECTION cs;
    SRWLOCK lock = SRWLOCK_INIT;
    LARGE_INTEGER li;
    const TCHAR *text = TEXT("text");
    HANDLE h = CreateThread(NULL, 0, worker, NULL, 0, NULL), e = CreateEvent(NULL, TRUE, FALSE, NULL);
    HANDLE h2 = (HANDLE)_beginthreadex(NULL, 0, worker2, NULL, 0, NULL);
    InitializeCriticalSection(&cs);
    AcquireSRWLockExclusive(&lock);
    QueryPerformanceCounter(&li);
    if (out != NULL)
        *out = (int)li.QuadPart + (int)li.LowPart + (int)li.u.LowPart + n + (int)_countof(aligned) + aligned[0];
    return WaitForSingleObject(h, INFINITE) == WAIT_OBJECT_0 && WaitForSingleObject(h2, 0) == WAIT_TIMEOUT &&
           e != INVALID_HANDLE_VALUE && text != NULL;
}
