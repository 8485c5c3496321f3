/*
 * resolve_overlapped.c - GetAddrInfoEx at once and overlapped; nothing here needs a network.
 */
#include "check.h"

#define BAD ((void *)16)

static const char *const D = "D GetAddrInfoExW";

static void is_loopback(const ADDRINFOEXW *found, const char *source)
{
    const struct sockaddr_in *v4;

    if (!CHECK(found != NULL, source))
        return;
    v4 = (const struct sockaddr_in *)found->ai_addr;
    CHECK_EQ(found->ai_family, AF_INET, source);
    CHECK_EQ(found->ai_socktype, SOCK_STREAM, source);
    CHECK_EQ(found->ai_addrlen, sizeof *v4, source);
    CHECK(v4->sin_family == AF_INET && v4->sin_port == htons(8080), source);
    CHECK_EQ(ntohl(v4->sin_addr.s_addr), INADDR_LOOPBACK, source);
    CHECK(found->ai_next == NULL, source);
}

static ADDRINFOEXW wanted(int flags)
{
    ADDRINFOEXW hints;

    memset(&hints, 0, sizeof hints);
    hints.ai_flags = flags;
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    return hints;
}

static int ask(const WCHAR *name, int flags, ADDRINFOEXW **result, struct timeval *limit, OVERLAPPED *ov,
               LPLOOKUPSERVICE_COMPLETION_ROUTINE routine, HANDLE *handle)
{
    ADDRINFOEXW hints = wanted(flags);

    return GetAddrInfoExW(name, u"8080", NS_DNS, NULL, &hints, result, limit, ov, routine, handle);
}

static void at_once(void)
{
    ADDRINFOEXW hints = wanted(AI_CANONNAME), *found = NULL;
    ADDRINFOEXA narrow, *found_narrow = NULL;
    struct timeval limit = { 30, 0 };

    CHECK_EQ(GetAddrInfoExW(u"127.0.0.1", u"8080", NS_ALL, NULL, &hints, &found, NULL, NULL, NULL, NULL), 0, D);
    is_loopback(found, D);
    CHECK(found != NULL && found->ai_canonname != NULL && found->ai_canonname[0] == '1', "D GetAddrInfoExW: AI_CANONNAME");
    CHECK(found != NULL && found->ai_blob == NULL && found->ai_bloblen == 0 && found->ai_provider == NULL,
          "choice: a name service adds nothing");
    FreeAddrInfoExW(found);
    CHECK_EQ(ask(u"127.0.0.1", 0, &found, &limit, NULL, NULL, NULL), 0, "D GetAddrInfoExW: within a time");
    is_loopback(found, D);
    FreeAddrInfoExW(found);
    FreeAddrInfoExW(NULL); /* does nothing */

    memset(&narrow, 0, sizeof narrow);
    narrow.ai_flags = AI_NUMERICHOST;
    CHECK_EQ(GetAddrInfoExA("::1", "domain", NS_ALL, NULL, &narrow, &found_narrow, NULL, NULL, NULL, NULL), 0,
             "D GetAddrInfoExA");
    if (CHECK(found_narrow != NULL, "D GetAddrInfoExA")) {
        CHECK_EQ(found_narrow->ai_family, AF_INET6, "D GetAddrInfoExA");
        CHECK_EQ(((struct sockaddr_in6 *)found_narrow->ai_addr)->sin6_port, htons(53), "D GetAddrInfoExA");
    }
    FreeAddrInfoEx(found_narrow);
}

static void refusals(void)
{
    ADDRINFOEXW hints = wanted(AI_NUMERICHOST), *found = NULL;
    ADDRINFOEXA *narrow = NULL;
    struct timeval limit = { -1, 0 };
    GUID provider;
    OVERLAPPED ov;
    HANDLE handle = NULL;

    memset(&provider, 1, sizeof provider);
    ov_init(&ov, NULL);
    CHECK_EQ(ask(u"not.a.number", AI_NUMERICHOST, &found, NULL, NULL, NULL, NULL), WSAHOST_NOT_FOUND, D);
    CHECK_EQ(WSAGetLastError(), WSAHOST_NOT_FOUND, D);
    CHECK(found == NULL, D);
    CHECK_EQ(GetAddrInfoExW(NULL, NULL, NS_DNS, NULL, &hints, &found, NULL, NULL, NULL, NULL), WSAHOST_NOT_FOUND, D);
    CHECK_EQ(GetAddrInfoExW(u"::1", NULL, NS_PNRPNAME, NULL, &hints, &found, NULL, NULL, NULL, NULL),
             WSASERVICE_NOT_FOUND, "choice: there is no such name space here");
    CHECK_EQ(GetAddrInfoExW(u"::1", NULL, NS_ALL, &provider, &hints, &found, NULL, NULL, NULL, NULL),
             WSASERVICE_NOT_FOUND, "choice: there is no such provider here");
    hints.ai_canonname = (PWSTR)BAD;
    CHECK_EQ(GetAddrInfoExW(u"::1", NULL, NS_ALL, NULL, &hints, &found, NULL, NULL, NULL, NULL), WSANO_RECOVERY, D);
    CHECK_EQ(ask(u"127.0.0.1", 0, &found, &limit, NULL, NULL, NULL), WSAEINVAL, "choice: no time");
    CHECK_EQ(ask(BAD, 0, &found, NULL, NULL, NULL, NULL), WSAEFAULT, D);
    CHECK_EQ(ask(u"127.0.0.1", 0, NULL, NULL, NULL, NULL, NULL), WSAEFAULT, D);
    CHECK_EQ(ask(u"127.0.0.1", 0, &found, BAD, NULL, NULL, NULL), WSAEFAULT, D);
    CHECK_EQ(ask(u"127.0.0.1", 0, &found, NULL, BAD, NULL, NULL), WSAEFAULT, D);
    CHECK_EQ(ask(u"127.0.0.1", 0, &found, NULL, &ov, NULL, BAD), WSAEFAULT, D);
    ov.hEvent = (HANDLE)(ULONG_PTR)0x7fff0000;
    CHECK_EQ(ask(u"127.0.0.1", 0, &found, NULL, &ov, NULL, NULL), WSA_INVALID_HANDLE, "choice: hEvent is no event");
    CHECK_EQ(GetAddrInfoExA("::1", NULL, NS_ALL, NULL, NULL, &narrow, NULL, &ov, NULL, NULL), WSAEINVAL,
             "D GetAddrInfoExA: only the wide one is asynchronous");
    CHECK_EQ(GetAddrInfoExCancel(&handle), WSA_INVALID_HANDLE, "D GetAddrInfoExCancel");
    CHECK_EQ(GetAddrInfoExCancel(NULL), WSAEFAULT, "choice: as every bad pointer");
    CHECK_EQ(GetAddrInfoExOverlappedResult(NULL), WSAEINVAL, "D GetAddrInfoExOverlappedResult");
    CHECK_EQ(GetAddrInfoExOverlappedResult(BAD), WSAEFAULT, "choice: as every bad pointer");
}

static void with_an_event(void)
{
    ADDRINFOEXW *found = NULL;
    HANDLE event = new_event(), handle = NULL;
    OVERLAPPED ov;

    SetEvent(event);
    ov_init(&ov, event);
    CHECK_EQ(ask(u"127.0.0.1", 0, &found, NULL, &ov, NULL, &handle), WSA_IO_PENDING, D);
    CHECK(handle != NULL, "D GetAddrInfoExW: lpHandle");
    REQUIRE(is_set(event, CHECK_WAIT_MS));
    CHECK(HasOverlappedIoCompleted(&ov), "choice: Internal tells too");
    CHECK_EQ(GetAddrInfoExOverlappedResult(&ov), 0, "D GetAddrInfoExOverlappedResult");
    CHECK(ov.Pointer == &found, "D GetAddrInfoExW: Pointer is ppResult");
    is_loopback(found, D);
    FreeAddrInfoExW(found);
    CHECK_EQ(GetAddrInfoExCancel(&handle), WSA_INVALID_HANDLE, "D GetAddrInfoExCancel: it is over");

    ov_init(&ov, event);
    CHECK_EQ(ask(u"not.a.number", AI_NUMERICHOST, &found, NULL, &ov, NULL, NULL), WSA_IO_PENDING, D);
    REQUIRE(is_set(event, CHECK_WAIT_MS));
    CHECK_EQ(GetAddrInfoExOverlappedResult(&ov), WSAHOST_NOT_FOUND, "D GetAddrInfoExOverlappedResult");
    CHECK(found == NULL, D);
    CloseHandle(event);
}

/* A question whose routine says what it was told. */
struct question {
    OVERLAPPED ov;
    ADDRINFOEXW *found;
    HANDLE handle, over;
    DWORD error, thread;
    LONG calls;
};

static void CALLBACK told(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped)
{
    struct question *question = (struct question *)overlapped; /* its first member */

    (void)bytes;
    question->error = error;
    question->thread = GetCurrentThreadId();
    InterlockedIncrement(&question->calls);
    SetEvent(question->over);
}

static void start(struct question *question, struct timeval *limit)
{
    memset(question, 0, sizeof *question);
    question->over = new_event();
    CHECK_EQ(ask(u"127.0.0.1", 0, &question->found, limit, &question->ov, told, &question->handle), WSA_IO_PENDING, D);
}

static void with_a_routine(void)
{
    struct timeval limit = { 60, 0 };
    struct question question;

    start(&question, &limit);
    REQUIRE(is_set(question.over, CHECK_WAIT_MS));
    CHECK_EQ(question.error, 0, "D GetAddrInfoExW: the routine");
    CHECK(question.thread != GetCurrentThreadId(), "D GetAddrInfoExW: on a thread of the system's");
    CHECK(question.ov.Pointer == &question.found, "D GetAddrInfoExW: Pointer is ppResult");
    is_loopback(question.found, D);
    FreeAddrInfoExW(question.found);
    CloseHandle(question.over);
}

#define MANY 40

/* Cancelled at any moment: each is told once, and what it is told is what the cancelling call said. */
static void cancelled_or_not(void)
{
    static struct question all[MANY];
    int answer[MANY], i;

    for (i = 0; i < MANY; i++) {
        start(&all[i], NULL);
        answer[i] = GetAddrInfoExCancel(&all[i].handle);
        CHECK(answer[i] == NO_ERROR || answer[i] == WSA_INVALID_HANDLE, "D GetAddrInfoExCancel");
    }
    for (i = 0; i < MANY; i++) {
        REQUIRE(is_set(all[i].over, CHECK_WAIT_MS));
        CHECK_EQ(all[i].error, answer[i] == NO_ERROR ? WSA_E_CANCELLED : 0, "D GetAddrInfoExCancel: WSA_E_CANCELLED");
        CHECK_EQ(GetAddrInfoExOverlappedResult(&all[i].ov), (int)all[i].error, "D GetAddrInfoExOverlappedResult");
        CHECK_EQ(all[i].found != NULL, all[i].error == 0, D);
        CHECK_EQ(InterlockedCompareExchange(&all[i].calls, 0, 0), 1, "D GetAddrInfoExW: told once");
        FreeAddrInfoExW(all[i].found);
        CloseHandle(all[i].over);
    }
}

int main(void)
{
    check_begin("resolve_overlapped");
    at_once();
    refusals();
    with_an_event();
    with_a_routine();
    cancelled_or_not();
    return check_end();
}
