/*
 * library_habits.c - what libraries of sockets for Windows take for granted beside the sockets: lists that threads share
 * without a lock, a thread's priority, a descriptor that lets everybody in, the names of Windows' versions.
 */
/* As by -D: before any header, one of the C library's first. */
#define FD_SETSIZE 200
#include <stdlib.h>
#include <windows.h>
/* Before any other of ours. */
#if !defined(_WIN32_WINNT_WINXP) || _WIN32_WINNT_WINXP != 0x0501 || _WIN32_WINNT_WIN8 <= _WIN32_WINNT_VISTA
#error "D using the Windows headers: windows.h brings the versions' names"
#endif
#include "check.h"
#include <iphlpapi.h>
#include <ipexport.h>

static const char *const S = "D InterlockedPushEntrySList and its family";
static const char *const P = "D GetThreadPriority";
static const char *const I = "D SetSecurityDescriptorDacl, SECURITY_DESCRIPTOR_CONTROL";

struct item {
    SLIST_ENTRY link;
    LONG taken;
};

enum { THREADS = 3, ITEMS = 300 };

static SLIST_HEADER shared;
static struct item items[THREADS][ITEMS];

static void one_list(void)
{
    SLIST_HEADER list;
    struct item a, b, c;

    InitializeSListHead(&list);
    CHECK_EQ(QueryDepthSList(&list), 0, S);
    CHECK(InterlockedPopEntrySList(&list) == NULL, S);
    CHECK(InterlockedPushEntrySList(&list, &a.link) == NULL, "D InterlockedPushEntrySList: NULL if the list was empty");
    CHECK(InterlockedPushEntrySList(&list, &b.link) == &a.link, "D InterlockedPushEntrySList: what was the first");
    InterlockedPushEntrySList(&list, &c.link);
    CHECK_EQ(QueryDepthSList(&list), 3, S);
    CHECK(InterlockedPopEntrySList(&list) == &c.link, S);
    CHECK(InterlockedFlushSList(&list) == &b.link && b.link.Next == &a.link && a.link.Next == NULL, S);
    CHECK_EQ(QueryDepthSList(&list), 0, S);
    CHECK_EQ(TYPE_ALIGNMENT(struct item), MEMORY_ALLOCATION_ALIGNMENT, "D: entries are aligned at it");
    CHECK(MEMORY_ALLOCATION_ALIGNMENT == sizeof(SLIST_ENTRY), "D: entries are aligned at MEMORY_ALLOCATION_ALIGNMENT");
}

/* Pushes its own entries, and takes one of anybody's after each. */
static DWORD WINAPI push_and_pop(void *own)
{
    struct item *mine = (struct item *)own;
    DWORD taken = 0;
    int i;

    for (i = 0; i < ITEMS; i++) {
        PSLIST_ENTRY entry;

        InterlockedPushEntrySList(&shared, &mine[i].link);
        entry = InterlockedPopEntrySList(&shared);
        if (entry != NULL) {
            InterlockedIncrement(&((struct item *)entry)->taken);
            taken++;
        }
    }
    return taken;
}

static void many_threads(void)
{
    HANDLE threads[THREADS];
    DWORD total = 0;
    int t, i;

    InitializeSListHead(&shared);
    for (t = 0; t < THREADS; t++) {
        threads[t] = CreateThread(NULL, 0, push_and_pop, items[t], 0, NULL);
        REQUIRE(threads[t] != NULL);
    }
    for (t = 0; t < THREADS; t++) {
        DWORD taken = 0;

        CHECK(is_set(threads[t], CHECK_WAIT_MS), "setup");
        CHECK(GetExitCodeThread(threads[t], &taken), "setup");
        total += taken;
        CloseHandle(threads[t]);
    }
    CHECK_EQ(total, THREADS * ITEMS, "D: each thread finds at least what it has pushed");
    CHECK(InterlockedFlushSList(&shared) == NULL, S);
    for (t = 0; t < THREADS; t++) {
        for (i = 0; i < ITEMS; i++) {
            CHECK_EQ(items[t][i].taken, 1, "D: an entry is popped once");
        }
    }
}

static DWORD WINAPI nothing(void *argument)
{
    (void)argument;
    return 0;
}

static void priorities(void)
{
    HANDLE thread = CreateThread(NULL, 0, nothing, NULL, CREATE_SUSPENDED, NULL);

    REQUIRE(thread != NULL);
    CHECK_EQ(GetThreadPriority(thread), THREAD_PRIORITY_NORMAL, "D CreateThread: the priority is normal at first");
    CHECK(SetThreadPriority(thread, THREAD_PRIORITY_ABOVE_NORMAL), P);
    CHECK_EQ(GetThreadPriority(thread), THREAD_PRIORITY_ABOVE_NORMAL, P);
    CHECK_EQ(GetThreadPriority(GetCurrentThread()), THREAD_PRIORITY_NORMAL, P);
    SetLastError(CHECK_UNSET);
    CHECK(!SetThreadPriority(thread, 1000), "D SetThreadPriority: which numbers are priorities");
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER, "choice: the page names no code");
    CHECK_EQ(GetThreadPriority(thread), THREAD_PRIORITY_ABOVE_NORMAL, "D: nothing has changed");
    ResumeThread(thread);
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    CHECK_EQ(GetThreadPriority(thread), THREAD_PRIORITY_ABOVE_NORMAL, "choice: as long as there is a handle");
    CloseHandle(thread);
    SetLastError(CHECK_UNSET);
    CHECK_EQ(GetThreadPriority(NULL), THREAD_PRIORITY_ERROR_RETURN, P);
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE, P);
}

static void descriptors(void)
{
    SECURITY_DESCRIPTOR all;
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, &all, FALSE};
    ACL list;
    HANDLE event;

    memset(&all, 0xAA, sizeof all);
    SetLastError(CHECK_UNSET);
    CHECK(!InitializeSecurityDescriptor(&all, 2), "D InitializeSecurityDescriptor: one revision");
    CHECK_EQ(GetLastError(), ERROR_UNKNOWN_REVISION, "choice: the page names no code");
    CHECK(InitializeSecurityDescriptor(&all, SECURITY_DESCRIPTOR_REVISION), "D InitializeSecurityDescriptor");
    CHECK(IsValidSecurityDescriptor(&all), I);
    CHECK(all.Control == 0 && all.Owner == NULL && all.Group == NULL && all.Sacl == NULL && all.Dacl == NULL,
          "D InitializeSecurityDescriptor: no list, no owner, no group, all control flags false");
    memset(&list, 0, sizeof list);
    CHECK(SetSecurityDescriptorDacl(&all, TRUE, &list, TRUE), I);
    CHECK(all.Control == (SE_DACL_PRESENT | SE_DACL_DEFAULTED) && all.Dacl == &list, I);
    CHECK(SetSecurityDescriptorDacl(&all, TRUE, NULL, FALSE), I);
    CHECK(all.Control == SE_DACL_PRESENT && all.Dacl == NULL, "D SetSecurityDescriptorDacl: present and NULL, all may");
    event = CreateEventA(&attributes, TRUE, FALSE, NULL);
    CHECK(event != NULL, "D CreateEvent");
    CloseHandle(event);
    CHECK(SetSecurityDescriptorDacl(&all, FALSE, &list, TRUE), I);
    CHECK(all.Control == 0 && all.Dacl == NULL, "D SetSecurityDescriptorDacl: not present, the list is ignored");
}

static void names(void)
{
    char name[IF_MAX_STRING_SIZE + 1] = "";
    IPAddr any = INADDR_ANY;

    CHECK(sizeof any == 4 && sizeof(IPMask) == 4 && sizeof(IP_STATUS) == 4, "D IPAddr, IPMask and IP_STATUS are ULONGs");
    CHECK(FD_SETSIZE == 200 && sizeof(((fd_set *)NULL)->fd_array) == 200 * sizeof(SOCKET),
          "D select: a program may define FD_SETSIZE before winsock2.h");
    CHECK(if_indextoname(if_nametoindex("no such interface"), name) == NULL, "D if_nametoindex: 0");
}

int main(void)
{
    check_begin("library_habits");
    one_list();
    many_threads();
    priorities();
    descriptors();
    names();
    return check_end();
}
