/*
 * workers.c - a server whose workers may crash: nobody who connects is refused.
 *
 * The listening socket belongs to the master, which answers nobody.  It starts workers, processes of their own, and
 * gives each a duplicate of the listener: WSADuplicateSocket describes it in a WSAPROTOCOL_INFO, which goes through
 * the worker's standard input, and WSASocket there makes a handle of the description.
 *
 *      master                                      worker
 *      ------                                      ------
 *      CreateProcess         ------------------->  starts
 *      WSADuplicateSocket
 *      WriteFile             ---- description -->  ReadFile
 *                                                  WSASocket: the same listener
 *      WaitForMultipleObjects                      accept, answer, accept, ...
 *         |                  <---- its end ------  a request that it does not survive
 *         v
 *      CreateProcess: the next one
 *
 * The listener stays open as long as one process has it, so connections that come between two workers wait in its
 * backlog.
 *
 *      workers [CONNECTIONS]     master, workers and clients on the loopback
 *
 * Exit status: 0 when everybody was answered but those who asked for a crash, else 1; 2 for wrong arguments.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORKERS = 3,
    DEFAULT_CONNECTIONS = 300,
    CRASH_EVERY = 50,         /* so many connections, and one asks for a crash */
    MESSAGE_SIZE = 32,
    CRASHED = 77,             /* how a worker ends that was asked to */
    STALL_MS = 20000          /* a client that hears nothing for so long has failed */
};

static const char CRASH[] = "crash", QUIT[] = "quit";

static void fail(const char *what)
{
    fprintf(stderr, "workers: %s: error %lu\n", what, (unsigned long)GetLastError());
    exit(1);
}

/* ---- a worker -------------------------------------------------------------------------------------------------- */

/* Answers one connection with the number of this process. False when it was told to leave. */
static BOOL answer(SOCKET s)
{
    char request[MESSAGE_SIZE] = "", reply[MESSAGE_SIZE];

    if (recv(s, request, sizeof request - 1, 0) > 0) {
        if (strcmp(request, CRASH) == 0)
            TerminateProcess(GetCurrentProcess(), CRASHED);
        snprintf(reply, sizeof reply, "%lu", (unsigned long)GetCurrentProcessId());
        send(s, reply, (int)strlen(reply), 0);
    }
    closesocket(s);
    return strcmp(request, QUIT) != 0;
}

static int work(void)
{
    WSAPROTOCOL_INFOW description;
    DWORD octets;
    SOCKET listener, s;

    if (!ReadFile(GetStdHandle(STD_INPUT_HANDLE), &description, sizeof description, &octets, NULL)
        || octets != sizeof description)
        fail("ReadFile");
    listener = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &description, 0,
                          WSA_FLAG_OVERLAPPED);
    if (listener == INVALID_SOCKET)
        fail("WSASocket");
    do {
        s = accept(listener, NULL, NULL);
        if (s == INVALID_SOCKET)
            fail("accept");
    } while (answer(s));
    closesocket(listener);
    return 0;
}

/* ---- the clients ------------------------------------------------------------------------------------------------ */

struct clients {
    struct sockaddr_in to;
    int connections;
    int answered, crashes; /* what became of them */
};

/* Says something, and hears what is answered: its length, 0 for nothing. */
static int ask(const struct clients *clients, const char *request, char *reply)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    DWORD stall = STALL_MS;
    int length;

    if (s == INVALID_SOCKET)
        fail("socket");
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (const char *)&stall, sizeof stall);
    if (connect(s, (const struct sockaddr *)&clients->to, sizeof clients->to) != 0)
        fail("connect"); /* which is what must never happen */
    if (send(s, request, (int)strlen(request), 0) < 0)
        fail("send");
    length = recv(s, reply, MESSAGE_SIZE - 1, 0);
    closesocket(s);
    return length > 0 ? length : 0;
}

static DWORD WINAPI connect_all(LPVOID argument)
{
    struct clients *clients = argument;
    char reply[MESSAGE_SIZE];
    int i;

    for (i = 1; i <= clients->connections; i++) {
        BOOL crash = i % CRASH_EVERY == 0;

        if (ask(clients, crash ? CRASH : "who is there?", reply) > 0)
            clients->answered += 1;
        else if (crash)
            clients->crashes += 1;
    }
    return 0;
}

/* ---- the master -------------------------------------------------------------------------------------------------- */

static char self[MAX_PATH];

/* Starts a worker that has the listener. */
static HANDLE start_worker(SOCKET listener)
{
    SECURITY_ATTRIBUTES inheritable = {sizeof inheritable, NULL, TRUE};
    STARTUPINFOA startup;
    PROCESS_INFORMATION worker;
    WSAPROTOCOL_INFOW description;
    HANDLE input, output;
    DWORD octets;
    char line[MAX_PATH + 16];

    if (!CreatePipe(&input, &output, &inheritable, 0) || !SetHandleInformation(output, HANDLE_FLAG_INHERIT, 0))
        fail("CreatePipe");
    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = input;
    startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    snprintf(line, sizeof line, "\"%s\" worker", self);
    if (!CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &worker))
        fail("CreateProcess");
    if (WSADuplicateSocketW(listener, worker.dwProcessId, &description) != 0)
        fail("WSADuplicateSocket");
    if (!WriteFile(output, &description, sizeof description, &octets, NULL))
        fail("WriteFile");
    CloseHandle(input);
    CloseHandle(output);
    CloseHandle(worker.hThread);
    return worker.hProcess;
}

static SOCKET listen_somewhere(struct sockaddr_in *at)
{
    /* Workers get it by a description, and what else they start does not get it at all. */
    SOCKET s = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    int length = sizeof *at;

    memset(at, 0, sizeof *at);
    at->sin_family = AF_INET;
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (s == INVALID_SOCKET || bind(s, (struct sockaddr *)at, sizeof *at) != 0 || listen(s, SOMAXCONN) != 0
        || getsockname(s, (struct sockaddr *)at, &length) != 0)
        fail("listen");
    return s;
}

/* Replaces every worker that crashes, until the clients have done. */
static int keep_workers(SOCKET listener, HANDLE thread, const struct clients *clients, HANDLE *workers)
{
    HANDLE all[WORKERS + 1];
    DWORD count = WORKERS + 1, ended, code;
    int replaced = 0;

    while (count > WORKERS || replaced < clients->crashes) {
        memcpy(all, workers, WORKERS * sizeof *workers);
        all[WORKERS] = thread;
        ended = WaitForMultipleObjects(count, all, FALSE, INFINITE) - WAIT_OBJECT_0;
        if (ended == WORKERS) {
            count = WORKERS; /* the number of crashes is known now */
            continue;
        }
        if (!GetExitCodeProcess(workers[ended], &code) || code != CRASHED)
            fail("a worker");
        CloseHandle(workers[ended]);
        workers[ended] = start_worker(listener);
        replaced += 1;
    }
    return replaced;
}

static int serve(int connections)
{
    struct clients clients;
    HANDLE workers[WORKERS], thread;
    SOCKET listener;
    char reply[MESSAGE_SIZE];
    int i, replaced;

    memset(&clients, 0, sizeof clients);
    clients.connections = connections;
    listener = listen_somewhere(&clients.to);
    for (i = 0; i < WORKERS; i++)
        workers[i] = start_worker(listener);
    thread = CreateThread(NULL, 0, connect_all, &clients, 0, NULL);
    if (!thread)
        fail("CreateThread");
    replaced = keep_workers(listener, thread, &clients, workers);
    CloseHandle(thread);
    for (i = 0; i < WORKERS; i++)
        ask(&clients, QUIT, reply);
    if (WaitForMultipleObjects(WORKERS, workers, TRUE, STALL_MS) != WAIT_OBJECT_0)
        fail("the end of the workers");
    for (i = 0; i < WORKERS; i++)
        CloseHandle(workers[i]);
    closesocket(listener);
    printf("%d connections: %d answered, %d crashes of workers, %d replaced\n", connections, clients.answered,
           clients.crashes, replaced);
    return clients.crashes == connections / CRASH_EVERY && clients.answered == connections - clients.crashes ? 0 : 1;
}

int main(int argc, char **argv)
{
    int connections = argc > 1 ? atoi(argv[1]) : DEFAULT_CONNECTIONS, status = 1;
    WSADATA data;

    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        fail("WSAStartup");
    if (argc > 1 && strcmp(argv[1], "worker") == 0) {
        status = work();
    } else if (connections <= 0 || argc > 2) {
        fprintf(stderr, "usage: workers [CONNECTIONS]\n");
        status = 2;
    } else if (GetModuleFileNameA(NULL, self, sizeof self) == 0) {
        fail("GetModuleFileName");
    } else {
        status = serve(connections);
    }
    WSACleanup();
    return status;
}
