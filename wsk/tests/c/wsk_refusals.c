/*
 * What the kernel refuses for want of something is refused by name, and nothing has happened.
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

/* From now on the kernel refuses two system calls of the calling thread; the other threads have theirs as before. */
static void refuse(long one, long other, int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)one, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)other, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* Runs some rows in a thread of their own. */
static void in_a_thread(void *(*rows)(void *), void *argument)
{
    pthread_t thread;

    REQUIRE(pthread_create(&thread, NULL, rows, argument) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
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

    refuse(SYS_clone, SYS_clone3, EAGAIN);
    CHECK_EQ(address_of(&call, &found), STATUS_INSUFFICIENT_RESOURCES, "choice: no thread, no look-up");
    CHECK_EQ(name_of(&call), STATUS_INSUFFICIENT_RESOURCES, "choice: no thread, no look-up");
    return unused;
}

static void threads(void)
{
    PADDRINFOEXW found = NULL;
    struct call call;

    in_a_thread(without_threads, NULL);
    CHECK_EQ(address_of(&call, &found), STATUS_SUCCESS, "D WskGetAddressInfo");
    provider.Dispatch->WskFreeAddressInfo(provider.Client, found);
}

static NTSTATUS bind_listener(PWSK_SOCKET listener)
{
    struct sockaddr_in any = loopback(0);
    struct call call;

    return RUN(&call, LISTEN(listener)->WskBind(listener, (PSOCKADDR)&any, 0, call.irp));
}

static void *without_listening(void *listener)
{
    refuse(SYS_listen, SYS_listen, EADDRINUSE);
    CHECK_EQ(bind_listener(listener), STATUS_ADDRESS_ALREADY_ASSOCIATED, "T driver_netio: the address is used");
    return NULL;
}

/* A listening socket whose address could be bound, and no more. */
static void listening(void)
{
    PWSK_SOCKET listener = socket_of(WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    struct sockaddr_in name;
    struct call call;

    in_a_thread(without_listening, listener);
    CHECK_EQ(RUN(&call, LISTEN(listener)->WskGetLocalAddress(listener, (PSOCKADDR)&name, call.irp)),
             STATUS_INVALID_DEVICE_STATE, "choice: a refused call has done nothing");
    CHECK_EQ(bind_listener(listener), STATUS_SUCCESS, "D WskBind");
    CHECK_EQ(RUN(&call, LISTEN(listener)->WskGetLocalAddress(listener, (PSOCKADDR)&name, call.irp)),
             STATUS_SUCCESS, "D WskGetLocalAddress");
    close_socket(listener);
}

int main(void)
{
    begin();
    threads();
    listening();
    return finish("wsk_refusals");
}
