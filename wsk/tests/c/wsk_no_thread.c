/*
 * A thread that can start no thread: its kernel refuses. What needs one is refused by name.
 */
#include "wsk_check.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static WCHAR host[] = {'1', '2', '7', '.', '0', '.', '0', '.', '1', 0};

/* From now on the kernel refuses each thread that the calling thread would start; others start theirs as before. */
static void start_no_more_threads(void)
{
    struct sock_filter refuse_clone[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof refuse_clone / sizeof *refuse_clone, refuse_clone};

    REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static NTSTATUS address_of(struct call *call, PADDRINFOEXW *found)
{
    UNICODE_STRING node;

    RtlInitUnicodeString(&node, host);
    return RUN(call, provider.Dispatch->WskGetAddressInfo(provider.Client, &node, NULL, 0, NULL, NULL, found,
                                                          NULL, NULL, call->irp));
}

static NTSTATUS name_of(struct call *call)
{
    struct sockaddr_in at = loopback(80);
    WCHAR room[16];
    UNICODE_STRING name = {0, sizeof room, room};

    return RUN(call, provider.Dispatch->WskGetNameInfo(provider.Client, (PSOCKADDR)&at, sizeof at, &name, NULL,
                                                       2 /* NI_NUMERICHOST */, NULL, NULL, call->irp));
}

static void *without_threads(void *unused)
{
    PADDRINFOEXW found = NULL;
    struct call call;

    start_no_more_threads();
    CHECK_EQ(address_of(&call, &found), STATUS_INSUFFICIENT_RESOURCES, "choice: no thread, no look-up");
    CHECK_EQ(name_of(&call), STATUS_INSUFFICIENT_RESOURCES, "choice: no thread, no look-up");
    return unused;
}

int main(void)
{
    PADDRINFOEXW found = NULL;
    struct call call;
    pthread_t thread;

    begin();
    REQUIRE(pthread_create(&thread, NULL, without_threads, NULL) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
    CHECK_EQ(address_of(&call, &found), STATUS_SUCCESS, "D WskGetAddressInfo");
    provider.Dispatch->WskFreeAddressInfo(provider.Client, found);
    return finish("wsk_no_thread");
}
