/*
 * named_pipes.c - there are no named pipes, and nothing pretends that there are.
 */
#include "check.h"
#include <tlhelp32.h>

#define REFUSED(call, error, source) do { \
        SetLastError(CHECK_UNSET); \
        CHECK(!(call), source); \
        CHECK_EQ(GetLastError(), error, source); \
    } while (0)

static void pipes(void)
{
#ifndef __MINGW32__
    static const char *const none = "choice: there are no named pipes";
    SECURITY_DESCRIPTOR descriptor = {0};
    HANDLE event = new_event(), pipe;
    ULONG id = 7;

    SetLastError(CHECK_UNSET);
    pipe = CreateNamedPipeA("\\\\.\\pipe\\linsock", PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                            PIPE_TYPE_BYTE | PIPE_WAIT, PIPE_UNLIMITED_INSTANCES, 4096, 4096, 0, NULL);
    CHECK(pipe == INVALID_HANDLE_VALUE, none);
    CHECK_EQ(GetLastError(), ERROR_NOT_SUPPORTED, none);
    CHECK(CreateNamedPipeW(u"\\\\.\\pipe\\linsock", PIPE_ACCESS_INBOUND, PIPE_WAIT, 1, 0, 0, 0, NULL)
          == INVALID_HANDLE_VALUE, none);
    REFUSED(WaitNamedPipeA("\\\\.\\pipe\\linsock", NMPWAIT_USE_DEFAULT_WAIT), ERROR_FILE_NOT_FOUND, none);
    REFUSED(WaitNamedPipeW(u"\\\\.\\pipe\\linsock", NMPWAIT_NOWAIT), ERROR_FILE_NOT_FOUND, none);
    REFUSED(ConnectNamedPipe(event, NULL), ERROR_INVALID_HANDLE, none);
    REFUSED(DisconnectNamedPipe(event), ERROR_INVALID_HANDLE, none);
    REFUSED(GetNamedPipeClientProcessId(event, &id), ERROR_INVALID_HANDLE, none);
    REFUSED(GetNamedPipeServerProcessId(event, &id), ERROR_INVALID_HANDLE, none);
    CHECK_EQ(id, 7, none);
    CloseHandle(event);

    CHECK(!IsValidSecurityDescriptor(&descriptor), "D IsValidSecurityDescriptor: an unknown revision");
    descriptor.Revision = SECURITY_DESCRIPTOR_REVISION;
    CHECK(IsValidSecurityDescriptor(&descriptor), "D IsValidSecurityDescriptor");
#endif
}

/* What else is not there, and says so. */
static void modules(void)
{
#ifndef __MINGW32__
    MODULEENTRY32 module = {0};

    module.dwSize = sizeof module;
    CHECK_CALL((LONG_PTR)CreateToolhelp32Snapshot(TH32CS_SNAPMODULE, 0), -1, ERROR_NOT_SUPPORTED,
               "choice: no modules are listed");
    CHECK_FALSE(Module32First(INVALID_HANDLE_VALUE, &module), ERROR_INVALID_HANDLE, "choice: nothing is a snapshot");
#endif
}

int main(void)
{
    check_begin("named_pipes");
    pipes();
    modules();
    return check_end();
}
