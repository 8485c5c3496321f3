/*
 * events_waits.c - events of both kinds, waits for one, any and all, time limits, and the WSA flavour of them.
 */
#include "check.h"

static void manual_and_auto(void)
{
    HANDLE manual = CreateEventW(NULL, TRUE, TRUE, NULL), automatic = CreateEventA(NULL, FALSE, TRUE, NULL);

    CHECK(manual && automatic, "D CreateEvent");
    CHECK_EQ(WaitForSingleObject(manual, 0), WAIT_OBJECT_0, "D CreateEvent: set from the beginning");
    CHECK_EQ(WaitForSingleObject(manual, 0), WAIT_OBJECT_0, "D CreateEvent: manual reset stays");
    CHECK(ResetEvent(manual), "D ResetEvent");
    CHECK_EQ(WaitForSingleObject(manual, 0), WAIT_TIMEOUT, "D ResetEvent");
    CHECK(SetEvent(manual), "D SetEvent");
    CHECK(SetEvent(manual), "D SetEvent");
    CHECK_EQ(WaitForSingleObject(manual, 0), WAIT_OBJECT_0, "D SetEvent");
    CHECK_EQ(WaitForSingleObject(automatic, 0), WAIT_OBJECT_0, "D CreateEvent");
    CHECK_EQ(WaitForSingleObject(automatic, 0), WAIT_TIMEOUT, "D CreateEvent: auto reset, by the wait");
    CHECK(SetEvent(automatic), "D SetEvent");
    CHECK(SetEvent(automatic), "D SetEvent");
    CHECK_EQ(WaitForSingleObject(automatic, CHECK_WAIT_MS), WAIT_OBJECT_0, "D SetEvent");
    CHECK_EQ(WaitForSingleObject(automatic, 0), WAIT_TIMEOUT, "D SetEvent: it does not count");
    CHECK(CloseHandle(manual) && CloseHandle(automatic), "D CloseHandle");
    CHECK_FALSE(CloseHandle(manual), ERROR_INVALID_HANDLE, "D CloseHandle");
    CHECK_FALSE(SetEvent(manual), ERROR_INVALID_HANDLE, "D SetEvent");
    CHECK_FALSE(ResetEvent(manual), ERROR_INVALID_HANDLE, "D ResetEvent");
    CHECK_CALL(WaitForSingleObject(manual, 0), WAIT_FAILED, ERROR_INVALID_HANDLE, "D WaitForSingleObject");
}

static void time_limits(void)
{
    HANDLE event = new_event();
    ULONGLONG start = GetTickCount64();

    CHECK_EQ(WaitForSingleObject(event, 100), WAIT_TIMEOUT, "D WaitForSingleObject");
    CHECK(GetTickCount64() - start >= 80, "D WaitForSingleObject: not before");
    CHECK(GetTickCount64() - start < 3000, "D WaitForSingleObject");
    start = GetTickCount64();
    CHECK_EQ(WaitForMultipleObjects(1, &event, TRUE, 100), WAIT_TIMEOUT, "D WaitForMultipleObjects");
    CHECK(GetTickCount64() - start >= 80, "D WaitForMultipleObjects: not before");
    CloseHandle(event);
}

static void any_and_all(void)
{
    HANDLE list[3], too_many[MAXIMUM_WAIT_OBJECTS + 1];
    int i;

    for (i = 0; i < 3; i++)
        list[i] = CreateEventW(NULL, FALSE, FALSE, NULL);
    SetEvent(list[1]);
    SetEvent(list[2]);
    CHECK_EQ(WaitForMultipleObjects(3, list, FALSE, 0), WAIT_OBJECT_0 + 1,
             "D WaitForMultipleObjects: the lowest index");
    CHECK_EQ(WaitForMultipleObjects(3, list, FALSE, 0), WAIT_OBJECT_0 + 2, "D: only the one it reports is reset");
    CHECK_EQ(WaitForMultipleObjects(3, list, FALSE, 0), WAIT_TIMEOUT, "D WaitForMultipleObjects");
    SetEvent(list[0]);
    SetEvent(list[1]);
    CHECK_EQ(WaitForMultipleObjects(3, list, TRUE, CHECK_QUIET_MS), WAIT_TIMEOUT, "D WaitForMultipleObjects: all");
    CHECK_EQ(WaitForSingleObject(list[0], 0), WAIT_OBJECT_0, "D: a wait for all touches none before all are set");
    SetEvent(list[0]);
    SetEvent(list[2]);
    CHECK_EQ(WaitForMultipleObjects(3, list, TRUE, CHECK_WAIT_MS), WAIT_OBJECT_0, "D WaitForMultipleObjects: all");
    for (i = 0; i < 3; i++)
        CHECK_EQ(WaitForSingleObject(list[i], 0), WAIT_TIMEOUT, "D WaitForMultipleObjects: all are reset");
    CHECK_EQ(WaitForMultipleObjectsEx(3, list, FALSE, 0, TRUE), WAIT_TIMEOUT, "D WaitForMultipleObjectsEx");
    for (i = 0; i <= MAXIMUM_WAIT_OBJECTS; i++)
        too_many[i] = list[0];
    CHECK_CALL(WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS + 1, too_many, FALSE, 0), WAIT_FAILED,
               ERROR_INVALID_PARAMETER, "D WaitForMultipleObjects");
    CHECK_CALL(WaitForMultipleObjects(0, list, FALSE, 0), WAIT_FAILED, ERROR_INVALID_PARAMETER,
               "D WaitForMultipleObjects: not zero");
    for (i = 0; i < 3; i++)
        CloseHandle(list[i]);
    CHECK_CALL(WaitForMultipleObjects(3, list, FALSE, 0), WAIT_FAILED, ERROR_INVALID_HANDLE,
               "D WaitForMultipleObjects");
}

struct pair {
    HANDLE ask, answer;
};

static DWORD WINAPI answer_every_question(void *argument)
{
    struct pair *pair = argument;
    DWORD count = 0;

    while (WaitForSingleObject(pair->ask, 2000) == WAIT_OBJECT_0 && count < 1000) {
        count++;
        SetEvent(pair->answer);
        if (count == 1000)
            break;
    }
    return count;
}

/* Two threads hand one another the turn a thousand times. */
static void between_threads(void)
{
    struct pair pair;
    HANDLE thread;
    int i, answered = 0;

    pair.ask = CreateEventW(NULL, FALSE, FALSE, NULL);
    pair.answer = CreateEventW(NULL, FALSE, FALSE, NULL);
    thread = CreateThread(NULL, 0, answer_every_question, &pair, 0, NULL);
    REQUIRE(thread != NULL);
    for (i = 0; i < 1000; i++) {
        SetEvent(pair.ask);
        answered += WaitForSingleObject(pair.answer, CHECK_WAIT_MS) == WAIT_OBJECT_0;
    }
    CHECK_EQ(answered, 1000, "D SetEvent: no wake-up is lost");
    CHECK_EQ(WaitForSingleObject(thread, CHECK_WAIT_MS), WAIT_OBJECT_0,
             "D CreateThread: a thread is signalled at its end");
    CHECK_EQ(WaitForSingleObject(thread, 0), WAIT_OBJECT_0, "D CreateThread: and stays so");
    CloseHandle(thread);
    CloseHandle(pair.ask);
    CloseHandle(pair.answer);
}

static DWORD WINAPI take_one(void *event)
{
    return WaitForSingleObject(event, CHECK_WAIT_MS) == WAIT_OBJECT_0;
}

/* An auto-reset event releases one of those who wait, a manual-reset event all. */
static void releases(void)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL), threads[3];
    int i;

    for (i = 0; i < 3; i++) {
        threads[i] = CreateThread(NULL, 0, take_one, event, 0, NULL);
        REQUIRE(threads[i] != NULL);
    }
    SetEvent(event);
    CHECK(WaitForMultipleObjects(3, threads, FALSE, CHECK_WAIT_MS) < WAIT_OBJECT_0 + 3, "D SetEvent: one is released");
    CHECK_EQ(WaitForMultipleObjects(3, threads, TRUE, CHECK_QUIET_MS), WAIT_TIMEOUT, "D SetEvent: only one");
    for (i = 0; i < 2; i++) {
        int j, ended;
        ULONGLONG limit = GetTickCount64() + CHECK_WAIT_MS;

        SetEvent(event);
        do {
            for (j = ended = 0; j < 3; j++)
                ended += is_set(threads[j], 1);
        } while (ended < i + 2 && GetTickCount64() < limit);
        CHECK_EQ(ended, i + 2, "D SetEvent: one each time");
    }
    CHECK_EQ(WaitForMultipleObjects(3, threads, TRUE, CHECK_WAIT_MS), WAIT_OBJECT_0, "D SetEvent");
    for (i = 0; i < 3; i++)
        CloseHandle(threads[i]);
    CloseHandle(event);

    event = new_event();
    for (i = 0; i < 3; i++) {
        threads[i] = CreateThread(NULL, 0, take_one, event, 0, NULL);
        REQUIRE(threads[i] != NULL);
    }
    SetEvent(event);
    CHECK_EQ(WaitForMultipleObjects(3, threads, TRUE, CHECK_WAIT_MS), WAIT_OBJECT_0, "D SetEvent: all are released");
    for (i = 0; i < 3; i++)
        CloseHandle(threads[i]);
    CloseHandle(event);
}

static void wsa_flavour(void)
{
    WSAEVENT list[2];

    list[0] = WSACreateEvent();
    list[1] = WSACreateEvent();
    CHECK(list[0] != WSA_INVALID_EVENT && list[1] != WSA_INVALID_EVENT, "D WSACreateEvent");
    CHECK_EQ(WSAWaitForMultipleEvents(2, list, FALSE, 0, FALSE), WSA_WAIT_TIMEOUT, "D WSACreateEvent: not set");
    CHECK(WSASetEvent(list[1]), "D WSASetEvent");
    CHECK_EQ(WSAWaitForMultipleEvents(2, list, FALSE, CHECK_WAIT_MS, FALSE), WSA_WAIT_EVENT_0 + 1,
             "D WSAWaitForMultipleEvents");
    CHECK_EQ(WSAWaitForMultipleEvents(2, list, FALSE, 0, FALSE), WSA_WAIT_EVENT_0 + 1,
             "D WSACreateEvent: manual reset");
    CHECK_EQ(WSAWaitForMultipleEvents(2, list, TRUE, CHECK_QUIET_MS, FALSE), WSA_WAIT_TIMEOUT,
             "D WSAWaitForMultipleEvents: all");
    CHECK(SetEvent(list[0]), "D WSACreateEvent: an event like any other");
    CHECK_EQ(WSAWaitForMultipleEvents(2, list, TRUE, CHECK_WAIT_MS, FALSE), WSA_WAIT_EVENT_0,
             "D WSAWaitForMultipleEvents");
    CHECK(WSAResetEvent(list[1]), "D WSAResetEvent");
    CHECK(!is_set(list[1], 0), "D WSAResetEvent");
    CHECK(WSACloseEvent(list[0]) && WSACloseEvent(list[1]), "D WSACloseEvent");
    CHECK_FALSE(WSACloseEvent(list[0]), WSA_INVALID_HANDLE, "D WSACloseEvent");
    CHECK_FALSE(WSASetEvent(list[0]), WSA_INVALID_HANDLE, "D WSASetEvent");
    CHECK_FALSE(WSAResetEvent(list[0]), WSA_INVALID_HANDLE, "D WSAResetEvent");
    CHECK_CALL(WSAWaitForMultipleEvents(1, list, FALSE, 0, FALSE), WSA_WAIT_FAILED, WSA_INVALID_HANDLE,
               "D WSAWaitForMultipleEvents");
}

/* Waits for operations: whichever comes first. */
static void waits_for_operations(void)
{
    SOCKET client[2], server[2];
    OVERLAPPED ov[2];
    HANDLE events[2];
    WSABUF space;
    char buffer[2][16];
    DWORD flags = 0;
    int i;

    for (i = 0; i < 2; i++) {
        tcp_pair(&client[i], &server[i]);
        events[i] = new_event();
        ov_init(&ov[i], events[i]);
        space.buf = buffer[i];
        space.len = sizeof buffer[i];
        CHECK_WSA_PENDS(WSARecv(client[i], &space, 1, NULL, &flags, &ov[i], NULL), "D WSARecv");
    }
    CHECK_EQ(WSAWaitForMultipleEvents(2, events, FALSE, CHECK_QUIET_MS, FALSE), WSA_WAIT_TIMEOUT, "D WSARecv");
    CHECK_EQ(send(server[1], "1", 1, 0), 1, "setup");
    CHECK_EQ(WSAWaitForMultipleEvents(2, events, FALSE, CHECK_WAIT_MS, FALSE), WSA_WAIT_EVENT_0 + 1, "D WSARecv");
    CHECK_EQ(send(server[0], "1", 1, 0), 1, "setup");
    CHECK_EQ(WSAWaitForMultipleEvents(2, events, TRUE, CHECK_WAIT_MS, FALSE), WSA_WAIT_EVENT_0, "D WSARecv");
    for (i = 0; i < 2; i++) {
        close_both(client[i], server[i]);
        CloseHandle(events[i]);
    }
}

int main(void)
{
    check_begin("events_waits");
    manual_and_auto();
    time_limits();
    any_and_all();
    between_threads();
    releases();
    wsa_flavour();
    waits_for_operations();
    return check_end();
}
