/* namedpipeapi.h - CreatePipe and PeekNamedPipe are in linsock_process.h. linsock has no named pipes, and says so:
 * CreateNamedPipe fails, so no handle is ever one. For programs that have a transport over pipes beside the one over
 * sockets. No function of the library is behind those. */
#ifndef LINSOCK_NAMEDPIPEAPI_H
#define LINSOCK_NAMEDPIPEAPI_H

#include "winbase.h"
#include "linsock_process.h"

#define PIPE_ACCESS_INBOUND 0x00000001
#define PIPE_ACCESS_OUTBOUND 0x00000002
#define PIPE_ACCESS_DUPLEX 0x00000003
#define PIPE_WAIT 0x00000000
#define PIPE_NOWAIT 0x00000001
#define PIPE_READMODE_BYTE 0x00000000
#define PIPE_READMODE_MESSAGE 0x00000002
#define PIPE_TYPE_BYTE 0x00000000
#define PIPE_TYPE_MESSAGE 0x00000004
#define PIPE_ACCEPT_REMOTE_CLIENTS 0x00000000
#define PIPE_REJECT_REMOTE_CLIENTS 0x00000008
#define PIPE_UNLIMITED_INSTANCES 255
#define NMPWAIT_WAIT_FOREVER 0xFFFFFFFF
#define NMPWAIT_NOWAIT 0x00000001
#define NMPWAIT_USE_DEFAULT_WAIT 0x00000000
#define FILE_FLAG_FIRST_PIPE_INSTANCE 0x00080000

static __inline__ BOOL linsock_no_pipe(DWORD error)
{
    SetLastError(error);
    return FALSE;
}
/* winbase/nf-winbase-createnamedpipea */
static __inline__ HANDLE CreateNamedPipeA(LPCSTR name, DWORD open_mode, DWORD pipe_mode, DWORD max_instances,
                                          DWORD out_size, DWORD in_size, DWORD timeout, LPSECURITY_ATTRIBUTES security)
{
    (void)name, (void)open_mode, (void)pipe_mode, (void)max_instances;
    (void)out_size, (void)in_size, (void)timeout, (void)security;
    linsock_no_pipe(ERROR_NOT_SUPPORTED);
    return INVALID_HANDLE_VALUE;
}
/* namedpipeapi/nf-namedpipeapi-createnamedpipew */
static __inline__ HANDLE CreateNamedPipeW(LPCWSTR name, DWORD open_mode, DWORD pipe_mode, DWORD max_instances,
                                          DWORD out_size, DWORD in_size, DWORD timeout, LPSECURITY_ATTRIBUTES security)
{
    (void)name;
    return CreateNamedPipeA(0, open_mode, pipe_mode, max_instances, out_size, in_size, timeout, security);
}
/* winbase/nf-winbase-waitnamedpipea: there is no instance of any */
static __inline__ BOOL WaitNamedPipeA(LPCSTR name, DWORD timeout)
{
    (void)name, (void)timeout;
    return linsock_no_pipe(ERROR_FILE_NOT_FOUND);
}
/* namedpipeapi/nf-namedpipeapi-waitnamedpipew */
static __inline__ BOOL WaitNamedPipeW(LPCWSTR name, DWORD timeout)
{
    (void)name, (void)timeout;
    return linsock_no_pipe(ERROR_FILE_NOT_FOUND);
}
/* namedpipeapi/nf-namedpipeapi-connectnamedpipe */
static __inline__ BOOL ConnectNamedPipe(HANDLE pipe, LPOVERLAPPED overlapped)
{
    (void)pipe, (void)overlapped;
    return linsock_no_pipe(ERROR_INVALID_HANDLE);
}
/* namedpipeapi/nf-namedpipeapi-disconnectnamedpipe */
static __inline__ BOOL DisconnectNamedPipe(HANDLE pipe)
{
    (void)pipe;
    return linsock_no_pipe(ERROR_INVALID_HANDLE);
}
/* namedpipeapi/nf-namedpipeapi-setnamedpipehandlestate */
static __inline__ BOOL SetNamedPipeHandleState(HANDLE pipe, LPDWORD mode, LPDWORD max_count, LPDWORD timeout)
{
    (void)pipe, (void)mode, (void)max_count, (void)timeout;
    return linsock_no_pipe(ERROR_INVALID_HANDLE);
}
/* winbase/nf-winbase-getnamedpipeclientprocessid and nf-winbase-getnamedpipeserverprocessid */
static __inline__ BOOL GetNamedPipeClientProcessId(HANDLE pipe, PULONG process)
{
    (void)pipe, (void)process;
    return linsock_no_pipe(ERROR_INVALID_HANDLE);
}
static __inline__ BOOL GetNamedPipeServerProcessId(HANDLE pipe, PULONG process)
{
    return GetNamedPipeClientProcessId(pipe, process);
}
#ifdef UNICODE
#define CreateNamedPipe CreateNamedPipeW
#define WaitNamedPipe WaitNamedPipeW
#else
#define CreateNamedPipe CreateNamedPipeA
#define WaitNamedPipe WaitNamedPipeA
#endif

#endif
