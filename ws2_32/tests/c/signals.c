/* WaitOnAddress and its wakes; PulseEvent, SignalObjectAndWait, GetHandleInformation, SetHandleInformation. */
#include "check.h"

#define WAIT "D WaitOnAddress"

static void at_once(void)
{
    static const SIZE_T sizes[] = { 1, 2, 4, 8 };
    DECLSPEC_ALIGN(8) unsigned char value[16] = "abcdefgh";
    unsigned char other[8], same[8];
    unsigned i;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memcpy(same, value, 8);
        memcpy(other, value, 8);
        other[sizes[i] - 1] ^= 1;
        CHECK(WaitOnAddress(value, other, sizes[i], INFINITE), WAIT ": another value already");
        CHECK_FAIL(WaitOnAddress(value, same, sizes[i], 1) ? 0 : SOCKET_ERROR, ERROR_TIMEOUT, WAIT);
        CHECK_FAIL(WaitOnAddress(value, same, sizes[i], 0) ? 0 : SOCKET_ERROR, ERROR_TIMEOUT, WAIT);
        if (sizes[i] < 8) {
            same[sizes[i]] ^= 1;
            CHECK_FAIL(WaitOnAddress(value, same, sizes[i], 0) ? 0 : SOCKET_ERROR, ERROR_TIMEOUT, WAIT ": only AddressSize octets");
        }
    }
    CHECK_FAIL(WaitOnAddress(value, same, 3, 0) ? 0 : SOCKET_ERROR, ERROR_INVALID_PARAMETER, WAIT ": 1, 2, 4 or 8");
    CHECK_FAIL(WaitOnAddress(value, same, 16, 0) ? 0 : SOCKET_ERROR, ERROR_INVALID_PARAMETER, WAIT ": 1, 2, 4 or 8");
    CHECK_FAIL(WaitOnAddress(value + 1, same, 4, 0) ? 0 : SOCKET_ERROR, ERROR_INVALID_PARAMETER, "choice: aligned");
    CHECK_FAIL(WaitOnAddress((void *)16, same, 4, 0) ? 0 : SOCKET_ERROR, ERROR_NOACCESS, "choice: no crash");
    CHECK_FAIL(WaitOnAddress(value, (void *)16, 4, 0) ? 0 : SOCKET_ERROR, ERROR_NOACCESS, "choice: no crash");
    WakeByAddressSingle(value);
    WakeByAddressAll(NULL);
}

enum { ROUNDS = 2000, THREADS = 4 };
static volatile LONG ball, gate, through;

static DWORD WINAPI player(LPVOID argument)
{
    LONG own = *(LONG *)argument;
    int i;

    for (i = 0; i < ROUNDS; i++) {
        LONG other = !own;

        while (InterlockedCompareExchange(&ball, ball, ball) != own)
            WaitOnAddress(&ball, &other, sizeof ball, INFINITE);
        InterlockedExchange(&ball, other);
        WakeByAddressSingle((PVOID)(ULONG_PTR)&ball);
    }
    return 0;
}

static DWORD WINAPI at_the_gate(LPVOID unused)
{
    LONG closed = 0;

    (void)unused;
    while (InterlockedCompareExchange(&gate, 0, 0) == 0)
        CHECK(WaitOnAddress(&gate, &closed, sizeof gate, INFINITE), WAIT);
    InterlockedIncrement(&through);
    return 0;
}

static void threads(void)
{
    LONG sides[2] = { 0, 1 };
    HANDLE both[2], all[THREADS];
    int i;

    for (i = 0; i < 2; i++)
        both[i] = CreateThread(NULL, 0, player, &sides[i], 0, NULL);
    CHECK_EQ(WaitForMultipleObjects(2, both, TRUE, CHECK_WAIT_MS), WAIT_OBJECT_0, "D WakeByAddressSingle: no wake-up is lost");
    for (i = 0; i < THREADS; i++)
        all[i] = CreateThread(NULL, 0, at_the_gate, NULL, 0, NULL);
    InterlockedExchange(&gate, 1);
    WakeByAddressAll((PVOID)(ULONG_PTR)&gate);
    CHECK_EQ(WaitForMultipleObjects(THREADS, all, TRUE, CHECK_WAIT_MS), WAIT_OBJECT_0, "D WakeByAddressAll");
    CHECK_EQ(through, THREADS, "D WakeByAddressAll");
    for (i = 0; i < 2; i++)
        CloseHandle(both[i]);
    for (i = 0; i < THREADS; i++)
        CloseHandle(all[i]);
}

static DWORD WINAPI wait_for(LPVOID event)
{
    return WaitForSingleObject(event, CHECK_WAIT_MS);
}

static void pulses(void)
{
    int manual;

    for (manual = 0; manual < 2; manual++) {
        HANDLE event = CreateEvent(NULL, manual, FALSE, NULL), thread;
        DWORD code = 77;

        CHECK(PulseEvent(event), "D PulseEvent");
        CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT, "D PulseEvent: nobody waited, and no signal is left");
        thread = CreateThread(NULL, 0, wait_for, event, 0, NULL);
        while (WaitForSingleObject(thread, 0) == WAIT_TIMEOUT)
            PulseEvent(event);
        CHECK(GetExitCodeThread(thread, &code) && code == WAIT_OBJECT_0, "D PulseEvent");
        CloseHandle(thread);
        CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT, "D PulseEvent");
        CloseHandle(event);
    }
    CHECK_FAIL(PulseEvent(NULL) ? 0 : SOCKET_ERROR, ERROR_INVALID_HANDLE, "D PulseEvent");
}

static void signal_and_wait(void)
{
    HANDLE event = new_event(), full = CreateSemaphore(NULL, 1, 1, NULL), semaphore = CreateSemaphore(NULL, 0, 1, NULL);
    HANDLE mutex = CreateMutex(NULL, FALSE, NULL), port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);

    CHECK_EQ(SignalObjectAndWait(event, event, 0, FALSE), WAIT_OBJECT_0, "D SignalObjectAndWait");
    CHECK_EQ(SignalObjectAndWait(semaphore, semaphore, 0, FALSE), WAIT_OBJECT_0, "D SignalObjectAndWait");
    CHECK_EQ(SignalObjectAndWait(semaphore, mutex, 0, FALSE), WAIT_OBJECT_0, "D SignalObjectAndWait");
    CHECK_EQ(SignalObjectAndWait(mutex, semaphore, 0, FALSE), WAIT_OBJECT_0, "D SignalObjectAndWait");
    CHECK_EQ(SignalObjectAndWait(event, semaphore, 0, FALSE), WAIT_TIMEOUT, "D SignalObjectAndWait");
    CHECK_FAIL((int)SignalObjectAndWait(mutex, semaphore, 0, FALSE), ERROR_NOT_OWNER, "D SignalObjectAndWait");
    CHECK_FAIL((int)SignalObjectAndWait(full, semaphore, 0, FALSE), ERROR_TOO_MANY_POSTS, "D SignalObjectAndWait");
    CHECK_FAIL((int)SignalObjectAndWait(GetCurrentThread(), semaphore, 0, FALSE), ERROR_INVALID_HANDLE, "D SignalObjectAndWait");
    ResetEvent(event);
    CHECK_FAIL((int)SignalObjectAndWait(event, port, 0, FALSE), ERROR_INVALID_HANDLE, "choice: refused, and nothing is signaled");
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT, "choice: refused, and nothing is signaled");
    CloseHandle(event);
    CloseHandle(full);
    CloseHandle(semaphore);
    CloseHandle(mutex);
    CloseHandle(port);
}

static void flags(void)
{
    SOCKET s = tcp_socket(), own = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_NO_HANDLE_INHERIT);
    HANDLE event = new_event();
    DWORD told = 77;

    CHECK(GetHandleInformation((HANDLE)own, &told) && told == 0, "D WSASocketW: WSA_FLAG_NO_HANDLE_INHERIT");
    closesocket(own);

    CHECK(GetHandleInformation((HANDLE)s, &told) && told == HANDLE_FLAG_INHERIT, "D WSASocketW: inheritable by default");
    CHECK(SetHandleInformation((HANDLE)s, HANDLE_FLAG_INHERIT, 0), "D SetHandleInformation");
    CHECK(GetHandleInformation((HANDLE)s, &told) && told == 0, "D GetHandleInformation");
    CHECK(SetHandleInformation((HANDLE)s, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT), "D SetHandleInformation");
    CHECK(GetHandleInformation((HANDLE)s, &told) && told == HANDLE_FLAG_INHERIT, "D GetHandleInformation");
    CHECK_FAIL(SetHandleInformation(event, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) ? 0 : SOCKET_ERROR, ERROR_NOT_SUPPORTED,
               "choice: events are not inherited");
    CloseHandle(event);
    CHECK_FAIL(SetHandleInformation((HANDLE)s, 8, 0) ? 0 : SOCKET_ERROR, ERROR_INVALID_PARAMETER, "D SetHandleInformation");
    CHECK_FAIL(GetHandleInformation((HANDLE)s, (DWORD *)16) ? 0 : SOCKET_ERROR, ERROR_NOACCESS, "choice: no crash");
    closesocket(s);
    CHECK_FAIL(GetHandleInformation((HANDLE)s, &told) ? 0 : SOCKET_ERROR, ERROR_INVALID_HANDLE, "D GetHandleInformation");
    CHECK_FAIL(SetHandleInformation((HANDLE)s, 1, 0) ? 0 : SOCKET_ERROR, ERROR_INVALID_HANDLE, "D SetHandleInformation");
}

int main(void)
{
    check_begin("signals");
    at_once();
    threads();
    pulses();
    signal_and_wait();
    flags();
    return check_end();
}
