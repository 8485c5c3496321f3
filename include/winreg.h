/* winreg.h - the registry, in which nothing is found: every key is one that does not exist. Programs that look for a
 * setting there go on with their default. No function of the library is behind it. */
#ifndef LINSOCK_WINREG_H
#define LINSOCK_WINREG_H

#include "winnt.h"
#include "winerror.h"

typedef struct HKEY__ *HKEY;
typedef HKEY *PHKEY;
typedef DWORD REGSAM;
typedef LONG LSTATUS;

/* sysinfo/predefined-keys */
#define HKEY_CLASSES_ROOT ((HKEY)(LONG_PTR)(LONG)0x80000000)
#define HKEY_CURRENT_USER ((HKEY)(LONG_PTR)(LONG)0x80000001)
#define HKEY_LOCAL_MACHINE ((HKEY)(LONG_PTR)(LONG)0x80000002)
#define HKEY_USERS ((HKEY)(LONG_PTR)(LONG)0x80000003)
/* sysinfo/registry-key-security-and-access-rights */
#define KEY_QUERY_VALUE 0x0001
#define KEY_SET_VALUE 0x0002
#define KEY_CREATE_SUB_KEY 0x0004
#define KEY_ENUMERATE_SUB_KEYS 0x0008
#define KEY_NOTIFY 0x0010
#define KEY_READ 0x20019
/* sysinfo/registry-value-types */
#define REG_SZ 1
#define REG_EXPAND_SZ 2
#define REG_BINARY 3
#define REG_DWORD 4
#define REG_MULTI_SZ 7

/* winreg/nf-winreg-regopenkeyexa */
static __inline__ LSTATUS RegOpenKeyExA(HKEY key, LPCSTR name, DWORD options, REGSAM access, PHKEY result)
{
    (void)key, (void)name, (void)options, (void)access, (void)result;
    return ERROR_FILE_NOT_FOUND;
}
/* winreg/nf-winreg-regopenkeyexw */
static __inline__ LSTATUS RegOpenKeyExW(HKEY key, LPCWSTR name, DWORD options, REGSAM access, PHKEY result)
{
    (void)key, (void)name, (void)options, (void)access, (void)result;
    return ERROR_FILE_NOT_FOUND;
}
/* winreg/nf-winreg-regqueryvalueexa: nor has a predefined key a value */
static __inline__ LSTATUS RegQueryValueExA(HKEY key, LPCSTR name, LPDWORD reserved, LPDWORD type, LPBYTE data,
                                           LPDWORD size)
{
    (void)key, (void)name, (void)reserved, (void)type, (void)data, (void)size;
    return ERROR_FILE_NOT_FOUND;
}
/* winreg/nf-winreg-regqueryvalueexw */
static __inline__ LSTATUS RegQueryValueExW(HKEY key, LPCWSTR name, LPDWORD reserved, LPDWORD type, LPBYTE data,
                                           LPDWORD size)
{
    (void)key, (void)name, (void)reserved, (void)type, (void)data, (void)size;
    return ERROR_FILE_NOT_FOUND;
}
/* winreg/nf-winreg-regclosekey: a predefined key can be closed, and no other is there */
static __inline__ LSTATUS RegCloseKey(HKEY key)
{
    return (ULONG_PTR)key >> 31 == (ULONG_PTR)HKEY_CLASSES_ROOT >> 31 ? ERROR_SUCCESS : ERROR_INVALID_HANDLE;
}

#ifdef UNICODE
#define RegOpenKeyEx RegOpenKeyExW
#define RegQueryValueEx RegQueryValueExW
#else
#define RegOpenKeyEx RegOpenKeyExA
#define RegQueryValueEx RegQueryValueExA
#endif

#endif
