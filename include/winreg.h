/* winreg.h - the registry, in which nothing is found and to which nothing is added: every key is one that does not exist. Programs that look for a
 * setting there go on with their default. No function of the library is behind it. */
#ifndef LINSOCK_WINREG_H
#define LINSOCK_WINREG_H

#include "winbase.h"
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
#define KEY_WRITE 0x20006
#define KEY_ALL_ACCESS 0xF003F
/* winreg/nf-winreg-regcreatekeyexa: dwOptions */
#define REG_OPTION_NON_VOLATILE 0
#define REG_OPTION_VOLATILE 1
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
/* winreg/nf-winreg-regcreatekeyexa: nobody may add to it */
static __inline__ LSTATUS RegCreateKeyExA(HKEY key, LPCSTR name, DWORD reserved, LPSTR kind, DWORD options,
                                          REGSAM access, LPSECURITY_ATTRIBUTES security, PHKEY result, LPDWORD made)
{
    (void)key, (void)name, (void)reserved, (void)kind, (void)options, (void)access, (void)security, (void)result;
    (void)made;
    return ERROR_ACCESS_DENIED;
}
/* winreg/nf-winreg-regcreatekeyexw */
static __inline__ LSTATUS RegCreateKeyExW(HKEY key, LPCWSTR name, DWORD reserved, LPWSTR kind, DWORD options,
                                          REGSAM access, LPSECURITY_ATTRIBUTES security, PHKEY result, LPDWORD made)
{
    (void)key, (void)name, (void)reserved, (void)kind, (void)options, (void)access, (void)security, (void)result;
    (void)made;
    return ERROR_ACCESS_DENIED;
}
/* winreg/nf-winreg-regsetvalueexa */
static __inline__ LSTATUS RegSetValueExA(HKEY key, LPCSTR name, DWORD reserved, DWORD type, const BYTE *data, DWORD size)
{
    (void)key, (void)name, (void)reserved, (void)type, (void)data, (void)size;
    return ERROR_ACCESS_DENIED;
}
/* winreg/nf-winreg-regsetvalueexw */
static __inline__ LSTATUS RegSetValueExW(HKEY key, LPCWSTR name, DWORD reserved, DWORD type, const BYTE *data, DWORD size)
{
    (void)key, (void)name, (void)reserved, (void)type, (void)data, (void)size;
    return ERROR_ACCESS_DENIED;
}
/* winreg/nf-winreg-regclosekey: a predefined key can be closed, and no other is there */
static __inline__ LSTATUS RegCloseKey(HKEY key)
{
    return (ULONG_PTR)key >> 31 == (ULONG_PTR)HKEY_CLASSES_ROOT >> 31 ? ERROR_SUCCESS : ERROR_INVALID_HANDLE;
}

#ifdef UNICODE
#define RegOpenKeyEx RegOpenKeyExW
#define RegQueryValueEx RegQueryValueExW
#define RegCreateKeyEx RegCreateKeyExW
#define RegSetValueEx RegSetValueExW
#else
#define RegOpenKeyEx RegOpenKeyExA
#define RegQueryValueEx RegQueryValueExA
#define RegCreateKeyEx RegCreateKeyExA
#define RegSetValueEx RegSetValueExA
#endif

#endif
