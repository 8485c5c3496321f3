/*
 * pages.c - memory by pages: VirtualAlloc and its family.
 */
#include "check.h"

enum { KB = 1024 };

static SIZE_T page(void)
{
    SYSTEM_INFO info;

    GetSystemInfo(&info);
    return info.dwPageSize;
}

#define REFUSED(call, error, source) do { \
        SetLastError(CHECK_UNSET); \
        CHECK(!(call), source); \
        CHECK_EQ(GetLastError(), error, source); \
    } while (0)

static BOOL is_zero(const char *p, SIZE_T n)
{
    while (n > 0 && *p == 0)
        n--, p++;
    return n == 0;
}

static void at_once(void)
{
    char *p = VirtualAlloc(NULL, 100 * KB, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE), *q;

    REQUIRE(p != NULL);
    CHECK_EQ((ULONG_PTR)p % (64 * KB), 0, "D GetSystemInfo: dwAllocationGranularity");
    CHECK(is_zero(p, 100 * KB), "D VirtualAlloc: zero");
    memset(p, 1, 100 * KB);
    CHECK(VirtualFree(p, 0, MEM_RELEASE), "D VirtualFree");
    REFUSED(VirtualFree(p, 0, MEM_RELEASE), ERROR_INVALID_ADDRESS, "choice: the page names no error");
    q = VirtualAlloc(NULL, 1, MEM_COMMIT, PAGE_READWRITE);
    CHECK(q != NULL, "D VirtualAlloc: MEM_COMMIT without an address reserves");
    q[page() - 1] = 1;
    CHECK(VirtualFree(q, 0, MEM_RELEASE), "D VirtualFree");
}

static void step_by_step(void)
{
    SIZE_T size = page();
    char *p = VirtualAlloc(NULL, 1024 * KB, MEM_RESERVE, PAGE_NOACCESS), *committed;

    REQUIRE(p != NULL);
    CHECK(VirtualAlloc(p + size + 10, size, MEM_COMMIT, PAGE_READWRITE) == p + size,
          "D VirtualAlloc: the address is rounded down to the page");
    committed = p + size;
    CHECK(is_zero(committed, 2 * size), "D VirtualAlloc: all pages with an octet of the range, zero");
    memset(committed, 5, 2 * size);
    CHECK(VirtualAlloc(p, 4 * size, MEM_COMMIT, PAGE_READWRITE) == p, "D VirtualAlloc: committed pages may be committed");
    CHECK(committed[0] == 5 && committed[2 * size - 1] == 5, "D VirtualAlloc: and keep what is in them");
    CHECK(VirtualFree(committed, size, MEM_DECOMMIT), "D VirtualFree: MEM_DECOMMIT");
    CHECK(VirtualFree(committed, size, MEM_DECOMMIT), "D VirtualFree: an uncommitted page may be decommitted");
    CHECK_EQ(committed[size], 5, "D VirtualFree: other pages stay");
    CHECK(VirtualAlloc(committed, size, MEM_COMMIT, PAGE_READWRITE) == committed, "D VirtualAlloc");
    CHECK(is_zero(committed, size), "D VirtualAlloc: zero");
    CHECK(VirtualFree(p, 0, MEM_DECOMMIT), "D VirtualFree: MEM_DECOMMIT of all");
    CHECK(VirtualAlloc(p, 1024 * KB, MEM_COMMIT, PAGE_READWRITE) == p, "D VirtualAlloc: all of it");
    CHECK(is_zero(p, 1024 * KB), "D VirtualAlloc: zero");
    REFUSED(VirtualAlloc(p, 1024 * KB + 1, MEM_COMMIT, PAGE_READWRITE), ERROR_INVALID_ADDRESS,
            "D VirtualAlloc: ERROR_INVALID_ADDRESS unless all of it was reserved");
    REFUSED(VirtualAlloc(p, size, MEM_RESERVE, PAGE_READWRITE), ERROR_INVALID_ADDRESS,
            "D VirtualAlloc: reserved memory is not reserved again");
    REFUSED(VirtualFree(p + size, 0, MEM_RELEASE), ERROR_INVALID_ADDRESS, "D VirtualFree: the base address");
    REFUSED(VirtualFree(p, size, MEM_RELEASE), ERROR_INVALID_PARAMETER, "D VirtualFree: MEM_RELEASE wants a size of 0");
    REFUSED(VirtualFree(p, 0, MEM_RELEASE | MEM_DECOMMIT), ERROR_INVALID_PARAMETER, "D VirtualFree: one of the two");
    CHECK(VirtualFree(p, 0, MEM_RELEASE), "D VirtualFree: whatever its pages' states");
    REFUSED(VirtualAlloc(p, size, MEM_COMMIT, PAGE_READWRITE), ERROR_INVALID_ADDRESS,
            "D VirtualAlloc: ERROR_INVALID_ADDRESS unless all of it was reserved");
}

/* Whoever maps memory meanwhile may get the place; nobody does ten times. */
static void at_an_address(void)
{
    char *p = NULL, *got = NULL;
    int tries;

    for (tries = 0; tries < 10 && got == NULL; tries++) {
        p = VirtualAlloc(NULL, 256 * KB, MEM_RESERVE, PAGE_READWRITE);
        REQUIRE(p != NULL && VirtualFree(p, 0, MEM_RELEASE));
        got = VirtualAlloc(p + 64 * KB + 10, 1, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    }
    REQUIRE(got != NULL);
    CHECK(got == p + 64 * KB, "D VirtualAlloc: the address is rounded down to the granularity");
    got[10] = 1;
    CHECK(VirtualFree(got, 0, MEM_RELEASE), "D VirtualFree");
}

static void protections(void)
{
    SIZE_T size = page();
    char *p = VirtualAlloc(NULL, 4 * size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    DWORD old = 0;

    REQUIRE(p != NULL);
    p[size] = 'x';
    CHECK(VirtualProtect(p + size, size, PAGE_READONLY, &old), "D VirtualProtect");
    CHECK_EQ(old, PAGE_READWRITE, "D VirtualProtect: the former protection of the first page");
    CHECK_EQ(p[size], 'x', "D VirtualProtect: it can be read");
#ifndef __MINGW32__
    REFUSED(QueryPerformanceCounter((LARGE_INTEGER *)(p + size)), ERROR_NOACCESS, "choice: an error, and no crash");
#endif
    CHECK(VirtualProtect(p, 4 * size, PAGE_NOACCESS, &old) && old == PAGE_READWRITE, "D VirtualProtect: the first page");
    CHECK(VirtualProtect(p + size, 1, PAGE_READWRITE, &old) && old == PAGE_NOACCESS, "D VirtualProtect");
    CHECK_EQ(p[size]++, 'x', "D VirtualProtect");
    REFUSED(VirtualProtect(p, 5 * size, PAGE_READWRITE, &old), ERROR_INVALID_ADDRESS,
            "D VirtualProtect: all in one reservation");
    CHECK(VirtualFree(p + 2 * size, size, MEM_DECOMMIT), "D VirtualFree");
    REFUSED(VirtualProtect(p, 4 * size, PAGE_READWRITE, &old), ERROR_INVALID_ADDRESS, "D VirtualProtect: all committed");
    REFUSED(VirtualProtect(p, size, 3, &old), ERROR_INVALID_PARAMETER, "D VirtualProtect: one of the protections");
#ifndef __MINGW32__
    REFUSED(VirtualProtect(p, size, PAGE_READWRITE, NULL), ERROR_NOACCESS, "D VirtualProtect: NULL fails");
#endif
    CHECK(VirtualFree(p, 0, MEM_RELEASE), "D VirtualFree");
}

static void locks(void)
{
    SIZE_T size = page();
    char *p = VirtualAlloc(NULL, 2 * size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    REQUIRE(p != NULL);
    if (VirtualLock(p, size))
        CHECK(VirtualUnlock(p, size), "D VirtualUnlock");
    else
        CHECK_EQ(GetLastError(), ERROR_WORKING_SET_QUOTA, "D VirtualLock: the limit of what may be locked");
    CHECK(VirtualFree(p, 0, MEM_DECOMMIT), "D VirtualFree");
    REFUSED(VirtualLock(p, size), ERROR_NOACCESS, "D VirtualLock: all committed");
    CHECK(VirtualFree(p, 0, MEM_RELEASE), "D VirtualFree");
}

static void refuses(void)
{
    REFUSED(VirtualAlloc(NULL, 0, MEM_COMMIT, PAGE_READWRITE), ERROR_INVALID_PARAMETER, "D VirtualAlloc: no size");
    REFUSED(VirtualAlloc(NULL, 1, 0, PAGE_READWRITE), ERROR_INVALID_PARAMETER, "D VirtualAlloc: no type");
    REFUSED(VirtualAlloc(NULL, 1, MEM_COMMIT, 0), ERROR_INVALID_PARAMETER, "D VirtualAlloc: no protection");
    REFUSED(VirtualAlloc(NULL, 1, MEM_COMMIT, PAGE_READONLY | PAGE_READWRITE), ERROR_INVALID_PARAMETER,
            "D VirtualAlloc: one protection");
    CHECK(VirtualAlloc(NULL, (SIZE_T)1 << 62, MEM_RESERVE, PAGE_READWRITE) == NULL, "D VirtualAlloc: too much");
    CHECK(VirtualAlloc(NULL, (SIZE_T)-1, MEM_RESERVE, PAGE_READWRITE) == NULL, "D VirtualAlloc: too much");
    CHECK(!VirtualFree(NULL, 0, MEM_RELEASE), "D VirtualFree");
    CHECK(!VirtualFree(NULL, 0, MEM_DECOMMIT), "D VirtualFree");
}

/* What is remembered of pages that calls have used does not outlive a new protection. */
static void protected_under_calls(void)
{
    SIZE_T size = page();
    DWORD *p = VirtualAlloc(NULL, 2 * size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    char *second = (char *)p + size;

    REQUIRE(p != NULL);
    CHECK(QueryPerformanceCounter((LARGE_INTEGER *)(void *)p), "setup");
    CHECK(VirtualAlloc(p, size, MEM_COMMIT, PAGE_READONLY) == p, "D VirtualAlloc: with another protection");
#ifndef __MINGW32__
    REFUSED(QueryPerformanceCounter((LARGE_INTEGER *)(void *)p), ERROR_NOACCESS, "choice: an error, and no crash");
    CHECK(VirtualAlloc(p, size, MEM_COMMIT, PAGE_NOACCESS) == p, "D VirtualAlloc: with another protection");
    REFUSED(OpenEventA(0, FALSE, (char *)p), ERROR_NOACCESS, "choice: an error, and no crash");
    CHECK(VirtualProtect(second, size, PAGE_READONLY, (DWORD *)(void *)second), "choice: told before it is done");
    CHECK_EQ(*(DWORD *)(void *)second, PAGE_READWRITE, "D VirtualProtect");
#endif
    CHECK(VirtualFree(p, 0, MEM_RELEASE), "D VirtualFree");
}

/* Nobody gets memory where null pointers lead, even if the system would let the process. */
static void nothing_at_null(void)
{
    const SIZE_T low[] = { 1, 16, 4096, 64 * KB - 1 };
    unsigned i;

    for (i = 0; i < sizeof low / sizeof *low; i++) {
        REFUSED(VirtualAlloc((void *)low[i], 1, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), ERROR_INVALID_PARAMETER,
                "choice: below the granularity nothing is");
        REFUSED(VirtualFree((void *)low[i], 0, MEM_RELEASE), ERROR_INVALID_ADDRESS, "D VirtualFree");
    }
}

/* Threads reserve, commit and release beside each other, and each has memory of its own. */
static DWORD WINAPI churn(void *unused)
{
    SIZE_T size = page();
    DWORD wrong = 0;
    int round;

    (void)unused;
    for (round = 0; round < 300; round++) {
        char *p = VirtualAlloc(NULL, 128 * KB, MEM_RESERVE, PAGE_NOACCESS);

        if (p == NULL || VirtualAlloc(p + 64 * KB, size, MEM_COMMIT, PAGE_READWRITE) == NULL)
            return 10000;
        wrong += !is_zero(p + 64 * KB, size);
        memset(p + 64 * KB, 1, size);
        wrong += !VirtualFree(p, 0, MEM_RELEASE);
    }
    return wrong;
}

static void threads_at_once(void)
{
    HANDLE threads[4];
    int i;

    for (i = 0; i < 4; i++) {
        threads[i] = CreateThread(NULL, 0, churn, NULL, 0, NULL);
        REQUIRE(threads[i] != NULL);
    }
    CHECK_EQ(WaitForMultipleObjects(4, threads, TRUE, 20000), WAIT_OBJECT_0, "setup");
    for (i = 0; i < 4; i++) {
        DWORD wrong = CHECK_UNSET;

        GetExitCodeThread(threads[i], &wrong);
        CHECK_EQ(wrong, 0, "D VirtualAlloc");
        CloseHandle(threads[i]);
    }
}

int main(void)
{
    check_begin("pages");
    at_once();
    step_by_step();
    at_an_address();
    protections();
    locks();
    refuses();
    protected_under_calls();
    nothing_at_null();
    threads_at_once();
    return check_end();
}
