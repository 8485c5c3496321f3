/*
 * A process in which no thread can be started: a limit of memory that leaves no room for its stack. What needs one is refused by name.
 */
#include "wsk_check.h"
#include <sys/resource.h>

/* In a process of its own: a tool that this one runs under needs memory too. */
static int without_threads(void)
{
    struct sockaddr_in at = loopback(80);
    WCHAR host[] = {'1', '2', '7', '.', '0', '.', '0', '.', '1', 0}, room[16];
    UNICODE_STRING node, out = {0, sizeof room, room};
    PADDRINFOEXW found = NULL;
    struct rlimit before;
    struct call call;

    begin();
    RtlInitUnicodeString(&node, host);
    REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
    REQUIRE(setrlimit(RLIMIT_AS, &(struct rlimit){1, before.rlim_max}) == 0);
    CHECK_EQ(RUN(&call, provider.Dispatch->WskGetAddressInfo(provider.Client, &node, NULL, 0, NULL, NULL, &found, NULL, NULL, call.irp)),
             STATUS_INSUFFICIENT_RESOURCES, "choice: no thread, no look-up");
    CHECK_EQ(RUN(&call, provider.Dispatch->WskGetNameInfo(provider.Client, (PSOCKADDR)&at, sizeof at, &out, NULL, 2 /* NI_NUMERICHOST */,
                                                          NULL, NULL, call.irp)),
             STATUS_INSUFFICIENT_RESOURCES, "choice: no thread, no look-up");
    REQUIRE(setrlimit(RLIMIT_AS, &before) == 0);
    CHECK_EQ(RUN(&call, provider.Dispatch->WskGetAddressInfo(provider.Client, &node, NULL, 0, NULL, NULL, &found, NULL, NULL, call.irp)),
             STATUS_SUCCESS, "D WskGetAddressInfo");
    provider.Dispatch->WskFreeAddressInfo(provider.Client, found);
    return finish("wsk_no_thread, limited");
}

int main(int argc, char **argv)
{
    char command[4096];

    if (argc > 1)
        return without_threads();
    begin();
    snprintf(command, sizeof command, "'%s' limited", argv[0]);
    CHECK_EQ(system(command), 0, "the rows of this file");
    return finish("wsk_no_thread");
}
