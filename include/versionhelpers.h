/* versionhelpers.h - which Windows it is, at least. The answers are VerifyVersionInfo's. */
#ifndef LINSOCK_VERSIONHELPERS_H
#define LINSOCK_VERSIONHELPERS_H

#include "winbase.h"

/* versionhelpers/nf-versionhelpers-iswindowsversionorgreater */
static __inline__ BOOL IsWindowsVersionOrGreater(WORD major, WORD minor, WORD pack)
{
    OSVERSIONINFOEXW wanted;
    DWORDLONG conditions = 0;

    __builtin_memset(&wanted, 0, sizeof wanted);
    wanted.dwOSVersionInfoSize = sizeof wanted;
    wanted.dwMajorVersion = major;
    wanted.dwMinorVersion = minor;
    wanted.wServicePackMajor = pack;
    VER_SET_CONDITION(conditions, VER_MAJORVERSION, VER_GREATER_EQUAL);
    VER_SET_CONDITION(conditions, VER_MINORVERSION, VER_GREATER_EQUAL);
    VER_SET_CONDITION(conditions, VER_SERVICEPACKMAJOR, VER_GREATER_EQUAL);
    return VerifyVersionInfoW(&wanted, VER_MAJORVERSION | VER_MINORVERSION | VER_SERVICEPACKMAJOR, conditions);
}

/* versionhelpers/nf-versionhelpers-iswindowsserver: one that is no workstation */
static __inline__ BOOL IsWindowsServer(void)
{
    OSVERSIONINFOEXW wanted;
    DWORDLONG conditions = 0;

    __builtin_memset(&wanted, 0, sizeof wanted);
    wanted.dwOSVersionInfoSize = sizeof wanted;
    wanted.wProductType = VER_NT_WORKSTATION;
    VER_SET_CONDITION(conditions, VER_PRODUCT_TYPE, VER_EQUAL);
    return !VerifyVersionInfoW(&wanted, VER_PRODUCT_TYPE, conditions);
}

/* versionhelpers/ */
#define LINSOCK_OR_GREATER(name, major, minor, pack) \
    static __inline__ BOOL name(void) { return IsWindowsVersionOrGreater(major, minor, pack); }
LINSOCK_OR_GREATER(IsWindowsXPOrGreater, 5, 1, 0)
LINSOCK_OR_GREATER(IsWindowsXPSP1OrGreater, 5, 1, 1)
LINSOCK_OR_GREATER(IsWindowsXPSP2OrGreater, 5, 1, 2)
LINSOCK_OR_GREATER(IsWindowsXPSP3OrGreater, 5, 1, 3)
LINSOCK_OR_GREATER(IsWindowsVistaOrGreater, 6, 0, 0)
LINSOCK_OR_GREATER(IsWindowsVistaSP1OrGreater, 6, 0, 1)
LINSOCK_OR_GREATER(IsWindowsVistaSP2OrGreater, 6, 0, 2)
LINSOCK_OR_GREATER(IsWindows7OrGreater, 6, 1, 0)
LINSOCK_OR_GREATER(IsWindows7SP1OrGreater, 6, 1, 1)
LINSOCK_OR_GREATER(IsWindows8OrGreater, 6, 2, 0)
LINSOCK_OR_GREATER(IsWindows8Point1OrGreater, 6, 3, 0)
LINSOCK_OR_GREATER(IsWindows10OrGreater, 10, 0, 0)
#undef LINSOCK_OR_GREATER

#endif
