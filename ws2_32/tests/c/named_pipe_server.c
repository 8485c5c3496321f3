/*
 * named_pipe_server.c - a server of named pipes on a completion port, whose instances go from client to client; the
 * clients are threads of this process and of another, and each gets back what it sent. Also handles that a process
 * inherits.
 */
#include "check.h"

enum { INSTANCES = 3, THREADS = 4, ROUNDS = 60, MESSAGE = 3000 };
enum { CONNECTS, READS, WRITES };

struct instance {
    OVERLAPPED ov;
    HANDLE pipe;
    int does;
    char buffer[MESSAGE];
    DWORD length;
};

static char name[128];
/* Both processes have as many clients. */
static const LONG connections = 2 * THREADS * ROUNDS;
static volatile LONG served, echoed, listening;
static HANDLE port, all_served;

static void does(struct instance *one, int what)
{
    memset(&one->ov, 0, sizeof one->ov);
    one->does = what;
}

/* Each call ends by a packet, also one that is over at once. */
static BOOL is_under_way(BOOL result)
{
    return result || GetLastError() == ERROR_IO_PENDING || GetLastError() == ERROR_MORE_DATA;
}

static void read_on(struct instance *one);

static void has_come(struct instance *one)
{
    InterlockedIncrement(&served);
    InterlockedDecrement(&listening);
    one->length = 0;
    read_on(one);
}

static void connect_again(struct instance *one)
{
    does(one, CONNECTS);
    InterlockedIncrement(&listening);
    if (!ConnectNamedPipe(one->pipe, &one->ov) && GetLastError() != ERROR_IO_PENDING) {
        /* Of one that was faster no packet tells. */
        CHECK(GetLastError() == ERROR_PIPE_CONNECTED || GetLastError() == ERROR_NO_DATA, "D ConnectNamedPipe");
        has_come(one);
    } else if (listening == INSTANCES && served == connections) {
        SetEvent(all_served);
    }
}

static void let_go(struct instance *one)
{
    CHECK(DisconnectNamedPipe(one->pipe), "D DisconnectNamedPipe");
    connect_again(one);
}

static void read_on(struct instance *one)
{
    does(one, READS);
    if (!is_under_way(ReadFile(one->pipe, one->buffer + one->length, MESSAGE - one->length, NULL, &one->ov))) {
        CHECK_EQ(GetLastError(), ERROR_BROKEN_PIPE, "D ReadFile: the client is gone");
        let_go(one);
    }
}

static void answer(struct instance *one)
{
    does(one, WRITES);
    if (!is_under_way(WriteFile(one->pipe, one->buffer, one->length, NULL, &one->ov))) {
        CHECK_EQ(GetLastError(), ERROR_NO_DATA, "D WriteFile: the client is gone");
        let_go(one);
    }
}

static DWORD WINAPI serve(LPVOID unused)
{
    (void)unused;
    for (;;) {
        struct instance *one;
        OVERLAPPED *got;
        ULONG_PTR key;
        DWORD octets;
        BOOL succeeded = GetQueuedCompletionStatus(port, &octets, &key, &got, CHECK_WAIT_MS);
        DWORD error = succeeded ? 0 : GetLastError();

        REQUIRE(got != NULL || key == 1);
        if (key == 1)
            return 0;
        one = (struct instance *)got;
        if (error == ERROR_OPERATION_ABORTED)
            continue;
        switch (one->does) {
        case CONNECTS:
            CHECK_EQ(error, 0, "D ConnectNamedPipe");
            has_come(one);
            break;
        case READS:
            CHECK(error == 0 || error == ERROR_MORE_DATA || error == ERROR_BROKEN_PIPE, "D ReadFile");
            one->length += octets;
            if (error == ERROR_MORE_DATA) {
                read_on(one);
            } else if (error == 0) {
                answer(one);
            } else {
                one->length = 0;
                let_go(one);
            }
            break;
        case WRITES:
            if (error == 0) {
                CHECK_EQ(octets, one->length, "D WriteFile: all of a message");
                InterlockedIncrement(&echoed);
            }
            one->length = 0;
            read_on(one);
            break;
        }
    }
}

static HANDLE opened(void)
{
    DWORD mode = PIPE_READMODE_MESSAGE;
    HANDLE pipe;

    while ((pipe = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL))
           == INVALID_HANDLE_VALUE) {
        REQUIRE(GetLastError() == ERROR_PIPE_BUSY);
        REQUIRE(WaitNamedPipeA(name, CHECK_WAIT_MS));
    }
    REQUIRE(SetNamedPipeHandleState(pipe, &mode, NULL, NULL));
    return pipe;
}

static DWORD WINAPI ask(LPVOID seed)
{
    unsigned random = (unsigned)(ULONG_PTR)seed * 2654435761u + 1;
    char sent[MESSAGE], received[MESSAGE];
    int round, message;

    for (round = 0; round < ROUNDS; round++) {
        HANDLE pipe = opened();

        for (message = 0; message < 3; message++) {
            DWORD octets, i;
            DWORD length = 1 + (random = random * 1103515245u + 12345u) / 65536u % (MESSAGE - 1);

            for (i = 0; i < length; i++)
                sent[i] = (char)(random >> (i % 24));
            if (!WriteFile(pipe, sent, length, &octets, NULL) || octets != length
                || !ReadFile(pipe, received, MESSAGE, &octets, NULL) || octets != length
                || memcmp(sent, received, length) != 0) {
                printf("client: message %d of round %d: error %lu\n", message, round, (unsigned long)GetLastError());
                return 1;
            }
        }
        if (!CloseHandle(pipe))
            return 1;
    }
    return 0;
}

/* How many of the threads failed. */
static DWORD ask_all(void)
{
    HANDLE threads[THREADS];
    DWORD failed = 0, code, i;

    for (i = 0; i < THREADS; i++) {
        threads[i] = CreateThread(NULL, 0, ask, (LPVOID)(ULONG_PTR)(GetCurrentProcessId() + i), 0, NULL);
        REQUIRE(threads[i] != NULL);
    }
    for (i = 0; i < THREADS; i++) {
        if (WaitForSingleObject(threads[i], CHECK_WATCHDOG_MS) != WAIT_OBJECT_0
            || !GetExitCodeThread(threads[i], &code) || code != 0)
            failed++;
        CloseHandle(threads[i]);
    }
    return failed;
}

static HANDLE start(const char *program, const char *what, HANDLE standard_output)
{
    STARTUPINFOA startup = {0};
    PROCESS_INFORMATION process;
    char command[512];

    startup.cb = sizeof startup;
    if (standard_output) {
        startup.dwFlags = STARTF_USESTDHANDLES;
        startup.hStdOutput = standard_output;
        startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    }
    snprintf(command, sizeof command, "\"%s\" %s %s", program, what, name);
    REQUIRE(CreateProcessA(NULL, command, NULL, NULL, standard_output != NULL, 0, NULL, NULL, &startup, &process));
    CloseHandle(process.hThread);
    return process.hProcess;
}

static void ends_well(HANDLE process, const char *source)
{
    DWORD code = 77;

    CHECK_EQ(WaitForSingleObject(process, CHECK_WATCHDOG_MS), WAIT_OBJECT_0, source);
    CHECK(GetExitCodeProcess(process, &code), source);
    CHECK_EQ(code, 0, source);
    CloseHandle(process);
}

static void many_clients(const char *program)
{
    static struct instance instances[INSTANCES];
    HANDLE workers[2], process;
    DWORD i;

    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    all_served = CreateEventA(NULL, TRUE, FALSE, NULL);
    REQUIRE(port != NULL && all_served != NULL);
    for (i = 0; i < INSTANCES; i++) {
        instances[i].pipe = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                             PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, INSTANCES, 0, 0, 0, NULL);
        REQUIRE(instances[i].pipe != INVALID_HANDLE_VALUE);
        REQUIRE(CreateIoCompletionPort(instances[i].pipe, port, 0, 0) == port);
        connect_again(&instances[i]);
    }
    for (i = 0; i < 2; i++)
        REQUIRE((workers[i] = CreateThread(NULL, 0, serve, NULL, 0, NULL)) != NULL);
    process = start(program, "client", NULL);
    CHECK_EQ(ask_all(), 0, "D WriteFile, ReadFile: each message comes back");
    ends_well(process, "D CreateFile: a client in another process");
    CHECK_EQ(WaitForSingleObject(all_served, CHECK_WAIT_MS), WAIT_OBJECT_0, "D ReadFile: each client is seen to leave");
    for (i = 0; i < INSTANCES; i++)
        CHECK(CloseHandle(instances[i].pipe), "D CloseHandle");
    for (i = 0; i < 2; i++)
        CHECK(PostQueuedCompletionStatus(port, 0, 1, NULL), "setup");
    for (i = 0; i < 2; i++) {
        CHECK_EQ(WaitForSingleObject(workers[i], CHECK_WAIT_MS), WAIT_OBJECT_0, "setup");
        CloseHandle(workers[i]);
    }
    CHECK_EQ(served, connections, "D ConnectNamedPipe: each connection once");
    CHECK_EQ(echoed, 3 * connections, "D WriteFile: each message once");
    CloseHandle(all_served);
    CloseHandle(port);
}

/* A process whose output is an end of a named pipe, as of the servers that start others. */
static void inherited(const char *program)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, TRUE};
    HANDLE server, client, process;
    char buffer[32] = "";
    DWORD all = 0, octets;

    snprintf(name, sizeof name, "\\\\.\\pipe\\linsock-inherited-%lu", (unsigned long)GetCurrentProcessId());
    server = CreateNamedPipeA(name, PIPE_ACCESS_INBOUND, PIPE_TYPE_BYTE, 1, 0, 0, 0, NULL);
    REQUIRE(server != INVALID_HANDLE_VALUE);
    client = CreateFileA(name, GENERIC_WRITE, 0, &attributes, OPEN_EXISTING, 0, NULL);
    REQUIRE(client != INVALID_HANDLE_VALUE);
    process = start(program, "print", client);
    CHECK(CloseHandle(client), "D CloseHandle");
    while (all < sizeof buffer - 1 && ReadFile(server, buffer + all, (DWORD)sizeof buffer - 1 - all, &octets, NULL))
        all += octets;
    CHECK_EQ(GetLastError(), ERROR_BROKEN_PIPE, "D ReadFile: the process has ended");
    CHECK(strncmp(buffer, "printed", 7) == 0, "D CreateProcess: hStdOutput");
    ends_well(process, "D CreateProcess");
    CHECK(CloseHandle(server), "D CloseHandle");
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        snprintf(name, sizeof name, "%s", argv[2]);
        if (strcmp(argv[1], "print") == 0)
            return puts("printed") < 0;
        return (int)ask_all();
    }
    check_begin("named_pipe_server");
    snprintf(name, sizeof name, "\\\\.\\pipe\\linsock-server-%lu", (unsigned long)GetCurrentProcessId());
    many_clients(argv[0]);
    inherited(argv[0]);
    return check_end();
}
