/* A service as Windows' pages have it: it echoes on a port until it is told to stop. Without a manager it says so, and runs. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static SERVICE_STATUS_HANDLE service;
static SOCKET listener;
static HANDLE stopping;

static void report(DWORD state, DWORD hint)
{
    SERVICE_STATUS status = {SERVICE_WIN32_OWN_PROCESS, 0, 0, NO_ERROR, 0, 0, 0};

    status.dwCurrentState = state;
    status.dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP : 0;
    status.dwWaitHint = hint;
    if (!SetServiceStatus(service, &status))
        fprintf(stderr, "SetServiceStatus: %lu\n", (unsigned long)GetLastError());
}

static DWORD WINAPI control(DWORD what, DWORD type, LPVOID data, LPVOID context)
{
    (void)type, (void)data;
    if (what != SERVICE_CONTROL_STOP || context != &listener)
        return ERROR_CALL_NOT_IMPLEMENTED;
    report(SERVICE_STOP_PENDING, 2000);
    SetEvent(stopping);
    return NO_ERROR;
}

static void never(int number)
{
    exit(number + 100);
}

static DWORD WINAPI echo(LPVOID unused)
{
    char data[64];
    int got;
    SOCKET client;

    (void)unused;
    while ((client = accept(listener, NULL, NULL)) != INVALID_SOCKET) {
        while ((got = recv(client, data, sizeof data, 0)) > 0)
            send(client, data, got, 0);
        closesocket(client);
    }
    return 0;
}

static void WINAPI run(DWORD count, LPSTR *arguments)
{
    struct sockaddr_in at = {0};
    int length = sizeof at;
    WSADATA data;

    service = RegisterServiceCtrlHandlerExA(arguments[0], control, &listener);
    signal(SIGTERM, never); /* as unbound does; nothing calls it on Windows */
    report(SERVICE_START_PENDING, 3000);
    stopping = CreateEventA(NULL, TRUE, FALSE, NULL);
    WSAStartup(MAKEWORD(2, 2), &data);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&at, sizeof at);
    listen(listener, 5);
    getsockname(listener, (struct sockaddr *)&at, &length);
    printf("%s of %lu listens on %d\n", arguments[0], (unsigned long)count, ntohs(at.sin_port));
    fflush(stdout);
    CloseHandle(CreateThread(NULL, 0, echo, NULL, 0, NULL));
    report(SERVICE_RUNNING, 0);
    WaitForSingleObject(stopping, INFINITE);
    closesocket(listener);
    report(SERVICE_STOPPED, 0);
}

int main(void)
{
    static char name[] = "echo";
    SERVICE_TABLE_ENTRYA table[] = {{name, run}, {NULL, NULL}};

    if (StartServiceCtrlDispatcherA(table)) {
        puts("stopped");
        return 0;
    }
    printf("no service: %lu\n", (unsigned long)GetLastError());
    return GetLastError() == ERROR_FAILED_SERVICE_CONTROLLER_CONNECT ? 3 : 1;
}
