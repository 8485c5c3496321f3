/*
 * services.c - a program that could be a service and was started from a console. How one runs under a manager is
 * cli/tests/service.rs's.
 */
#include "check.h"

static void WINAPI body(DWORD count, LPSTR *arguments)
{
    (void)count, (void)arguments;
}

static void WINAPI handler(DWORD control)
{
    (void)control;
}

static DWORD WINAPI handler_ex(DWORD control, DWORD type, LPVOID data, LPVOID context)
{
    (void)control, (void)type, (void)data, (void)context;
    return NO_ERROR;
}

int main(void)
{
    static char name[] = "linsock";
    static const WCHAR wide_name[] = {'l', 0};
    SERVICE_TABLE_ENTRYA table[] = {{name, body}, {NULL, NULL}};
    SERVICE_STATUS status;
    SC_HANDLE manager;

    check_begin("services");
    SetEnvironmentVariableA("NOTIFY_SOCKET", NULL);
    CHECK_FALSE(StartServiceCtrlDispatcherA(table), ERROR_FAILED_SERVICE_CONTROLLER_CONNECT, "D StartServiceCtrlDispatcher: a console program");
    CHECK_FALSE(StartServiceCtrlDispatcherA(table + 1), ERROR_INVALID_DATA, "D StartServiceCtrlDispatcher: the table's format");
    table[0].lpServiceProc = NULL;
    CHECK_FALSE(StartServiceCtrlDispatcherA(table), ERROR_INVALID_DATA, "D StartServiceCtrlDispatcher: the table's format");
    CHECK_FALSE(StartServiceCtrlDispatcherW(NULL), ERROR_NOACCESS, "choice: ERROR_NOACCESS");

    CHECK(RegisterServiceCtrlHandlerA(name, handler) == NULL, "D RegisterServiceCtrlHandler");
    CHECK_EQ(GetLastError(), ERROR_SERVICE_NOT_IN_EXE, "D RegisterServiceCtrlHandler");
    CHECK(RegisterServiceCtrlHandlerExW(wide_name, handler_ex, NULL) == NULL, "D RegisterServiceCtrlHandlerEx");
    CHECK_EQ(GetLastError(), ERROR_SERVICE_NOT_IN_EXE, "D RegisterServiceCtrlHandlerEx");
    CHECK(RegisterServiceCtrlHandlerA(NULL, handler) == NULL && GetLastError() == ERROR_NOACCESS, "choice: ERROR_NOACCESS");
    CHECK(RegisterServiceCtrlHandlerA(name, NULL) == NULL && GetLastError() == ERROR_INVALID_PARAMETER, "choice: no function");

    memset(&status, 0, sizeof status);
    CHECK_FALSE(SetServiceStatus(NULL, &status), ERROR_INVALID_DATA, "D SetServiceStatus: the state");
    status.dwCurrentState = SERVICE_RUNNING;
    CHECK_FALSE(SetServiceStatus((SERVICE_STATUS_HANDLE)3, &status), ERROR_INVALID_HANDLE, "D SetServiceStatus: the handle");
    CHECK_FALSE(SetServiceStatus(NULL, NULL), ERROR_NOACCESS, "choice: ERROR_NOACCESS");

    manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT);
    CHECK(manager == NULL && GetLastError() == ERROR_ACCESS_DENIED, "choice: the services are systemd's");
    CHECK(OpenServiceA(manager, name, SERVICE_START) == NULL, "D OpenService");
    CHECK_FALSE(CloseServiceHandle(manager), ERROR_INVALID_HANDLE, "D CloseServiceHandle");
    return check_end();
}
