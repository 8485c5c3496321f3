/* winsvc.h - Windows services. A program that runs as one runs as a service of systemd (Type=notify); what installs
 * services is refused, as the database of services is systemd's. */
#ifndef LINSOCK_WINSVC_H
#define LINSOCK_WINSVC_H

#include "winbase.h"
#include "winerror.h"

/* winsvc/ns-winsvc-service_status: dwServiceType */
#define SERVICE_WIN32_OWN_PROCESS 0x10
#define SERVICE_WIN32_SHARE_PROCESS 0x20
#define SERVICE_WIN32 0x30
/* dwCurrentState */
#define SERVICE_STOPPED 0x1
#define SERVICE_START_PENDING 0x2
#define SERVICE_STOP_PENDING 0x3
#define SERVICE_RUNNING 0x4
#define SERVICE_CONTINUE_PENDING 0x5
#define SERVICE_PAUSE_PENDING 0x6
#define SERVICE_PAUSED 0x7
/* dwControlsAccepted */
#define SERVICE_ACCEPT_STOP 0x1
#define SERVICE_ACCEPT_PAUSE_CONTINUE 0x2
#define SERVICE_ACCEPT_SHUTDOWN 0x4
#define SERVICE_ACCEPT_PARAMCHANGE 0x8
#define SERVICE_ACCEPT_PRESHUTDOWN 0x100
/* winsvc/nc-winsvc-lphandler_function: dwControl */
#define SERVICE_CONTROL_STOP 0x1
#define SERVICE_CONTROL_PAUSE 0x2
#define SERVICE_CONTROL_CONTINUE 0x3
#define SERVICE_CONTROL_INTERROGATE 0x4
#define SERVICE_CONTROL_SHUTDOWN 0x5
#define SERVICE_CONTROL_PARAMCHANGE 0x6
#define SERVICE_CONTROL_PRESHUTDOWN 0xF
/* winsvc/nf-winsvc-createservicea: dwStartType, dwErrorControl */
#define SERVICE_AUTO_START 0x2
#define SERVICE_DEMAND_START 0x3
#define SERVICE_DISABLED 0x4
#define SERVICE_ERROR_IGNORE 0x0
#define SERVICE_ERROR_NORMAL 0x1
#define SERVICE_ERROR_SEVERE 0x2
#define SERVICE_ERROR_CRITICAL 0x3
/* services/service-security-and-access-rights */
#define SERVICE_QUERY_CONFIG 0x1
#define SERVICE_CHANGE_CONFIG 0x2
#define SERVICE_QUERY_STATUS 0x4
#define SERVICE_ENUMERATE_DEPENDENTS 0x8
#define SERVICE_START 0x10
#define SERVICE_STOP 0x20
#define SERVICE_PAUSE_CONTINUE 0x40
#define SERVICE_INTERROGATE 0x80
#define SERVICE_USER_DEFINED_CONTROL 0x100
#define SERVICE_ALL_ACCESS 0xF01FF
#define SC_MANAGER_CONNECT 0x1
#define SC_MANAGER_CREATE_SERVICE 0x2
#define SC_MANAGER_ENUMERATE_SERVICE 0x4
#define SC_MANAGER_LOCK 0x8
#define SC_MANAGER_QUERY_LOCK_STATUS 0x10
#define SC_MANAGER_MODIFY_BOOT_CONFIG 0x20
#define SC_MANAGER_ALL_ACCESS 0xF003F
/* winsvc/nf-winsvc-changeserviceconfig2a, changeserviceconfiga */
#define SERVICE_CONFIG_DESCRIPTION 0x1
#define SERVICE_CONFIG_FAILURE_ACTIONS 0x2
#define SERVICE_NO_CHANGE 0xFFFFFFFF

typedef HANDLE SERVICE_STATUS_HANDLE;
typedef struct SC_HANDLE__ *SC_HANDLE;
typedef SC_HANDLE *LPSC_HANDLE;

/* winsvc/ns-winsvc-service_status */
typedef struct _SERVICE_STATUS {
    DWORD dwServiceType;
    DWORD dwCurrentState;
    DWORD dwControlsAccepted;
    DWORD dwWin32ExitCode;
    DWORD dwServiceSpecificExitCode;
    DWORD dwCheckPoint;
    DWORD dwWaitHint;
} SERVICE_STATUS, *LPSERVICE_STATUS;

/* winsvc/nc-winsvc-lpservice_main_functiona */
typedef VOID(WINAPI *LPSERVICE_MAIN_FUNCTIONA)(DWORD dwNumServicesArgs, LPSTR *lpServiceArgVectors);
typedef VOID(WINAPI *LPSERVICE_MAIN_FUNCTIONW)(DWORD dwNumServicesArgs, LPWSTR *lpServiceArgVectors);
/* winsvc/nc-winsvc-lphandler_function, lphandler_function_ex */
typedef VOID(WINAPI *LPHANDLER_FUNCTION)(DWORD dwControl);
typedef DWORD(WINAPI *LPHANDLER_FUNCTION_EX)(DWORD dwControl, DWORD dwEventType, LPVOID lpEventData, LPVOID lpContext);
/* winsvc/ns-winsvc-service_table_entrya */
typedef struct _SERVICE_TABLE_ENTRYA {
    LPSTR lpServiceName;
    LPSERVICE_MAIN_FUNCTIONA lpServiceProc;
} SERVICE_TABLE_ENTRYA, *LPSERVICE_TABLE_ENTRYA;
typedef struct _SERVICE_TABLE_ENTRYW {
    LPWSTR lpServiceName;
    LPSERVICE_MAIN_FUNCTIONW lpServiceProc;
} SERVICE_TABLE_ENTRYW, *LPSERVICE_TABLE_ENTRYW;
/* winsvc/ns-winsvc-service_descriptiona */
typedef struct _SERVICE_DESCRIPTIONA {
    LPSTR lpDescription;
} SERVICE_DESCRIPTIONA, *LPSERVICE_DESCRIPTIONA;
typedef struct _SERVICE_DESCRIPTIONW {
    LPWSTR lpDescription;
} SERVICE_DESCRIPTIONW, *LPSERVICE_DESCRIPTIONW;

LINSOCK_EXTERN_C_BEGIN

/* winsvc/nf-winsvc-startservicectrldispatchera */
BOOL WINAPI StartServiceCtrlDispatcherA(const SERVICE_TABLE_ENTRYA *lpServiceStartTable);
/* winsvc/nf-winsvc-startservicectrldispatcherw */
BOOL WINAPI StartServiceCtrlDispatcherW(const SERVICE_TABLE_ENTRYW *lpServiceStartTable);
/* winsvc/nf-winsvc-registerservicectrlhandlera */
SERVICE_STATUS_HANDLE WINAPI RegisterServiceCtrlHandlerA(LPCSTR lpServiceName, LPHANDLER_FUNCTION lpHandlerProc);
/* winsvc/nf-winsvc-registerservicectrlhandlerw */
SERVICE_STATUS_HANDLE WINAPI RegisterServiceCtrlHandlerW(LPCWSTR lpServiceName, LPHANDLER_FUNCTION lpHandlerProc);
/* winsvc/nf-winsvc-registerservicectrlhandlerexa */
SERVICE_STATUS_HANDLE WINAPI RegisterServiceCtrlHandlerExA(LPCSTR lpServiceName, LPHANDLER_FUNCTION_EX lpHandlerProc,
                                                           LPVOID lpContext);
/* winsvc/nf-winsvc-registerservicectrlhandlerexw */
SERVICE_STATUS_HANDLE WINAPI RegisterServiceCtrlHandlerExW(LPCWSTR lpServiceName, LPHANDLER_FUNCTION_EX lpHandlerProc,
                                                           LPVOID lpContext);
/* winsvc/nf-winsvc-setservicestatus */
BOOL WINAPI SetServiceStatus(SERVICE_STATUS_HANDLE hServiceStatus, LPSERVICE_STATUS lpServiceStatus);

/* winsvc/nf-winsvc-openscmanagera */
static __inline__ SC_HANDLE OpenSCManagerA(LPCSTR machine, LPCSTR database, DWORD access)
{
    (void)machine, (void)database, (void)access;
    SetLastError(ERROR_ACCESS_DENIED);
    return 0;
}
/* winsvc/nf-winsvc-createservicea */
static __inline__ SC_HANDLE CreateServiceA(SC_HANDLE manager, LPCSTR name, LPCSTR shown, DWORD access, DWORD type,
    DWORD start, DWORD control, LPCSTR path, LPCSTR group, LPDWORD tag, LPCSTR depends, LPCSTR user, LPCSTR password)
{
    (void)manager, (void)name, (void)shown, (void)access, (void)type, (void)start, (void)control, (void)path, (void)group, (void)tag, (void)depends, (void)user, (void)password;
    SetLastError(ERROR_INVALID_HANDLE);
    return 0;
}
/* winsvc/nf-winsvc-openservicea */
static __inline__ SC_HANDLE OpenServiceA(SC_HANDLE manager, LPCSTR name, DWORD access)
{
    (void)manager, (void)name, (void)access;
    SetLastError(ERROR_INVALID_HANDLE);
    return 0;
}
/* winsvc/nf-winsvc-startservicea */
static __inline__ BOOL StartServiceA(SC_HANDLE service, DWORD count, LPCSTR *arguments)
{
    (void)service, (void)count, (void)arguments;
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}
/* winsvc/nf-winsvc-changeserviceconfig2a */
static __inline__ BOOL ChangeServiceConfig2A(SC_HANDLE service, DWORD level, LPVOID info)
{
    (void)service, (void)level, (void)info;
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}
/* winsvc/nf-winsvc-openscmanagerw */
static __inline__ SC_HANDLE OpenSCManagerW(LPCWSTR machine, LPCWSTR database, DWORD access)
{
    (void)machine, (void)database, (void)access;
    SetLastError(ERROR_ACCESS_DENIED);
    return 0;
}
/* winsvc/nf-winsvc-createservicew */
static __inline__ SC_HANDLE CreateServiceW(SC_HANDLE manager, LPCWSTR name, LPCWSTR shown, DWORD access, DWORD type,
    DWORD start, DWORD control, LPCWSTR path, LPCWSTR group, LPDWORD tag, LPCWSTR depends, LPCWSTR user, LPCWSTR password)
{
    (void)manager, (void)name, (void)shown, (void)access, (void)type, (void)start, (void)control, (void)path, (void)group, (void)tag, (void)depends, (void)user, (void)password;
    SetLastError(ERROR_INVALID_HANDLE);
    return 0;
}
/* winsvc/nf-winsvc-openservicew */
static __inline__ SC_HANDLE OpenServiceW(SC_HANDLE manager, LPCWSTR name, DWORD access)
{
    (void)manager, (void)name, (void)access;
    SetLastError(ERROR_INVALID_HANDLE);
    return 0;
}
/* winsvc/nf-winsvc-startservicew */
static __inline__ BOOL StartServiceW(SC_HANDLE service, DWORD count, LPCWSTR *arguments)
{
    (void)service, (void)count, (void)arguments;
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}
/* winsvc/nf-winsvc-changeserviceconfig2w */
static __inline__ BOOL ChangeServiceConfig2W(SC_HANDLE service, DWORD level, LPVOID info)
{
    (void)service, (void)level, (void)info;
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}
/* winsvc/nf-winsvc-controlservice */
static __inline__ BOOL ControlService(SC_HANDLE service, DWORD control, LPSERVICE_STATUS status)
{
    (void)service, (void)control, (void)status;
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}
/* winsvc/nf-winsvc-queryservicestatus */
static __inline__ BOOL QueryServiceStatus(SC_HANDLE service, LPSERVICE_STATUS status)
{
    (void)service, (void)status;
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}
/* winsvc/nf-winsvc-deleteservice */
static __inline__ BOOL DeleteService(SC_HANDLE service)
{
    (void)service;
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}
/* winsvc/nf-winsvc-closeservicehandle */
static __inline__ BOOL CloseServiceHandle(SC_HANDLE handle)
{
    (void)handle;
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}

LINSOCK_EXTERN_C_END

#ifdef UNICODE
#define SERVICE_TABLE_ENTRY SERVICE_TABLE_ENTRYW
#define LPSERVICE_TABLE_ENTRY LPSERVICE_TABLE_ENTRYW
#define LPSERVICE_MAIN_FUNCTION LPSERVICE_MAIN_FUNCTIONW
#define SERVICE_DESCRIPTION SERVICE_DESCRIPTIONW
#define StartServiceCtrlDispatcher StartServiceCtrlDispatcherW
#define RegisterServiceCtrlHandler RegisterServiceCtrlHandlerW
#define RegisterServiceCtrlHandlerEx RegisterServiceCtrlHandlerExW
#define OpenSCManager OpenSCManagerW
#define CreateService CreateServiceW
#define OpenService OpenServiceW
#define StartService StartServiceW
#define ChangeServiceConfig2 ChangeServiceConfig2W
#else
#define SERVICE_TABLE_ENTRY SERVICE_TABLE_ENTRYA
#define LPSERVICE_TABLE_ENTRY LPSERVICE_TABLE_ENTRYA
#define LPSERVICE_MAIN_FUNCTION LPSERVICE_MAIN_FUNCTIONA
#define SERVICE_DESCRIPTION SERVICE_DESCRIPTIONA
#define StartServiceCtrlDispatcher StartServiceCtrlDispatcherA
#define RegisterServiceCtrlHandler RegisterServiceCtrlHandlerA
#define RegisterServiceCtrlHandlerEx RegisterServiceCtrlHandlerExA
#define OpenSCManager OpenSCManagerA
#define CreateService CreateServiceA
#define OpenService OpenServiceA
#define StartService StartServiceA
#define ChangeServiceConfig2 ChangeServiceConfig2A
#endif

#endif
