/*
 * file_locks.c - LockFile and its kin: ranges of a file that one handle has.
 */
#include "check.h"

#define TAKEN(call, source) CHECK_FALSE(call, ERROR_LOCK_VIOLATION, source)

static char path[MAX_PATH + 64];

static HANDLE open_with(DWORD access, DWORD flags)
{
    HANDLE file = CreateFileA(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, flags, NULL);

    REQUIRE(file != INVALID_HANDLE_VALUE);
    return file;
}

static HANDLE open_file(void)
{
    return open_with(GENERIC_READ | GENERIC_WRITE, FILE_ATTRIBUTE_NORMAL);
}

/* LockFileEx and UnlockFileEx at a place. */
static BOOL lock_at(HANDLE file, DWORD flags, DWORD place, DWORD length)
{
    OVERLAPPED ov;

    ov_init(&ov, NULL);
    ov.Offset = place;
    return LockFileEx(file, flags, 0, length, 0, &ov);
}

static BOOL unlock_at(HANDLE file, DWORD place, DWORD length)
{
    OVERLAPPED ov;

    ov_init(&ov, NULL);
    ov.Offset = place;
    return UnlockFileEx(file, 0, length, 0, &ov);
}

static const DWORD now = LOCKFILE_FAIL_IMMEDIATELY, alone = LOCKFILE_EXCLUSIVE_LOCK;

static void exclusive_locks(void)
{
    HANDLE a = open_file(), b = open_file();

    CHECK(LockFile(a, 100, 0, 10, 0), "D LockFile: also beyond the end of the file");
    TAKEN(LockFile(b, 105, 0, 10, 0), "D LockFile: exclusive");
    TAKEN(LockFile(b, 0, 0, 0xffffffff, 0xffffffff), "D LockFile: exclusive");
    TAKEN(LockFile(a, 100, 0, 10, 0), "D LockFileEx: an exclusive lock cannot overlap another, also of the same handle");
    TAKEN(lock_at(a, now, 109, 1), "D LockFileEx: nor a shared one");
    CHECK(LockFile(b, 110, 0, 10, 0) && LockFile(b, 90, 0, 10, 0), "D LockFile: side by side");
    CHECK_FALSE(UnlockFile(b, 100, 0, 10, 0), ERROR_NOT_LOCKED, "D UnlockFile: a region that this handle has locked");
    CHECK_FALSE(UnlockFile(a, 100, 0, 5, 0), ERROR_NOT_LOCKED, "D UnlockFile: exactly as it was locked");
    CHECK(UnlockFile(a, 100, 0, 10, 0), "D UnlockFile");
    CHECK_FALSE(UnlockFile(a, 100, 0, 10, 0), ERROR_NOT_LOCKED, "D UnlockFile");
    CHECK(LockFile(b, 100, 0, 10, 0), "D UnlockFile");
    CHECK_FALSE(UnlockFile(b, 90, 0, 30, 0), ERROR_NOT_LOCKED, "D UnlockFile: adjacent regions are unlocked separately");
    CHECK(UnlockFile(b, 100, 0, 10, 0), "D UnlockFile: adjacent regions are unlocked separately");
    CHECK(LockFile(a, 100, 0, 10, 0), "D UnlockFile");
    TAKEN(LockFile(a, 99, 0, 1, 0), "D UnlockFile: the others are locked still");
    CloseHandle(b);
    CHECK(LockFile(a, 90, 0, 10, 0), "D LockFile: unlocked when the handle is closed");
    CloseHandle(a);
}

static void shared_locks(void)
{
    HANDLE a = open_file(), b = open_file();

    CHECK(lock_at(a, now, 0, 100) && lock_at(b, now, 50, 100), "D LockFileEx: shared locks may overlap");
    TAKEN(lock_at(b, now | alone, 0, 10), "D LockFileEx: an exclusive lock and a shared one may not");
    TAKEN(lock_at(a, now | alone, 0, 10), "D LockFileEx: also of the same handle");
    CHECK(lock_at(a, now, 20, 10), "D LockFileEx: shared locks may overlap");
    CHECK(unlock_at(a, 0, 100), "D UnlockFileEx");
    CHECK(lock_at(b, now | alone, 0, 20) && lock_at(b, now | alone, 30, 20), "D UnlockFileEx: what nobody has any more");
    TAKEN(lock_at(b, now | alone, 25, 1), "choice: the lock within it is locked still");
    CHECK_FALSE(unlock_at(a, 0, 100), ERROR_NOT_LOCKED, "D UnlockFileEx");
    CHECK(unlock_at(a, 20, 10), "D UnlockFileEx");
    CHECK(lock_at(b, now | alone, 20, 10), "D UnlockFileEx");
    CloseHandle(a);
    CloseHandle(b);
}

static void large_ranges(void)
{
    HANDLE a = open_file(), b = open_file();

    CHECK(LockFile(a, 0, 0, 0xffffffff, 0xffffffff), "D LockFile: 64 bits");
    TAKEN(LockFile(b, 0, 0x40000000, 1, 0), "D LockFile: 64 bits");
    CHECK(UnlockFile(a, 0, 0, 0xffffffff, 0xffffffff), "D UnlockFile: 64 bits");
    CHECK(LockFile(b, 0, 0x40000000, 1, 0), "D LockFile: 64 bits");
    CHECK(LockFile(a, 0, 0, 1, 0), "D LockFile: the low and the high halves");
    CHECK(LockFile(a, 5, 0, 0, 0) && LockFile(b, 5, 0, 1, 0), "choice: no octets are in nobody's way");
    CHECK(UnlockFile(a, 5, 0, 0, 0), "choice: no octets are in nobody's way");
#ifndef __MINGW32__
    CHECK_FALSE(LockFile(a, 0, 0x80000000, 1, 0), ERROR_INVALID_PARAMETER, "choice: the kernel's files end there");
#endif
    CloseHandle(a);
    CloseHandle(b);
}

static void refusals(void)
{
    HANDLE file = open_file(), read_only = open_with(GENERIC_READ, FILE_ATTRIBUTE_NORMAL), event = new_event();
    OVERLAPPED ov;

    ov_init(&ov, NULL);
    CHECK_FALSE(LockFile(event, 0, 0, 1, 0), ERROR_INVALID_HANDLE, "D LockFile: a file");
    CHECK_FALSE(UnlockFile(NULL, 0, 0, 1, 0), ERROR_INVALID_HANDLE, "D UnlockFile: a file");
    CHECK_FALSE(LockFileEx(file, now, 1, 1, 0, &ov), ERROR_INVALID_PARAMETER, "D LockFileEx: dwReserved must be zero");
    CHECK_FALSE(UnlockFileEx(file, 1, 1, 0, &ov), ERROR_INVALID_PARAMETER, "D UnlockFileEx: dwReserved must be zero");
    CHECK(lock_at(read_only, now, 0, 1), "D LockFileEx: GENERIC_READ will do");
#ifndef __MINGW32__
    CHECK_FALSE(LockFileEx(file, 4, 0, 1, 0, &ov), ERROR_INVALID_PARAMETER, "choice: unknown flags");
    CHECK_FALSE(LockFile(read_only, 5, 0, 1, 0), ERROR_ACCESS_DENIED, "choice: the kernel wants one that can be written");
    CHECK(LockFile(file, 5, 0, 1, 0), "choice: what was refused has left nothing");
    CHECK_FALSE(LockFileEx(file, now, 0, 1, 0, NULL), ERROR_NOACCESS, "choice: an error, and no crash");
    CHECK_FALSE(UnlockFileEx(file, 0, 1, 0, (OVERLAPPED *)16), ERROR_NOACCESS, "choice: an error, and no crash");
#endif
    CloseHandle(file);
    CloseHandle(read_only);
    CloseHandle(event);
}

/* What an operation with an OVERLAPPED tells of its end. */
static void completions(void)
{
    HANDLE file = open_with(GENERIC_READ | GENERIC_WRITE, FILE_FLAG_OVERLAPPED), event = new_event(), port = new_port();
    OVERLAPPED ov;
    DWORD octets;

    ov_init(&ov, event);
    CHECK(LockFileEx(file, now | alone, 0, 1, 0, &ov), "D LockFileEx");
    CHECK(is_set(event, 0), "D LockFileEx: hEvent is signaled");
    CHECK(GetOverlappedResult(file, &ov, &octets, FALSE), "D GetOverlappedResult");
    associate((SOCKET)file, port, 7);
    ov_init(&ov, NULL);
    CHECK(UnlockFileEx(file, 0, 1, 0, &ov), "D UnlockFileEx");
    CHECK_PACKET(port, 7, &ov, 0, 0, "D UnlockFileEx: a packet on the port");
    CHECK_FALSE(UnlockFileEx(file, 0, 1, 0, &ov), ERROR_NOT_LOCKED, "D UnlockFileEx");
    CHECK(no_packet(port), "choice: what was refused tells nobody");
    CloseHandle(file);
    CloseHandle(event);
    CloseHandle(port);
}

struct waiter {
    HANDLE file, about_to;
    volatile LONG has_it;
};

static DWORD WINAPI wait_for_it(void *argument)
{
    struct waiter *waiter = argument;

    SetEvent(waiter->about_to);
    CHECK(lock_at(waiter->file, alone, 0, 10), "D LockFileEx: waits");
    InterlockedExchange(&waiter->has_it, 1);
    CHECK(unlock_at(waiter->file, 0, 10), "D UnlockFileEx");
    return 0;
}

/* Somebody waits for a range that another handle, or his own, has. */
static void waits(BOOL for_own, BOOL by_close)
{
    HANDLE a = open_file(), thread;
    struct waiter waiter = {for_own ? a : open_file(), new_event(), 0};

    CHECK(LockFile(a, 5, 0, 1, 0), "D LockFile");
    thread = CreateThread(NULL, 0, wait_for_it, &waiter, 0, NULL);
    REQUIRE(thread != NULL && is_set(waiter.about_to, CHECK_WAIT_MS));
    CHECK(!is_set(thread, CHECK_QUIET_MS), "D LockFileEx: waits until the lock is granted");
    CHECK_EQ(waiter.has_it, 0, "D LockFileEx");
    if (by_close)
        CloseHandle(a);
    else
        CHECK(UnlockFile(a, 5, 0, 1, 0), "D UnlockFile");
    CHECK(is_set(thread, CHECK_WAIT_MS), "D LockFileEx: granted");
    CHECK_EQ(waiter.has_it, 1, "D LockFileEx: granted");
    CloseHandle(thread);
    CloseHandle(waiter.about_to);
    if (!by_close)
        CloseHandle(a);
    if (!for_own)
        CloseHandle(waiter.file);
}

#ifndef __MINGW32__
static DWORD WINAPI wait_in_vain(void *argument)
{
    struct waiter *waiter = argument;

    SetEvent(waiter->about_to);
    CHECK_FALSE(lock_at(waiter->file, alone, 0, 10), ERROR_INVALID_HANDLE, "choice: the handle is closed meanwhile");
    return 0;
}

static void closed_meanwhile(void)
{
    HANDLE a = open_file(), thread;
    struct waiter waiter = {open_file(), new_event(), 0};

    CHECK(LockFile(a, 5, 0, 1, 0), "D LockFile");
    thread = CreateThread(NULL, 0, wait_in_vain, &waiter, 0, NULL);
    REQUIRE(thread != NULL && is_set(waiter.about_to, CHECK_WAIT_MS));
    CHECK(!is_set(thread, CHECK_QUIET_MS), "D LockFileEx: waits");
    CloseHandle(waiter.file);
    CHECK(is_set(thread, CHECK_WAIT_MS), "choice: the handle is closed meanwhile");
    CloseHandle(thread);
    CloseHandle(waiter.about_to);
    CloseHandle(a);
}
#endif

enum { THREADS = 4, ROUNDS = 200 };

static volatile LONG inside, broken;

static DWORD WINAPI take_turns(void *file)
{
    int round;

    for (round = 0; round < ROUNDS; round++) {
        if (!lock_at(file, alone, 0, 10))
            InterlockedIncrement(&broken);
        if (InterlockedIncrement(&inside) != 1)
            InterlockedIncrement(&broken);
        SwitchToThread();
        InterlockedDecrement(&inside);
        if (!unlock_at(file, 0, 10))
            InterlockedIncrement(&broken);
    }
    return 0;
}

/* Two threads with one handle, and two with another. */
static void turns(void)
{
    HANDLE files[2] = {open_file(), open_file()}, threads[THREADS];
    int i;

    for (i = 0; i < THREADS; i++) {
        threads[i] = CreateThread(NULL, 0, take_turns, files[i % 2], 0, NULL);
        REQUIRE(threads[i] != NULL);
    }
    CHECK_EQ(WaitForMultipleObjects(THREADS, threads, TRUE, 30000), WAIT_OBJECT_0, "D LockFileEx: everybody's turn comes");
    CHECK_EQ(broken, 0, "D LockFileEx: an exclusive lock is one's alone");
    for (i = 0; i < THREADS; i++)
        CloseHandle(threads[i]);
    CloseHandle(files[0]);
    CloseHandle(files[1]);
}

int main(void)
{
    char temp[MAX_PATH];

    check_begin("file_locks");
    REQUIRE(GetTempPathA(sizeof temp, temp) > 0 && strlen(temp) < MAX_PATH - 60);
    snprintf(path, sizeof path, "%slinsock locks %lu", temp, (unsigned long)GetCurrentProcessId());
    exclusive_locks();
    shared_locks();
    large_ranges();
    refusals();
    completions();
    waits(FALSE, FALSE);
    waits(FALSE, TRUE);
    waits(TRUE, FALSE);
#ifndef __MINGW32__
    closed_meanwhile();
#endif
    turns();
    CHECK(DeleteFileA(path), "setup");
    return check_end();
}
