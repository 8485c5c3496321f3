/*
 * named_objects.c - events, semaphores and mutexes that are found by their names.
 */
#include "check.h"

static const WCHAR WIDE_NAME[] = {'l', 'i', 'n', 's', 'o', 'c', 'k', '-', 0xe4, 0x20ac, 0};
#define NARROW_NAME "linsock-\xc3\xa4\xe2\x82\xac" /* the same in UTF-8 */
#define NAME "linsock-named-objects"
#define EXISTS(handle, source) check_existing(handle, ERROR_ALREADY_EXISTS, __LINE__, source)
#define CREATED(handle, source) check_existing(handle, ERROR_SUCCESS, __LINE__, source)
#define REFUSED(handle, error, source) check_refused(handle, error, __LINE__, source)

/* The last error is read when the handle is there. */
static HANDLE check_existing(HANDLE handle, DWORD expected, int line, const char *source)
{
    DWORD error = GetLastError();

    if (!CHECK(handle != NULL && error == expected, source))
        printf("    line %d: handle %p, last error %u\n", line, handle, (unsigned)error);
    return handle;
}

static void check_refused(HANDLE handle, DWORD expected, int line, const char *source)
{
    DWORD error = GetLastError();

    if (!CHECK(handle == NULL && error == expected, source))
        printf("    line %d: handle %p, last error %u\n", line, handle, (unsigned)error);
    if (handle != NULL)
        CloseHandle(handle);
}

static void one_object_behind_two_handles(void)
{
    HANDLE one, two, three;

    SetLastError(CHECK_UNSET);
    one = CREATED(CreateEventA(NULL, TRUE, FALSE, NAME), "D CreateEvent: a new one, no error");
    SetLastError(CHECK_UNSET);
    two = EXISTS(CreateEventA(NULL, FALSE, TRUE, NAME), "D CreateEvent: ERROR_ALREADY_EXISTS, and a handle");
    CHECK(one != two, "D CreateEvent: another handle");
    CHECK(!is_set(one, 0), "D CreateEvent: the initial state is ignored");
    SetEvent(two);
    CHECK(is_set(one, 0) && is_set(one, 0), "D CreateEvent: the same object, of manual reset as it was created");
    three = OpenEventA(EVENT_ALL_ACCESS, FALSE, NAME);
    CHECK(three != NULL && ResetEvent(three), "D OpenEvent");
    CHECK(!is_set(two, 0), "D OpenEvent: the same object");
    CloseHandle(one);
    CloseHandle(two);
    one = EXISTS(CreateEventA(NULL, TRUE, FALSE, NAME), "D CreateEvent: it lives until its last handle is closed");
    CloseHandle(three);
    CloseHandle(one);
    REFUSED(OpenEventA(EVENT_ALL_ACCESS, FALSE, NAME), ERROR_FILE_NOT_FOUND, "D OpenEvent: none of that name any more");
    one = CREATED(CreateEventA(NULL, FALSE, TRUE, NAME), "D CreateEvent: it lives until its last handle is closed");
    CHECK(is_set(one, 0) && !is_set(one, 0), "D CreateEvent: a new one, of auto reset");
    CloseHandle(one);
}

static void timers_have_names(void)
{
    LARGE_INTEGER due = { .QuadPart = 0 };
    HANDLE one, two, three, wide;

    one = CREATED(CreateWaitableTimerA(NULL, TRUE, NAME), "D CreateWaitableTimer: a new one, no error");
    two = EXISTS(CreateWaitableTimerExA(NULL, NAME, 0, TIMER_ALL_ACCESS), "D CreateWaitableTimerEx: ERROR_ALREADY_EXISTS, and a handle");
    three = OpenWaitableTimerA(TIMER_ALL_ACCESS, FALSE, NAME);
    CHECK(three != NULL && SetWaitableTimer(three, &due, 0, NULL, NULL, FALSE), "D OpenWaitableTimer");
    CHECK(is_set(one, CHECK_WAIT_MS) && is_set(two, 0), "D OpenWaitableTimer: the same object, of manual reset as it was created");
    REFUSED(CreateEventA(NULL, TRUE, FALSE, NAME), ERROR_INVALID_HANDLE, "D CreateEvent: the name of another kind of object");
    REFUSED(OpenMutexA(MUTEX_ALL_ACCESS, FALSE, NAME), ERROR_INVALID_HANDLE, "D CreateMutex: the name of another kind of object");
    wide = CREATED(CreateWaitableTimerW(NULL, FALSE, WIDE_NAME), "D CreateWaitableTimer");
    CloseHandle(EXISTS(CreateWaitableTimerExW(NULL, WIDE_NAME, 0, TIMER_ALL_ACCESS), "D CreateWaitableTimerEx"));
    CloseHandle(OpenWaitableTimerW(TIMER_ALL_ACCESS, FALSE, WIDE_NAME));
    CloseHandle(wide);
    CloseHandle(one);
    CloseHandle(two);
    CloseHandle(three);
    REFUSED(OpenWaitableTimerA(TIMER_ALL_ACCESS, FALSE, NAME), ERROR_FILE_NOT_FOUND, "D OpenWaitableTimer: none of that name any more");
    REFUSED(OpenWaitableTimerW(TIMER_ALL_ACCESS, FALSE, WIDE_NAME), ERROR_FILE_NOT_FOUND, "D OpenWaitableTimer: none of that name any more");
}

static void no_name(void)
{
    HANDLE one = CREATED(CreateEventA(NULL, TRUE, TRUE, ""), "choice: an empty name is none");
    HANDLE two = CREATED(CreateEventA(NULL, TRUE, FALSE, ""), "choice: an empty name is none");

    CHECK(is_set(one, 0) && !is_set(two, 0), "choice: an empty name is none");
    CloseHandle(one);
    CloseHandle(two);
    one = CREATED(CreateEventA(NULL, TRUE, TRUE, NULL), "D CreateEvent: NULL is no name");
    two = CREATED(CreateEventA(NULL, TRUE, FALSE, NULL), "D CreateEvent: NULL is no name");
    CHECK(is_set(one, 0) && !is_set(two, 0), "D CreateEvent: NULL is no name");
    CloseHandle(one);
    CloseHandle(two);
}

static void kinds_share_the_names(void)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NAME), mutex, semaphore;

    REFUSED(CreateMutexA(NULL, FALSE, NAME), ERROR_INVALID_HANDLE, "D CreateMutex: the name of another kind");
    REFUSED(CreateSemaphoreA(NULL, 0, 1, NAME), ERROR_INVALID_HANDLE, "D CreateSemaphore: the name of another kind");
    REFUSED(OpenMutexA(MUTEX_ALL_ACCESS, FALSE, NAME), ERROR_INVALID_HANDLE, "choice: as CreateMutex");
    REFUSED(OpenSemaphoreA(SEMAPHORE_ALL_ACCESS, FALSE, NAME), ERROR_INVALID_HANDLE, "choice: as CreateSemaphore");
    CloseHandle(event);
    mutex = CREATED(CreateMutexA(NULL, TRUE, NAME), "D CreateMutex");
    REFUSED(CreateEventA(NULL, FALSE, FALSE, NAME), ERROR_INVALID_HANDLE, "D CreateEvent: the name of another kind");
    CloseHandle(mutex);
    semaphore = CREATED(CreateSemaphoreA(NULL, 1, 3, NAME), "D CreateSemaphore");
    REFUSED(OpenEventA(EVENT_ALL_ACCESS, FALSE, NAME), ERROR_INVALID_HANDLE, "choice: as CreateEvent");
    CloseHandle(semaphore);
}

static DWORD WINAPI try_mutex(void *unused)
{
    HANDLE mutex = EXISTS(CreateMutexA(NULL, TRUE, NAME), "D CreateMutex: ERROR_ALREADY_EXISTS");
    DWORD waited = WaitForSingleObject(mutex, 0);

    (void)unused;
    if (waited == WAIT_OBJECT_0)
        ReleaseMutex(mutex);
    CloseHandle(mutex);
    return waited;
}

static DWORD other_thread(LPTHREAD_START_ROUTINE function)
{
    HANDLE thread = CreateThread(NULL, 0, function, NULL, 0, NULL);
    DWORD code = CHECK_UNSET;

    REQUIRE(thread != NULL);
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    GetExitCodeThread(thread, &code);
    CloseHandle(thread);
    return code;
}

static void mutexes_and_semaphores(void)
{
    HANDLE mutex = CREATED(CreateMutexA(NULL, TRUE, NAME), "D CreateMutex"), again, semaphore;
    LONG before = -1;

    CHECK_EQ(other_thread(try_mutex), WAIT_TIMEOUT, "D CreateMutex: the initial owner of one that exists is ignored");
    again = OpenMutexW(MUTEX_ALL_ACCESS, FALSE, u"" NAME);
    CHECK(again != NULL && ReleaseMutex(again), "D OpenMutex: the same object, which the thread owns");
    CHECK(!ReleaseMutex(mutex), "D OpenMutex: the same object");
    CHECK_EQ(other_thread(try_mutex), WAIT_OBJECT_0, "D ReleaseMutex");
    CloseHandle(again);
    CloseHandle(mutex);

    semaphore = CREATED(CreateSemaphoreW(NULL, 1, 3, u"" NAME), "D CreateSemaphore");
    again = EXISTS(CreateSemaphoreA(NULL, 0, 1, NAME), "D CreateSemaphore: counts of one that exists are ignored");
    CHECK(ReleaseSemaphore(again, 2, &before) && before == 1, "D CreateSemaphore: the same object");
    CHECK(!ReleaseSemaphore(semaphore, 1, NULL), "D ReleaseSemaphore: beyond the maximum");
    CloseHandle(again);
    again = EXISTS(CreateSemaphoreA(NULL, -1, 0, NAME), "D CreateSemaphore: counts of one that exists are ignored");
    CloseHandle(again);
    CloseHandle(semaphore);
    REFUSED(CreateSemaphoreA(NULL, 2, 1, NAME), ERROR_INVALID_PARAMETER, "D CreateSemaphore");
    REFUSED(OpenSemaphoreW(SEMAPHORE_ALL_ACCESS, FALSE, u"" NAME), ERROR_FILE_NOT_FOUND,
            "D CreateSemaphore: what is refused has no name");
}

static void wide_and_narrow(void)
{
    HANDLE one = CREATED(CreateEventW(NULL, TRUE, TRUE, WIDE_NAME), "D CreateEventW"), two;

    two = EXISTS(CreateEventA(NULL, TRUE, FALSE, NARROW_NAME), "choice: the A form's names are UTF-8");
    CHECK(is_set(two, 0), "choice: the A form's names are UTF-8");
    CloseHandle(two);
    two = CREATED(CreateEventA(NULL, TRUE, FALSE, "Linsock-\xc3\xa4\xe2\x82\xac"), "D CreateEvent: case matters");
    CloseHandle(two);
    two = EXISTS(CreateEventA(NULL, TRUE, FALSE, "Local\\" NARROW_NAME), "D CreateEvent: the session's names");
    CloseHandle(two);
    two = CREATED(CreateEventA(NULL, TRUE, FALSE, "Global\\" NARROW_NAME), "D CreateEvent: the global names");
    CloseHandle(two);
    CloseHandle(one);
}

static void flags(void)
{
    HANDLE event = CREATED(CreateEventExA(NULL, NAME, CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET,
                                          EVENT_ALL_ACCESS), "D CreateEventEx");
    HANDLE again = EXISTS(CreateEventExW(NULL, u"" NAME, 0, EVENT_ALL_ACCESS), "D CreateEventEx"), mutex, semaphore;

    CHECK(is_set(again, 0) && is_set(event, 0), "D CreateEventEx: manual reset, set");
    CloseHandle(again);
    CloseHandle(event);
    event = CreateEventExA(NULL, NULL, CREATE_EVENT_INITIAL_SET, EVENT_ALL_ACCESS);
    CHECK(is_set(event, 0) && !is_set(event, 0), "D CreateEventEx: auto reset, set");
    CloseHandle(event);
    event = CreateEventExW(NULL, NULL, 0, EVENT_ALL_ACCESS);
    CHECK(event != NULL && !is_set(event, 0), "D CreateEventEx: not set");
    CloseHandle(event);
    REFUSED(CreateEventExA(NULL, NULL, 4, EVENT_ALL_ACCESS), ERROR_INVALID_PARAMETER, "choice: unknown flags");
    mutex = CREATED(CreateMutexExA(NULL, NAME, CREATE_MUTEX_INITIAL_OWNER, MUTEX_ALL_ACCESS), "D CreateMutexEx");
    CHECK_EQ(other_thread(try_mutex), WAIT_TIMEOUT, "D CreateMutexEx: the creator owns it");
    CloseHandle(mutex);
    mutex = CREATED(CreateMutexExW(NULL, u"" NAME, 0, MUTEX_ALL_ACCESS), "D CreateMutexEx");
    CHECK_EQ(other_thread(try_mutex), WAIT_OBJECT_0, "D CreateMutexEx: nobody owns it");
    CloseHandle(mutex);
    REFUSED(CreateMutexExW(NULL, NULL, 2, MUTEX_ALL_ACCESS), ERROR_INVALID_PARAMETER, "choice: unknown flags");
    semaphore = CREATED(CreateSemaphoreExA(NULL, 1, 1, NAME, 0, SEMAPHORE_ALL_ACCESS), "D CreateSemaphoreEx");
    again = EXISTS(CreateSemaphoreExW(NULL, 1, 1, u"" NAME, 0, SEMAPHORE_ALL_ACCESS), "D CreateSemaphoreEx");
    CHECK(is_set(again, 0) && !is_set(semaphore, 0), "D CreateSemaphoreEx: the same object");
    CloseHandle(again);
    CloseHandle(semaphore);
    REFUSED(CreateSemaphoreExA(NULL, 1, 1, NULL, 1, SEMAPHORE_ALL_ACCESS), ERROR_INVALID_PARAMETER,
            "choice: the flags are reserved");
}

static void bad_names(void)
{
    char name[300];

    memset(name, 'x', sizeof name);
    name[261] = 0;
    REFUSED(CreateEventA(NULL, TRUE, TRUE, name), ERROR_FILENAME_EXCED_RANGE, "choice: the page names no error");
    name[260] = 0;
    CloseHandle(CREATED(CreateEventA(NULL, TRUE, TRUE, name), "D CreateEvent: at most MAX_PATH characters"));
    REFUSED(CreateEventA(NULL, TRUE, TRUE, "a\\b"), ERROR_PATH_NOT_FOUND, "choice: the page names no error");
    REFUSED(OpenEventA(EVENT_ALL_ACCESS, FALSE, NULL), ERROR_INVALID_PARAMETER, "choice: the page names no error");
#ifndef __MINGW32__
    REFUSED(CreateEventA(NULL, TRUE, TRUE, (LPCSTR)16), ERROR_NOACCESS, "choice: an error, and no crash");
    REFUSED(CreateMutexW(NULL, TRUE, (LPCWSTR)16), ERROR_NOACCESS, "choice: an error, and no crash");
#endif
}

/* A duplicate is a handle like any other; so is one that a wait holds no more. */
static void every_handle_counts(void)
{
    HANDLE one = CreateEventA(NULL, TRUE, FALSE, NAME), copy = NULL, found;

    CHECK(DuplicateHandle(GetCurrentProcess(), one, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS),
          "D DuplicateHandle");
    CloseHandle(one);
    found = OpenEventA(EVENT_ALL_ACCESS, FALSE, NAME);
    CHECK(found != NULL, "D CreateEvent: it lives until its last handle is closed");
    CloseHandle(found);
    CHECK(WSACloseEvent(copy), "D WSACloseEvent: as CloseHandle");
    REFUSED(OpenEventA(EVENT_ALL_ACCESS, FALSE, NAME), ERROR_FILE_NOT_FOUND, "D CreateEvent: the last handle is closed");
    CHECK(!CloseHandle(copy), "D CloseHandle");
}

static HANDLE waits;

static DWORD WINAPI wait_for_named(void *event)
{
    SetEvent(waits);
    return WaitForSingleObject(event, 100);
}

static void a_wait_keeps_no_name(void)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NAME), thread;

    waits = new_event();
    thread = CreateThread(NULL, 0, wait_for_named, event, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK(is_set(waits, CHECK_WAIT_MS), "setup");
    CloseHandle(event);
    REFUSED(OpenEventA(EVENT_ALL_ACCESS, FALSE, NAME), ERROR_FILE_NOT_FOUND, "D CreateEvent: the last handle is closed");
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    CloseHandle(thread);
    CloseHandle(waits);
}

static volatile LONG guarded, created;

/* The threads meet at one mutex by its name alone, and whoever comes first makes it. */
static DWORD WINAPI meet(void *unused)
{
    DWORD wrong = 0;
    int round;

    (void)unused;
    for (round = 0; round < 500; round++) {
        HANDLE mutex = CreateMutexA(NULL, FALSE, NAME "-meeting");

        if (mutex == NULL)
            return 10000;
        if (GetLastError() == ERROR_SUCCESS)
            InterlockedIncrement(&created);
        wrong += WaitForSingleObject(mutex, CHECK_WAIT_MS) != WAIT_OBJECT_0;
        wrong += InterlockedIncrement(&guarded) != 1;
        InterlockedDecrement(&guarded);
        wrong += !ReleaseMutex(mutex);
        CloseHandle(mutex);
    }
    return wrong;
}

static void threads_at_once(void)
{
    HANDLE threads[4];
    int i;

    for (i = 0; i < 4; i++) {
        threads[i] = CreateThread(NULL, 0, meet, NULL, 0, NULL);
        REQUIRE(threads[i] != NULL);
    }
    CHECK_EQ(WaitForMultipleObjects(4, threads, TRUE, 20000), WAIT_OBJECT_0, "setup");
    for (i = 0; i < 4; i++) {
        DWORD wrong = CHECK_UNSET;

        GetExitCodeThread(threads[i], &wrong);
        CHECK_EQ(wrong, 0, "D CreateMutex: one object has the name at any time");
        CloseHandle(threads[i]);
    }
    CHECK(created >= 1, "D CreateMutex");
    REFUSED(OpenMutexA(MUTEX_ALL_ACCESS, FALSE, NAME "-meeting"), ERROR_FILE_NOT_FOUND, "D CreateMutex: all closed");
}

int main(void)
{
    check_begin("named_objects");
    one_object_behind_two_handles();
    timers_have_names();
    no_name();
    kinds_share_the_names();
    mutexes_and_semaphores();
    wide_and_narrow();
    flags();
    bad_names();
    every_handle_counts();
    a_wait_keeps_no_name();
    threads_at_once();
    return check_end();
}
