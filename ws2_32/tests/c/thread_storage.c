/*
 * thread_storage.c - values of a thread's own: TlsAlloc and its family.
 */
#include "check.h"

enum { ALL = 1088 }; /* indexes of a process: D TlsAlloc */

struct meeting {
    DWORD index;
    HANDLE stored, looked;
};

static DWORD WINAPI other_thread(void *argument)
{
    struct meeting *meeting = argument;

    SetLastError(CHECK_UNSET);
    CHECK(TlsGetValue(meeting->index) == NULL, "D TlsAlloc: the slots are zero in every thread");
    CHECK_EQ(GetLastError(), ERROR_SUCCESS, "D TlsGetValue: success sets the last error to ERROR_SUCCESS");
    CHECK(TlsSetValue(meeting->index, meeting), "D TlsSetValue");
    CHECK(TlsGetValue(meeting->index) == meeting, "D TlsGetValue");
    SetEvent(meeting->stored);
    CHECK(is_set(meeting->looked, CHECK_WAIT_MS), "setup");
    CHECK(TlsGetValue(meeting->index) == NULL, "D TlsAlloc: the slots are zero, also of an index that is used again");
    return 0;
}

/* An index is freed and handed out again while another thread keeps a value at it. */
static void values_are_the_threads_own(void)
{
    struct meeting meeting = {TlsAlloc(), new_event(), new_event()};
    DWORD index = meeting.index;
    HANDLE thread;

    REQUIRE(index != TLS_OUT_OF_INDEXES);
    CHECK(TlsSetValue(index, &index), "D TlsSetValue");
    thread = CreateThread(NULL, 0, other_thread, &meeting, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK(is_set(meeting.stored, CHECK_WAIT_MS), "setup");
    CHECK(TlsGetValue(index) == &index, "D TlsSetValue: each thread has its own");
    CHECK(TlsFree(index), "D TlsFree");
    CHECK_EQ(TlsAlloc(), index, "choice: the lowest free index is handed out");
    CHECK(TlsGetValue(index) == NULL, "D TlsAlloc: the slots are zero");
    SetEvent(meeting.looked);
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    CHECK(TlsFree(index), "D TlsFree");
    CloseHandle(thread);
    CloseHandle(meeting.stored);
    CloseHandle(meeting.looked);
}

static void bad_indexes(void)
{
    static const DWORD bad[] = {ALL, ALL + 1, 0x7fffffff, TLS_OUT_OF_INDEXES};
    DWORD freed = TlsAlloc();
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SetLastError(CHECK_UNSET);
        CHECK(TlsGetValue(bad[i]) == NULL, "D TlsGetValue: failure is 0 with a last error that is not ERROR_SUCCESS");
        CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER, "D TlsGetValue");
        CHECK(!TlsSetValue(bad[i], &freed), "D TlsSetValue");
        CHECK(!TlsFree(bad[i]), "D TlsFree");
    }
    CHECK(TlsFree(freed), "D TlsFree");
    CHECK(!TlsFree(freed), "D TlsFree");
    CHECK(!TlsSetValue(freed, &freed), "choice: an index that is not in use is refused");
    SetLastError(CHECK_UNSET);
    CHECK(TlsGetValue(freed) == NULL, "choice: an index that is not in use is refused");
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER, "choice: an index that is not in use is refused");
}

static void all_indexes(void)
{
    static DWORD indexes[ALL + 1];
    DWORD count = 0, i;

    while (count <= ALL && (indexes[count] = TlsAlloc()) != TLS_OUT_OF_INDEXES)
        count++;
    CHECK(count >= TLS_MINIMUM_AVAILABLE && count <= ALL, "D TlsAlloc: 1,088 for a process");
    SetLastError(CHECK_UNSET);
    CHECK_EQ(TlsAlloc(), TLS_OUT_OF_INDEXES, "D TlsAlloc");
    CHECK_EQ(GetLastError(), ERROR_NO_MORE_ITEMS, "choice: the page names no error");
    for (i = 0; i < count; i++)
        TlsSetValue(indexes[i], &indexes[i]);
    for (i = 0; i < count && TlsGetValue(indexes[i]) == &indexes[i]; i++)
        ;
    CHECK_EQ(i, count, "D TlsGetValue");
    for (i = 0; i < count && TlsFree(indexes[i]); i++)
        ;
    CHECK_EQ(i, count, "D TlsFree");
}

static volatile LONG owners[ALL];

/* No index is handed out to two threads. */
static DWORD WINAPI take_and_give(void *unused)
{
    DWORD held[8], wrong = 0;
    int round, i;

    (void)unused;
    for (round = 0; round < 300; round++) {
        for (i = 0; i < 8; i++) {
            held[i] = TlsAlloc();
            if (held[i] == TLS_OUT_OF_INDEXES || InterlockedIncrement(&owners[held[i]]) != 1)
                return 1000;
            wrong += TlsGetValue(held[i]) != NULL;
            TlsSetValue(held[i], &held[i]);
        }
        for (i = 0; i < 8; i++) {
            wrong += TlsGetValue(held[i]) != &held[i];
            InterlockedDecrement(&owners[held[i]]);
            wrong += !TlsFree(held[i]);
        }
    }
    return wrong;
}

static void threads_at_once(void)
{
    HANDLE threads[4];
    DWORD wrong;
    int i;

    for (i = 0; i < 4; i++) {
        threads[i] = CreateThread(NULL, 0, take_and_give, NULL, 0, NULL);
        REQUIRE(threads[i] != NULL);
    }
    CHECK_EQ(WaitForMultipleObjects(4, threads, TRUE, 20000), WAIT_OBJECT_0, "setup");
    for (i = 0; i < 4; i++) {
        wrong = CHECK_UNSET;
        GetExitCodeThread(threads[i], &wrong);
        CHECK_EQ(wrong, 0, "D TlsAlloc: an index is one caller's, and its slots are zero");
        CloseHandle(threads[i]);
    }
}

int main(void)
{
    check_begin("thread_storage");
    values_are_the_threads_own();
    bad_indexes();
    all_indexes();
    threads_at_once();
    return check_end();
}
