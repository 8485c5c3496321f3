/*
 * A process that has no descriptor left, and never had one for linsock. On Windows a wait needs no handle of its
 * own, and a socket that cannot be had is an error of the call that wants it; nothing is lost, and when there are
 * descriptors again, everything works. (Windows has no such limit to lower, so there is no row there.)
 */
#include "check.h"

#ifndef __MINGW32__
#include <iphlpapi.h>
#include <sys/resource.h>

static DWORD WINAPI set(void *event)
{
    SetEvent(event);
    return 0;
}

static void NTAPI count(ULONG_PTR calls)
{
    ++*(int *)calls;
}

static void waits(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL), both[2];
    int calls = 0;

    REQUIRE(event != NULL);
    CHECK_EQ(WaitForSingleObject(event, 1), WAIT_TIMEOUT, "D WaitForSingleObject");
    both[0] = event;
    both[1] = CreateThread(NULL, 0, set, event, 0, NULL);
    REQUIRE(both[1] != NULL);
    CHECK_EQ(WaitForMultipleObjects(2, both, TRUE, CHECK_WAIT_MS), WAIT_OBJECT_0, "D WaitForMultipleObjects");
    REQUIRE(QueueUserAPC(count, GetCurrentThread(), (ULONG_PTR)&calls));
    CHECK_EQ(SleepEx(CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, "D SleepEx");
    CHECK_EQ(calls, 1, "D QueueUserAPC");
    CHECK_EQ(SleepEx(1, TRUE), 0, "D SleepEx");
    CloseHandle(both[1]);
    CloseHandle(event);
}

static void refusals(void)
{
    SetLastError(CHECK_UNSET);
    CHECK(CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0) == NULL, "choice: a port has a descriptor");
    CHECK_EQ(GetLastError(), ERROR_NOT_ENOUGH_MEMORY, "choice: a port has a descriptor");
    CHECK(socket(AF_INET, SOCK_STREAM, 0) == INVALID_SOCKET, "D socket: WSAEMFILE");
    CHECK_EQ(WSAGetLastError(), WSAEMFILE, "D socket: WSAEMFILE");
    CHECK(socket(AF_INET, SOCK_DGRAM, 0) == INVALID_SOCKET, "D socket: WSAEMFILE");
    CHECK_EQ(WSAGetLastError(), WSAEMFILE, "D socket: WSAEMFILE");
}

/* A table that cannot be had is not an empty one: "nothing is left in TIME_WAIT" would be a lie. */
static void tables(void)
{
    MIB_TCPTABLE table = { .dwNumEntries = 77 };
    MIB_TCPROW row = { .dwState = MIB_TCP_STATE_DELETE_TCB };
    MIB_TCPSTATS tcp;
    MIB_UDPSTATS udp;
    ULONG size = sizeof table;
    DWORD number = 77;

    CHECK_EQ(GetTcpTable(&table, &size, TRUE), ERROR_TOO_MANY_OPEN_FILES, "choice: GetTcpTable");
    CHECK_EQ(table.dwNumEntries, 77, "choice: GetTcpTable");
    CHECK_EQ(GetExtendedUdpTable(&table, &size, TRUE, AF_INET, UDP_TABLE_OWNER_PID, 0), ERROR_TOO_MANY_OPEN_FILES,
             "choice: GetExtendedUdpTable");
    CHECK_EQ(GetTcpStatistics(&tcp), ERROR_TOO_MANY_OPEN_FILES, "choice: GetTcpStatistics");
    CHECK_EQ(GetUdpStatistics(&udp), ERROR_TOO_MANY_OPEN_FILES, "choice: GetUdpStatistics");
    CHECK_EQ(SetTcpEntry(&row), ERROR_TOO_MANY_OPEN_FILES, "choice: SetTcpEntry");
    CHECK_EQ(GetNumberOfInterfaces(&number), ERROR_TOO_MANY_OPEN_FILES, "choice: GetNumberOfInterfaces");
    CHECK_EQ(GetIpAddrTable(NULL, &size, TRUE), ERROR_TOO_MANY_OPEN_FILES, "choice: GetIpAddrTable");
    CHECK_EQ(GetAdaptersInfo(NULL, &size), ERROR_TOO_MANY_OPEN_FILES, "choice: GetAdaptersInfo");
    CHECK_EQ(GetAdaptersAddresses(AF_UNSPEC, 0, NULL, NULL, &size), ERROR_TOO_MANY_OPEN_FILES,
             "choice: GetAdaptersAddresses");
    CHECK_EQ(GetBestInterface(htonl(INADDR_LOOPBACK), &number), ERROR_TOO_MANY_OPEN_FILES, "choice: GetBestInterface");
    CHECK_EQ(number, 77, "choice: GetBestInterface");
}

static void works(void)
{
    SOCKET client, server;
    char octet = 'x';

    tcp_pair(&client, &server);
    CHECK_EQ(send(client, &octet, 1, 0), 1, "D send");
    octet = 0;
    CHECK_EQ(recv(server, &octet, 1, 0), 1, "D recv");
    CHECK_EQ(octet, 'x', "D recv");
    closesocket(client);
    closesocket(server);
}
#endif

int main(void)
{
#ifndef __MINGW32__
    struct rlimit before;
#endif

    check_begin("no_descriptors");
#ifndef __MINGW32__
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, before.rlim_max}) == 0);
    waits();
    refusals();
    tables();
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    works();
#endif
    return check_end();
}
