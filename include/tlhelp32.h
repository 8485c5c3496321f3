/* tlhelp32.h - linsock lists no modules, and says so: CreateToolhelp32Snapshot fails. For programs that would show which
 * libraries they have loaded. No function of the library is behind it. */
#ifndef LINSOCK_TLHELP32_H
#define LINSOCK_TLHELP32_H

#include "winbase.h"

#define MAX_MODULE_NAME32 255
#define TH32CS_SNAPMODULE 0x00000008

/* tlhelp32/ns-tlhelp32-moduleentry32 */
typedef struct tagMODULEENTRY32 {
    DWORD dwSize;
    DWORD th32ModuleID;
    DWORD th32ProcessID;
    DWORD GlblcntUsage;
    DWORD ProccntUsage;
    BYTE *modBaseAddr;
    DWORD modBaseSize;
    HMODULE hModule;
    char szModule[MAX_MODULE_NAME32 + 1];
    char szExePath[MAX_PATH];
} MODULEENTRY32, *PMODULEENTRY32, *LPMODULEENTRY32;

/* tlhelp32/nf-tlhelp32-createtoolhelp32snapshot */
static __inline__ HANDLE CreateToolhelp32Snapshot(DWORD flags, DWORD process)
{
    (void)flags, (void)process;
    SetLastError(ERROR_NOT_SUPPORTED);
    return INVALID_HANDLE_VALUE;
}
/* tlhelp32/nf-tlhelp32-module32first: there is no snapshot of anything */
static __inline__ BOOL Module32First(HANDLE snapshot, LPMODULEENTRY32 entry)
{
    (void)snapshot, (void)entry;
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}
/* tlhelp32/nf-tlhelp32-module32next */
static __inline__ BOOL Module32Next(HANDLE snapshot, LPMODULEENTRY32 entry)
{
    return Module32First(snapshot, entry);
}

LINSOCK_ASSERT(sizeof(MODULEENTRY32) == 568, "MODULEENTRY32");

#endif
