/* winbase.h - the part of kernel32 that socket programs use: ports, events, waits, threads, locks, heaps. */
#ifndef LINSOCK_WINBASE_H
#define LINSOCK_WINBASE_H

#include "winnt.h"
#include "winerror.h"

LINSOCK_EXTERN_C_BEGIN

#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)
#define INFINITE 0xFFFFFFFF
#define WAIT_FAILED ((DWORD)0xFFFFFFFF)
#define WAIT_OBJECT_0 (STATUS_WAIT_0 + 0)
#define WAIT_ABANDONED (STATUS_ABANDONED_WAIT_0 + 0)
#define WAIT_ABANDONED_0 (STATUS_ABANDONED_WAIT_0 + 0)
#define WAIT_IO_COMPLETION STATUS_USER_APC
#define STILL_ACTIVE STATUS_PENDING
#define CREATE_WAITABLE_TIMER_MANUAL_RESET 0x00000001
#define CREATE_WAITABLE_TIMER_HIGH_RESOLUTION 0x00000002
#define TIMER_QUERY_STATE 0x0001
#define TIMER_MODIFY_STATE 0x0002
#define TIMER_ALL_ACCESS 0x001F0003
#define CREATE_SUSPENDED 0x00000004
#define STACK_SIZE_PARAM_IS_A_RESERVATION 0x00010000
#define HANDLE_FLAG_INHERIT 0x00000001
#define HANDLE_FLAG_PROTECT_FROM_CLOSE 0x00000002
#define DUPLICATE_CLOSE_SOURCE 0x00000001
#define DUPLICATE_SAME_ACCESS 0x00000002
#define FILE_SKIP_COMPLETION_PORT_ON_SUCCESS 0x1
#define FILE_SKIP_SET_EVENT_ON_HANDLE 0x2
#define FILE_FLAG_WRITE_THROUGH 0x80000000
#define FILE_FLAG_OVERLAPPED 0x40000000
#define FILE_FLAG_NO_BUFFERING 0x20000000
#define FILE_FLAG_RANDOM_ACCESS 0x10000000
#define FILE_FLAG_SEQUENTIAL_SCAN 0x08000000
#define FILE_FLAG_DELETE_ON_CLOSE 0x04000000
#define FILE_FLAG_BACKUP_SEMANTICS 0x02000000
#define FILE_BEGIN 0
#define FILE_CURRENT 1
#define FILE_END 2
#define FILE_TYPE_UNKNOWN 0x0000
#define FILE_TYPE_DISK 0x0001
#define FILE_TYPE_CHAR 0x0002
#define FILE_TYPE_PIPE 0x0003
#define THREAD_PRIORITY_LOWEST (-2)
#define THREAD_PRIORITY_BELOW_NORMAL (-1)
#define THREAD_PRIORITY_NORMAL 0
#define THREAD_PRIORITY_ABOVE_NORMAL 1
#define THREAD_PRIORITY_HIGHEST 2
#define THREAD_PRIORITY_TIME_CRITICAL 15
#define THREAD_PRIORITY_IDLE (-15)
#define THREAD_PRIORITY_ERROR_RETURN 0x7FFFFFFF
#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x00000100
#define FORMAT_MESSAGE_IGNORE_INSERTS 0x00000200
#define FORMAT_MESSAGE_FROM_STRING 0x00000400
#define FORMAT_MESSAGE_FROM_HMODULE 0x00000800
#define FORMAT_MESSAGE_FROM_SYSTEM 0x00001000
#define FORMAT_MESSAGE_ARGUMENT_ARRAY 0x00002000
#define FORMAT_MESSAGE_MAX_WIDTH_MASK 0x000000FF
#define LOAD_LIBRARY_AS_DATAFILE 0x00000002
#define LOAD_WITH_ALTERED_SEARCH_PATH 0x00000008
#define LOAD_LIBRARY_SEARCH_APPLICATION_DIR 0x00000200
#define LOAD_LIBRARY_SEARCH_SYSTEM32 0x00000800
#define LOAD_LIBRARY_SEARCH_DEFAULT_DIRS 0x00001000
#define FILE_MAP_COPY 0x0001
#define FILE_MAP_WRITE 0x0002
#define FILE_MAP_READ 0x0004
#define FILE_MAP_ALL_ACCESS 0x000F001F
#define CTRL_C_EVENT 0
#define CTRL_BREAK_EVENT 1
#define CTRL_CLOSE_EVENT 2
#define CTRL_LOGOFF_EVENT 5
#define CTRL_SHUTDOWN_EVENT 6
#define CRITICAL_SECTION_NO_DEBUG_INFO 0x01000000
#define CONDITION_VARIABLE_LOCKMODE_SHARED 0x1
#define CREATE_EVENT_MANUAL_RESET 0x00000001
#define CREATE_EVENT_INITIAL_SET 0x00000002
#define CREATE_MUTEX_INITIAL_OWNER 0x00000001
#define GMEM_FIXED 0x0000
#define GMEM_MOVEABLE 0x0002
#define GMEM_ZEROINIT 0x0040
#define GMEM_MODIFY 0x0080
#define GPTR (GMEM_FIXED | GMEM_ZEROINIT)
#define GHND (GMEM_MOVEABLE | GMEM_ZEROINIT)
#define LMEM_FIXED 0x0000
#define LMEM_MOVEABLE 0x0002
#define LMEM_ZEROINIT 0x0040
#define LMEM_MODIFY 0x0080
#define LPTR (LMEM_FIXED | LMEM_ZEROINIT)
#define LHND (LMEM_MOVEABLE | LMEM_ZEROINIT)
#define NONZEROLPTR LMEM_FIXED
#define CP_ACP 0
#define CP_OEMCP 1
#define CP_THREAD_ACP 3
#define CP_UTF8 65001
#define MB_PRECOMPOSED 0x00000001
#define MB_COMPOSITE 0x00000002
#define MB_USEGLYPHCHARS 0x00000004
#define MB_ERR_INVALID_CHARS 0x00000008
#define WC_COMPOSITECHECK 0x00000200
#define WC_DEFAULTCHAR 0x00000040
#define WC_DISCARDNS 0x00000010
#define WC_SEPCHARS 0x00000020
#define WC_NO_BEST_FIT_CHARS 0x00000400
#define WC_ERR_INVALID_CHARS 0x00000080
#define TLS_OUT_OF_INDEXES ((DWORD)0xFFFFFFFF)
#define FLS_OUT_OF_INDEXES ((DWORD)0xFFFFFFFF)
#define INIT_ONCE_CHECK_ONLY 0x00000001
#define INIT_ONCE_ASYNC 0x00000002
#define INIT_ONCE_INIT_FAILED 0x00000004
#define INIT_ONCE_CTX_RESERVED_BITS 2

/* wtypesbase/ns-wtypesbase-security_attributes */
typedef struct _SECURITY_ATTRIBUTES {
    DWORD nLength;
    LPVOID lpSecurityDescriptor;
    BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

/* winnt/ns-winnt-security_descriptor. Nothing here looks at one. */
typedef PVOID PSID, PSECURITY_DESCRIPTOR;
typedef struct _SECURITY_DESCRIPTOR {
    BYTE Revision;
    BYTE Sbz1;
    WORD Control;
    PSID Owner;
    PSID Group;
    PVOID Sacl;
    PVOID Dacl;
} SECURITY_DESCRIPTOR;
#define SECURITY_DESCRIPTOR_REVISION 1
#define SECURITY_DESCRIPTOR_MIN_LENGTH sizeof(SECURITY_DESCRIPTOR)
/* securitybaseapi/nf-securitybaseapi-isvalidsecuritydescriptor: one of the known revision */
#define IsValidSecurityDescriptor(descriptor)                                                              \
    ((BOOL)(((const SECURITY_DESCRIPTOR *)(descriptor))->Revision == SECURITY_DESCRIPTOR_REVISION))

/* minwinbase/ns-minwinbase-overlapped */
typedef struct _OVERLAPPED {
    ULONG_PTR Internal;
    ULONG_PTR InternalHigh;
    __extension__ union {
        __extension__ struct {
            DWORD Offset;
            DWORD OffsetHigh;
        };
        PVOID Pointer;
    };
    HANDLE hEvent;
} OVERLAPPED, *LPOVERLAPPED;

/* minwinbase/ns-minwinbase-overlapped_entry */
typedef struct _OVERLAPPED_ENTRY {
    ULONG_PTR lpCompletionKey;
    LPOVERLAPPED lpOverlapped;
    ULONG_PTR Internal;
    DWORD dwNumberOfBytesTransferred;
} OVERLAPPED_ENTRY, *LPOVERLAPPED_ENTRY;

/* winbase/nf-winbase-hasoverlappediocompleted. Programs spin on it, so it is an acquiring load. */
#define HasOverlappedIoCompleted(lpOverlapped)                                                             \
    ((DWORD)__atomic_load_n(&(lpOverlapped)->Internal, __ATOMIC_ACQUIRE) != STATUS_PENDING)

/* minwinbase/nc-minwinbase-lpoverlapped_completion_routine */
typedef VOID(WINAPI *LPOVERLAPPED_COMPLETION_ROUTINE)(DWORD dwErrorCode, DWORD dwNumberOfBytesTransfered,
                                                       LPOVERLAPPED lpOverlapped);
/* processthreadsapi/nc-processthreadsapi-lpthread_start_routine */
typedef DWORD(WINAPI *PTHREAD_START_ROUTINE)(LPVOID lpThreadParameter);
typedef PTHREAD_START_ROUTINE LPTHREAD_START_ROUTINE;
/* winnt/nc-winnt-papcfunc */
typedef VOID(NTAPI *PAPCFUNC)(ULONG_PTR Parameter);
/* synchapi/nc-synchapi-ptimerapcroutine */
typedef VOID(APIENTRY *PTIMERAPCROUTINE)(LPVOID lpArgToCompletionRoutine, DWORD dwTimerLowValue,
                                         DWORD dwTimerHighValue);
/* minwinbase/ns-minwinbase-reason_context: why the system is to be woken, which it never is here */
typedef struct _REASON_CONTEXT *PREASON_CONTEXT;
/* consoleapi/nf-consoleapi-setconsolectrlhandler */
typedef BOOL(WINAPI *PHANDLER_ROUTINE)(DWORD CtrlType);

/* winnt: RTL_CRITICAL_SECTION, opaque; all zero is a valid initial state. The members are there because programs
 * initialize them one by one; what they hold is not what they are called. */
typedef struct _RTL_CRITICAL_SECTION {
    PVOID DebugInfo;
    LONG LockCount;
    LONG RecursionCount;
    HANDLE OwningThread;
    HANDLE LockSemaphore;
    ULONG_PTR SpinCount;
} RTL_CRITICAL_SECTION, *PRTL_CRITICAL_SECTION;
typedef RTL_CRITICAL_SECTION CRITICAL_SECTION, *PCRITICAL_SECTION, *LPCRITICAL_SECTION;

/* synchapi: SRWLOCK, opaque */
typedef struct _RTL_SRWLOCK {
    PVOID Ptr;
} RTL_SRWLOCK, *PRTL_SRWLOCK;
typedef RTL_SRWLOCK SRWLOCK, *PSRWLOCK;
#define SRWLOCK_INIT {0}
#define RTL_SRWLOCK_INIT {0}

/* synchapi: CONDITION_VARIABLE, opaque */
typedef struct _RTL_CONDITION_VARIABLE {
    PVOID Ptr;
} RTL_CONDITION_VARIABLE, *PRTL_CONDITION_VARIABLE;
typedef RTL_CONDITION_VARIABLE CONDITION_VARIABLE, *PCONDITION_VARIABLE;
#define CONDITION_VARIABLE_INIT {0}
#define RTL_CONDITION_VARIABLE_INIT {0}

/* synchapi: INIT_ONCE, opaque; all zero is an initialization that has not begun */
typedef union _RTL_RUN_ONCE {
    PVOID Ptr;
} RTL_RUN_ONCE, *PRTL_RUN_ONCE;
typedef RTL_RUN_ONCE INIT_ONCE, *PINIT_ONCE, *LPINIT_ONCE;
#define INIT_ONCE_STATIC_INIT {0}
#define RTL_RUN_ONCE_INIT {0}
/* winnt/nc-winnt-pfls_callback_function */
typedef VOID(WINAPI *PFLS_CALLBACK_FUNCTION)(PVOID lpFlsData);
/* synchapi/nc-synchapi-pinit_once_fn */
typedef BOOL(WINAPI *PINIT_ONCE_FN)(PINIT_ONCE InitOnce, PVOID Parameter, PVOID *Context);

/* minwinbase/ns-minwinbase-systemtime */
typedef struct _SYSTEMTIME {
    WORD wYear;
    WORD wMonth;
    WORD wDayOfWeek;
    WORD wDay;
    WORD wHour;
    WORD wMinute;
    WORD wSecond;
    WORD wMilliseconds;
} SYSTEMTIME, *PSYSTEMTIME, *LPSYSTEMTIME;

/* sysinfoapi/ns-sysinfoapi-system_info */
typedef struct _SYSTEM_INFO {
    __extension__ union {
        DWORD dwOemId;
        __extension__ struct {
            WORD wProcessorArchitecture;
            WORD wReserved;
        };
    };
    DWORD dwPageSize;
    LPVOID lpMinimumApplicationAddress;
    LPVOID lpMaximumApplicationAddress;
    DWORD_PTR dwActiveProcessorMask;
    DWORD dwNumberOfProcessors;
    DWORD dwProcessorType;
    DWORD dwAllocationGranularity;
    WORD wProcessorLevel;
    WORD wProcessorRevision;
} SYSTEM_INFO, *LPSYSTEM_INFO;

/* errhandlingapi/nf-errhandlingapi-getlasterror */
DWORD WINAPI GetLastError(void);
/* errhandlingapi/nf-errhandlingapi-setlasterror */
VOID WINAPI SetLastError(DWORD dwErrCode);

/* ioapiset/nf-ioapiset-createiocompletionport */
HANDLE WINAPI CreateIoCompletionPort(HANDLE FileHandle, HANDLE ExistingCompletionPort, ULONG_PTR CompletionKey,
                                     DWORD NumberOfConcurrentThreads);
/* ioapiset/nf-ioapiset-getqueuedcompletionstatus */
BOOL WINAPI GetQueuedCompletionStatus(HANDLE CompletionPort, LPDWORD lpNumberOfBytesTransferred,
                                      PULONG_PTR lpCompletionKey, LPOVERLAPPED *lpOverlapped, DWORD dwMilliseconds);
/* ioapiset/nf-ioapiset-getqueuedcompletionstatusex */
BOOL WINAPI GetQueuedCompletionStatusEx(HANDLE CompletionPort, LPOVERLAPPED_ENTRY lpCompletionPortEntries,
                                        ULONG ulCount, PULONG ulNumEntriesRemoved, DWORD dwMilliseconds,
                                        BOOL fAlertable);
/* ioapiset/nf-ioapiset-postqueuedcompletionstatus */
BOOL WINAPI PostQueuedCompletionStatus(HANDLE CompletionPort, DWORD dwNumberOfBytesTransferred,
                                       ULONG_PTR dwCompletionKey, LPOVERLAPPED lpOverlapped);
/* winbase/nf-winbase-setfilecompletionnotificationmodes */
BOOL WINAPI SetFileCompletionNotificationModes(HANDLE FileHandle, UCHAR Flags);
/* ioapiset/nf-ioapiset-cancelio */
BOOL WINAPI CancelIo(HANDLE hFile);
/* ioapiset/nf-ioapiset-cancelioex */
BOOL WINAPI CancelIoEx(HANDLE hFile, LPOVERLAPPED lpOverlapped);
/* ioapiset/nf-ioapiset-cancelsynchronousio */
BOOL WINAPI CancelSynchronousIo(HANDLE hThread);
/* ioapiset/nf-ioapiset-getoverlappedresult */
BOOL WINAPI GetOverlappedResult(HANDLE hFile, LPOVERLAPPED lpOverlapped, LPDWORD lpNumberOfBytesTransferred,
                                BOOL bWait);
/* ioapiset/nf-ioapiset-getoverlappedresultex */
BOOL WINAPI GetOverlappedResultEx(HANDLE hFile, LPOVERLAPPED lpOverlapped, LPDWORD lpNumberOfBytesTransferred,
                                  DWORD dwMilliseconds, BOOL bAlertable);
/* synchapi/nf-synchapi-createeventa */
HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset, BOOL bInitialState,
                           LPCSTR lpName);
/* synchapi/nf-synchapi-createeventw */
HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset, BOOL bInitialState,
                           LPCWSTR lpName);
/* synchapi/nf-synchapi-createeventexa */
HANDLE WINAPI CreateEventExA(LPSECURITY_ATTRIBUTES lpEventAttributes, LPCSTR lpName, DWORD dwFlags,
                             DWORD dwDesiredAccess);
/* synchapi/nf-synchapi-createeventexw */
HANDLE WINAPI CreateEventExW(LPSECURITY_ATTRIBUTES lpEventAttributes, LPCWSTR lpName, DWORD dwFlags,
                             DWORD dwDesiredAccess);
/* synchapi/nf-synchapi-openeventa */
HANDLE WINAPI OpenEventA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);
/* synchapi/nf-synchapi-openeventw */
HANDLE WINAPI OpenEventW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName);
/* synchapi/nf-synchapi-setevent */
BOOL WINAPI SetEvent(HANDLE hEvent);
/* synchapi/nf-synchapi-resetevent */
BOOL WINAPI ResetEvent(HANDLE hEvent);
/* winbase/nf-winbase-createsemaphorea */
HANDLE WINAPI CreateSemaphoreA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount,
                               LPCSTR lpName);
/* synchapi/nf-synchapi-createsemaphorew */
HANDLE WINAPI CreateSemaphoreW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount,
                               LPCWSTR lpName);
/* winbase/nf-winbase-createsemaphoreexa */
HANDLE WINAPI CreateSemaphoreExA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount,
                                 LPCSTR lpName, DWORD dwFlags, DWORD dwDesiredAccess);
/* synchapi/nf-synchapi-createsemaphoreexw */
HANDLE WINAPI CreateSemaphoreExW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount,
                                 LPCWSTR lpName, DWORD dwFlags, DWORD dwDesiredAccess);
/* winbase/nf-winbase-opensemaphorea */
HANDLE WINAPI OpenSemaphoreA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);
/* synchapi/nf-synchapi-opensemaphorew */
HANDLE WINAPI OpenSemaphoreW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName);
/* synchapi/nf-synchapi-releasesemaphore */
BOOL WINAPI ReleaseSemaphore(HANDLE hSemaphore, LONG lReleaseCount, LPLONG lpPreviousCount);
/* synchapi/nf-synchapi-createmutexa */
HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner, LPCSTR lpName);
/* synchapi/nf-synchapi-createmutexw */
HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner, LPCWSTR lpName);
/* synchapi/nf-synchapi-createmutexexa */
HANDLE WINAPI CreateMutexExA(LPSECURITY_ATTRIBUTES lpMutexAttributes, LPCSTR lpName, DWORD dwFlags,
                             DWORD dwDesiredAccess);
/* synchapi/nf-synchapi-createmutexexw */
HANDLE WINAPI CreateMutexExW(LPSECURITY_ATTRIBUTES lpMutexAttributes, LPCWSTR lpName, DWORD dwFlags,
                             DWORD dwDesiredAccess);
/* winbase/nf-winbase-openmutexa */
HANDLE WINAPI OpenMutexA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);
/* synchapi/nf-synchapi-openmutexw */
HANDLE WINAPI OpenMutexW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName);
/* synchapi/nf-synchapi-releasemutex */
BOOL WINAPI ReleaseMutex(HANDLE hMutex);
/* synchapi/nf-synchapi-createwaitabletimerw, winbase/nf-winbase-createwaitabletimera */
HANDLE WINAPI CreateWaitableTimerA(LPSECURITY_ATTRIBUTES lpTimerAttributes, BOOL bManualReset, LPCSTR lpTimerName);
HANDLE WINAPI CreateWaitableTimerW(LPSECURITY_ATTRIBUTES lpTimerAttributes, BOOL bManualReset, LPCWSTR lpTimerName);
/* synchapi/nf-synchapi-createwaitabletimerexw, winbase/nf-winbase-createwaitabletimerexa */
HANDLE WINAPI CreateWaitableTimerExA(LPSECURITY_ATTRIBUTES lpTimerAttributes, LPCSTR lpTimerName, DWORD dwFlags,
                                     DWORD dwDesiredAccess);
HANDLE WINAPI CreateWaitableTimerExW(LPSECURITY_ATTRIBUTES lpTimerAttributes, LPCWSTR lpTimerName, DWORD dwFlags,
                                     DWORD dwDesiredAccess);
/* synchapi/nf-synchapi-openwaitabletimerw, winbase/nf-winbase-openwaitabletimera */
HANDLE WINAPI OpenWaitableTimerA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpTimerName);
HANDLE WINAPI OpenWaitableTimerW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpTimerName);
/* synchapi/nf-synchapi-setwaitabletimer */
BOOL WINAPI SetWaitableTimer(HANDLE hTimer, const LARGE_INTEGER *lpDueTime, LONG lPeriod,
                             PTIMERAPCROUTINE pfnCompletionRoutine, LPVOID lpArgToCompletionRoutine, BOOL fResume);
/* synchapi/nf-synchapi-setwaitabletimerex */
BOOL WINAPI SetWaitableTimerEx(HANDLE hTimer, const LARGE_INTEGER *lpDueTime, LONG lPeriod,
                               PTIMERAPCROUTINE pfnCompletionRoutine, LPVOID lpArgToCompletionRoutine,
                               PREASON_CONTEXT WakeContext, ULONG TolerableDelay);
/* synchapi/nf-synchapi-cancelwaitabletimer */
BOOL WINAPI CancelWaitableTimer(HANDLE hTimer);
/* synchapi/nf-synchapi-waitforsingleobject */
DWORD WINAPI WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds);
/* synchapi/nf-synchapi-waitforsingleobjectex */
DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable);
/* synchapi/nf-synchapi-waitformultipleobjects */
DWORD WINAPI WaitForMultipleObjects(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll, DWORD dwMilliseconds);
/* synchapi/nf-synchapi-waitformultipleobjectsex */
DWORD WINAPI WaitForMultipleObjectsEx(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll, DWORD dwMilliseconds,
                                      BOOL bAlertable);
/* winbase/nf-winbase-pulseevent */
BOOL WINAPI PulseEvent(HANDLE hEvent);
/* synchapi/nf-synchapi-signalobjectandwait */
DWORD WINAPI SignalObjectAndWait(HANDLE hObjectToSignal, HANDLE hObjectToWaitOn, DWORD dwMilliseconds,
                                 BOOL bAlertable);
/* synchapi/nf-synchapi-waitonaddress */
BOOL WINAPI WaitOnAddress(volatile VOID *Address, PVOID CompareAddress, SIZE_T AddressSize, DWORD dwMilliseconds);
/* synchapi/nf-synchapi-wakebyaddresssingle */
VOID WINAPI WakeByAddressSingle(PVOID Address);
/* synchapi/nf-synchapi-wakebyaddressall */
VOID WINAPI WakeByAddressAll(PVOID Address);
/* handleapi/nf-handleapi-gethandleinformation */
BOOL WINAPI GetHandleInformation(HANDLE hObject, LPDWORD lpdwFlags);
/* handleapi/nf-handleapi-sethandleinformation */
BOOL WINAPI SetHandleInformation(HANDLE hObject, DWORD dwMask, DWORD dwFlags);
/* handleapi/nf-handleapi-closehandle */
BOOL WINAPI CloseHandle(HANDLE hObject);
/* handleapi/nf-handleapi-duplicatehandle */
BOOL WINAPI DuplicateHandle(HANDLE hSourceProcessHandle, HANDLE hSourceHandle, HANDLE hTargetProcessHandle,
                            LPHANDLE lpTargetHandle, DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwOptions);

/* processthreadsapi/nf-processthreadsapi-createthread */
HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize,
                           LPTHREAD_START_ROUTINE lpStartAddress, LPVOID lpParameter, DWORD dwCreationFlags,
                           LPDWORD lpThreadId);
/* processthreadsapi/nf-processthreadsapi-exitthread */
DECLSPEC_NORETURN VOID WINAPI ExitThread(DWORD dwExitCode);
/* processthreadsapi/nf-processthreadsapi-getexitcodethread */
BOOL WINAPI GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode);
/* processthreadsapi/nf-processthreadsapi-resumethread */
DWORD WINAPI ResumeThread(HANDLE hThread);
/* processthreadsapi/nf-processthreadsapi-setthreadpriority */
BOOL WINAPI SetThreadPriority(HANDLE hThread, int nPriority);
/* processthreadsapi/nf-processthreadsapi-getthreadpriority */
int WINAPI GetThreadPriority(HANDLE hThread);
/* processthreadsapi/nf-processthreadsapi-getcurrentthread */
HANDLE WINAPI GetCurrentThread(void);
/* processthreadsapi/nf-processthreadsapi-getcurrentthreadid */
DWORD WINAPI GetCurrentThreadId(void);
/* processthreadsapi/nf-processthreadsapi-getthreadid */
DWORD WINAPI GetThreadId(HANDLE Thread);
/* processthreadsapi/nf-processthreadsapi-terminatethread */
BOOL WINAPI TerminateThread(HANDLE hThread, DWORD dwExitCode);
/* winbase/nf-winbase-setthreadaffinitymask */
DWORD_PTR WINAPI SetThreadAffinityMask(HANDLE hThread, DWORD_PTR dwThreadAffinityMask);
/* winbase/nf-winbase-getprocessaffinitymask */
BOOL WINAPI GetProcessAffinityMask(HANDLE hProcess, PDWORD_PTR lpProcessAffinityMask,
                                   PDWORD_PTR lpSystemAffinityMask);
/* winbase/nf-winbase-setprocessaffinitymask */
BOOL WINAPI SetProcessAffinityMask(HANDLE hProcess, DWORD_PTR dwProcessAffinityMask);
/* processthreadsapi/nf-processthreadsapi-getcurrentprocessornumber */
DWORD WINAPI GetCurrentProcessorNumber(void);
/* processthreadsapi/nf-processthreadsapi-setthreaddescription */
HRESULT WINAPI SetThreadDescription(HANDLE hThread, PCWSTR lpThreadDescription);
/* processthreadsapi/nf-processthreadsapi-getcurrentprocess */
HANDLE WINAPI GetCurrentProcess(void);
/* processthreadsapi/nf-processthreadsapi-getthreadtimes */
BOOL WINAPI GetThreadTimes(HANDLE hThread, LPFILETIME lpCreationTime, LPFILETIME lpExitTime, LPFILETIME lpKernelTime,
                           LPFILETIME lpUserTime);
/* processthreadsapi/nf-processthreadsapi-getprocesstimes */
BOOL WINAPI GetProcessTimes(HANDLE hProcess, LPFILETIME lpCreationTime, LPFILETIME lpExitTime, LPFILETIME lpKernelTime,
                            LPFILETIME lpUserTime);
/* wow64apiset/nf-wow64apiset-iswow64process */
BOOL WINAPI IsWow64Process(HANDLE hProcess, PBOOL Wow64Process);
/* processthreadsapi/nf-processthreadsapi-getcurrentprocessid */
DWORD WINAPI GetCurrentProcessId(void);
/* processthreadsapi/nf-processthreadsapi-exitprocess */
DECLSPEC_NORETURN VOID WINAPI ExitProcess(UINT uExitCode);
/* processthreadsapi/nf-processthreadsapi-queueuserapc */
DWORD WINAPI QueueUserAPC(PAPCFUNC pfnAPC, HANDLE hThread, ULONG_PTR dwData);
/* processthreadsapi/ne-processthreadsapi-queue_user_apc_flags */
typedef enum _QUEUE_USER_APC_FLAGS {
    QUEUE_USER_APC_FLAGS_NONE = 0,
    QUEUE_USER_APC_FLAGS_SPECIAL_USER_APC = 1,
    QUEUE_USER_APC_CALLBACK_DATA_CONTEXT = 0x10000
} QUEUE_USER_APC_FLAGS;
/* processthreadsapi/nf-processthreadsapi-queueuserapc2 */
BOOL WINAPI QueueUserAPC2(PAPCFUNC ApcRoutine, HANDLE Thread, ULONG_PTR Data, QUEUE_USER_APC_FLAGS Flags);
/* procthread/thread-security-and-access-rights */
#define THREAD_TERMINATE 0x0001
#define THREAD_SUSPEND_RESUME 0x0002
#define THREAD_GET_CONTEXT 0x0008
#define THREAD_SET_CONTEXT 0x0010
#define THREAD_SET_INFORMATION 0x0020
#define THREAD_QUERY_INFORMATION 0x0040
#define THREAD_SET_THREAD_TOKEN 0x0080
#define THREAD_IMPERSONATE 0x0100
#define THREAD_DIRECT_IMPERSONATION 0x0200
#define THREAD_SET_LIMITED_INFORMATION 0x0400
#define THREAD_QUERY_LIMITED_INFORMATION 0x0800
#define THREAD_ALL_ACCESS 0x001FFFFF
/* processthreadsapi/nf-processthreadsapi-openthread */
HANDLE WINAPI OpenThread(DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwThreadId);
/* realtimeapiset/nf-realtimeapiset-querythreadcycletime */
BOOL WINAPI QueryThreadCycleTime(HANDLE ThreadHandle, PULONG64 CycleTime);
/* realtimeapiset/nf-realtimeapiset-queryprocesscycletime */
BOOL WINAPI QueryProcessCycleTime(HANDLE ProcessHandle, PULONG64 CycleTime);
/* processthreadsapi/nf-processthreadsapi-switchtothread */
BOOL WINAPI SwitchToThread(void);
/* synchapi/nf-synchapi-sleep */
VOID WINAPI Sleep(DWORD dwMilliseconds);
/* synchapi/nf-synchapi-sleepex */
DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable);

/* synchapi/nf-synchapi-initializecriticalsection */
VOID WINAPI InitializeCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
/* synchapi/nf-synchapi-initializecriticalsectionandspincount */
BOOL WINAPI InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount);
/* synchapi/nf-synchapi-initializecriticalsectionex */
BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount, DWORD Flags);
/* synchapi/nf-synchapi-setcriticalsectionspincount */
DWORD WINAPI SetCriticalSectionSpinCount(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount);
/* synchapi/nf-synchapi-entercriticalsection */
VOID WINAPI EnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
/* synchapi/nf-synchapi-tryentercriticalsection */
BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
/* synchapi/nf-synchapi-leavecriticalsection */
VOID WINAPI LeaveCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
/* synchapi/nf-synchapi-deletecriticalsection */
VOID WINAPI DeleteCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
/* synchapi/nf-synchapi-initializesrwlock */
VOID WINAPI InitializeSRWLock(PSRWLOCK SRWLock);
/* synchapi/nf-synchapi-acquiresrwlockexclusive */
VOID WINAPI AcquireSRWLockExclusive(PSRWLOCK SRWLock);
/* synchapi/nf-synchapi-tryacquiresrwlockexclusive */
BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK SRWLock);
/* synchapi/nf-synchapi-releasesrwlockexclusive */
VOID WINAPI ReleaseSRWLockExclusive(PSRWLOCK SRWLock);
/* synchapi/nf-synchapi-acquiresrwlockshared */
VOID WINAPI AcquireSRWLockShared(PSRWLOCK SRWLock);
/* synchapi/nf-synchapi-tryacquiresrwlockshared */
BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK SRWLock);
/* synchapi/nf-synchapi-releasesrwlockshared */
VOID WINAPI ReleaseSRWLockShared(PSRWLOCK SRWLock);
/* synchapi/nf-synchapi-initializeconditionvariable */
VOID WINAPI InitializeConditionVariable(PCONDITION_VARIABLE ConditionVariable);
/* synchapi/nf-synchapi-sleepconditionvariablecs */
BOOL WINAPI SleepConditionVariableCS(PCONDITION_VARIABLE ConditionVariable, PCRITICAL_SECTION CriticalSection,
                                     DWORD dwMilliseconds);
/* synchapi/nf-synchapi-sleepconditionvariablesrw */
BOOL WINAPI SleepConditionVariableSRW(PCONDITION_VARIABLE ConditionVariable, PSRWLOCK SRWLock, DWORD dwMilliseconds,
                                      ULONG Flags);
/* synchapi/nf-synchapi-wakeconditionvariable */
VOID WINAPI WakeConditionVariable(PCONDITION_VARIABLE ConditionVariable);
/* synchapi/nf-synchapi-wakeallconditionvariable */
VOID WINAPI WakeAllConditionVariable(PCONDITION_VARIABLE ConditionVariable);

/* synchapi/nf-synchapi-initonceinitialize */
VOID WINAPI InitOnceInitialize(PINIT_ONCE InitOnce);
/* synchapi/nf-synchapi-initonceexecuteonce */
BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE InitOnce, PINIT_ONCE_FN InitFn, PVOID Parameter, LPVOID *Context);
/* synchapi/nf-synchapi-initoncebegininitialize */
BOOL WINAPI InitOnceBeginInitialize(LPINIT_ONCE lpInitOnce, DWORD dwFlags, PBOOL fPending, LPVOID *lpContext);
/* synchapi/nf-synchapi-initoncecomplete */
BOOL WINAPI InitOnceComplete(LPINIT_ONCE lpInitOnce, DWORD dwFlags, LPVOID lpContext);

/* processthreadsapi/nf-processthreadsapi-tlsalloc */
DWORD WINAPI TlsAlloc(void);
/* processthreadsapi/nf-processthreadsapi-tlsgetvalue */
LPVOID WINAPI TlsGetValue(DWORD dwTlsIndex);
/* processthreadsapi/nf-processthreadsapi-tlssetvalue */
BOOL WINAPI TlsSetValue(DWORD dwTlsIndex, LPVOID lpTlsValue);
/* processthreadsapi/nf-processthreadsapi-tlsfree */
BOOL WINAPI TlsFree(DWORD dwTlsIndex);

/* fibersapi/nf-fibersapi-flsalloc */
DWORD WINAPI FlsAlloc(PFLS_CALLBACK_FUNCTION lpCallback);
/* fibersapi/nf-fibersapi-flsgetvalue */
PVOID WINAPI FlsGetValue(DWORD dwFlsIndex);
/* fibersapi/nf-fibersapi-flssetvalue */
BOOL WINAPI FlsSetValue(DWORD dwFlsIndex, PVOID lpFlsData);
/* fibersapi/nf-fibersapi-flsfree */
BOOL WINAPI FlsFree(DWORD dwFlsIndex);

/* heapapi/nf-heapapi-getprocessheap */
HANDLE WINAPI GetProcessHeap(void);
/* heapapi/nf-heapapi-heapcreate */
HANDLE WINAPI HeapCreate(DWORD flOptions, SIZE_T dwInitialSize, SIZE_T dwMaximumSize);
/* heapapi/nf-heapapi-heapdestroy */
BOOL WINAPI HeapDestroy(HANDLE hHeap);
/* heapapi/nf-heapapi-heapalloc */
LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes);
/* heapapi/nf-heapapi-heaprealloc */
LPVOID WINAPI HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, SIZE_T dwBytes);
/* heapapi/nf-heapapi-heapfree */
BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem);
/* heapapi/nf-heapapi-heapsize */
SIZE_T WINAPI HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem);
/* heapapi/nf-heapapi-heapvalidate */
BOOL WINAPI HeapValidate(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem);
/* winnt/ne-winnt-heap_information_class */
typedef enum _HEAP_INFORMATION_CLASS {
    HeapCompatibilityInformation = 0,
    HeapEnableTerminationOnCorruption = 1,
    HeapOptimizeResources = 3,
    HeapTag = 7
} HEAP_INFORMATION_CLASS;
/* winnt/ns-winnt-heap_optimize_resources_information */
#define HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION 1
typedef struct _HEAP_OPTIMIZE_RESOURCES_INFORMATION {
    DWORD Version;
    DWORD Flags;
} HEAP_OPTIMIZE_RESOURCES_INFORMATION, *PHEAP_OPTIMIZE_RESOURCES_INFORMATION;
/* heapapi/nf-heapapi-heapsetinformation */
BOOL WINAPI HeapSetInformation(HANDLE HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, PVOID HeapInformation,
                               SIZE_T HeapInformationLength);
/* winbase/nf-winbase-globalalloc */
HGLOBAL WINAPI GlobalAlloc(UINT uFlags, SIZE_T uBytes);
/* winbase/nf-winbase-globalrealloc */
HGLOBAL WINAPI GlobalReAlloc(HGLOBAL hMem, SIZE_T uBytes, UINT uFlags);
/* winbase/nf-winbase-globalfree */
HGLOBAL WINAPI GlobalFree(HGLOBAL hMem);
/* winbase/nf-winbase-globallock */
LPVOID WINAPI GlobalLock(HGLOBAL hMem);
/* winbase/nf-winbase-globalunlock */
BOOL WINAPI GlobalUnlock(HGLOBAL hMem);
/* winbase/nf-winbase-globalsize */
SIZE_T WINAPI GlobalSize(HGLOBAL hMem);
/* winbase/nf-winbase-localalloc */
HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes);
/* winbase/nf-winbase-localrealloc */
HLOCAL WINAPI LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags);
/* winbase/nf-winbase-localfree */
HLOCAL WINAPI LocalFree(HLOCAL hMem);
/* winbase/nf-winbase-locallock */
LPVOID WINAPI LocalLock(HLOCAL hMem);
/* winbase/nf-winbase-localunlock */
BOOL WINAPI LocalUnlock(HLOCAL hMem);
/* winbase/nf-winbase-localsize */
SIZE_T WINAPI LocalSize(HLOCAL hMem);

/* memoryapi/nf-memoryapi-virtualalloc */
LPVOID WINAPI VirtualAlloc(LPVOID lpAddress, SIZE_T dwSize, DWORD flAllocationType, DWORD flProtect);
/* memoryapi/nf-memoryapi-virtualfree */
BOOL WINAPI VirtualFree(LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType);
/* memoryapi/nf-memoryapi-virtualprotect */
BOOL WINAPI VirtualProtect(LPVOID lpAddress, SIZE_T dwSize, DWORD flNewProtect, PDWORD lpflOldProtect);
/* memoryapi/nf-memoryapi-virtuallock */
BOOL WINAPI VirtualLock(LPVOID lpAddress, SIZE_T dwSize);
/* memoryapi/nf-memoryapi-virtualunlock */
BOOL WINAPI VirtualUnlock(LPVOID lpAddress, SIZE_T dwSize);

/* profileapi/nf-profileapi-queryperformancecounter */
BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *lpPerformanceCount);
/* profileapi/nf-profileapi-queryperformancefrequency */
BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *lpFrequency);
/* sysinfoapi/nf-sysinfoapi-gettickcount */
DWORD WINAPI GetTickCount(void);
/* sysinfoapi/nf-sysinfoapi-gettickcount64 */
ULONGLONG WINAPI GetTickCount64(void);
/* sysinfoapi/nf-sysinfoapi-getsysteminfo */
VOID WINAPI GetSystemInfo(LPSYSTEM_INFO lpSystemInfo);
/* winnt/nf-winnt-versetconditionmask */
ULONGLONG WINAPI VerSetConditionMask(ULONGLONG ConditionMask, DWORD TypeMask, BYTE Condition);
/* winbase/nf-winbase-verifyversioninfoa */
BOOL WINAPI VerifyVersionInfoA(LPOSVERSIONINFOEXA lpVersionInformation, DWORD dwTypeMask, DWORDLONG dwlConditionMask);
/* winbase/nf-winbase-verifyversioninfow */
BOOL WINAPI VerifyVersionInfoW(LPOSVERSIONINFOEXW lpVersionInformation, DWORD dwTypeMask, DWORDLONG dwlConditionMask);
/* sysinfoapi/nf-sysinfoapi-getsystemtimeasfiletime */
VOID WINAPI GetSystemTimeAsFileTime(LPFILETIME lpSystemTimeAsFileTime);

/* sysinfoapi/nf-sysinfoapi-getsystemtimepreciseasfiletime */
VOID WINAPI GetSystemTimePreciseAsFileTime(LPFILETIME lpSystemTimeAsFileTime);
/* sysinfoapi/nf-sysinfoapi-getsystemtime */
VOID WINAPI GetSystemTime(LPSYSTEMTIME lpSystemTime);
/* sysinfoapi/nf-sysinfoapi-getlocaltime */
VOID WINAPI GetLocalTime(LPSYSTEMTIME lpSystemTime);
/* timezoneapi/nf-timezoneapi-systemtimetofiletime */
BOOL WINAPI SystemTimeToFileTime(const SYSTEMTIME *lpSystemTime, LPFILETIME lpFileTime);
/* timezoneapi/nf-timezoneapi-filetimetosystemtime */
BOOL WINAPI FileTimeToSystemTime(const FILETIME *lpFileTime, LPSYSTEMTIME lpSystemTime);
/* fileapi/nf-fileapi-filetimetolocalfiletime */
BOOL WINAPI FileTimeToLocalFileTime(const FILETIME *lpFileTime, LPFILETIME lpLocalFileTime);
/* fileapi/nf-fileapi-localfiletimetofiletime */
BOOL WINAPI LocalFileTimeToFileTime(const FILETIME *lpLocalFileTime, LPFILETIME lpFileTime);
/* fileapi/nf-fileapi-comparefiletime */
LONG WINAPI CompareFileTime(const FILETIME *lpFileTime1, const FILETIME *lpFileTime2);
/* timezoneapi/ns-timezoneapi-time_zone_information */
typedef struct _TIME_ZONE_INFORMATION {
    LONG Bias;
    WCHAR StandardName[32];
    SYSTEMTIME StandardDate;
    LONG StandardBias;
    WCHAR DaylightName[32];
    SYSTEMTIME DaylightDate;
    LONG DaylightBias;
} TIME_ZONE_INFORMATION, *PTIME_ZONE_INFORMATION, *LPTIME_ZONE_INFORMATION;
/* timezoneapi/nf-timezoneapi-gettimezoneinformation: what it gives */
#define TIME_ZONE_ID_UNKNOWN 0
#define TIME_ZONE_ID_STANDARD 1
#define TIME_ZONE_ID_DAYLIGHT 2
#define TIME_ZONE_ID_INVALID ((DWORD)0xFFFFFFFF)
/* timezoneapi/nf-timezoneapi-gettimezoneinformation */
DWORD WINAPI GetTimeZoneInformation(LPTIME_ZONE_INFORMATION lpTimeZoneInformation);
/* realtimeapi/nf-realtimeapi-queryunbiasedinterrupttime */
BOOL WINAPI QueryUnbiasedInterruptTime(PULONGLONG UnbiasedTime);

/* winbase/nf-winbase-createfilemappinga */
HANDLE WINAPI CreateFileMappingA(HANDLE hFile, LPSECURITY_ATTRIBUTES lpFileMappingAttributes, DWORD flProtect,
                                 DWORD dwMaximumSizeHigh, DWORD dwMaximumSizeLow, LPCSTR lpName);
/* memoryapi/nf-memoryapi-createfilemappingw */
HANDLE WINAPI CreateFileMappingW(HANDLE hFile, LPSECURITY_ATTRIBUTES lpFileMappingAttributes, DWORD flProtect,
                                 DWORD dwMaximumSizeHigh, DWORD dwMaximumSizeLow, LPCWSTR lpName);
/* memoryapi/nf-memoryapi-mapviewoffile */
LPVOID WINAPI MapViewOfFile(HANDLE hFileMappingObject, DWORD dwDesiredAccess, DWORD dwFileOffsetHigh,
                            DWORD dwFileOffsetLow, SIZE_T dwNumberOfBytesToMap);
/* memoryapi/nf-memoryapi-mapviewoffileex */
LPVOID WINAPI MapViewOfFileEx(HANDLE hFileMappingObject, DWORD dwDesiredAccess, DWORD dwFileOffsetHigh,
                              DWORD dwFileOffsetLow, SIZE_T dwNumberOfBytesToMap, LPVOID lpBaseAddress);
/* winbase/nf-winbase-openfilemappinga */
HANDLE WINAPI OpenFileMappingA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName);
/* memoryapi/nf-memoryapi-openfilemappingw */
HANDLE WINAPI OpenFileMappingW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName);
/* memoryapi/nf-memoryapi-unmapviewoffile */
BOOL WINAPI UnmapViewOfFile(LPCVOID lpBaseAddress);

/* libloaderapi/nf-libloaderapi-getmodulehandlea */
HMODULE WINAPI GetModuleHandleA(LPCSTR lpModuleName);
/* libloaderapi/nf-libloaderapi-getmodulehandlew */
HMODULE WINAPI GetModuleHandleW(LPCWSTR lpModuleName);
/* libloaderapi/nf-libloaderapi-getprocaddress */
FARPROC WINAPI GetProcAddress(HMODULE hModule, LPCSTR lpProcName);
/* libloaderapi/nf-libloaderapi-getmodulefilenamea */
DWORD WINAPI GetModuleFileNameA(HMODULE hModule, LPSTR lpFilename, DWORD nSize);
/* libloaderapi/nf-libloaderapi-getmodulefilenamew */
DWORD WINAPI GetModuleFileNameW(HMODULE hModule, LPWSTR lpFilename, DWORD nSize);
/* libloaderapi/nf-libloaderapi-loadlibrarya: the libraries of Windows that linsock carries, by their names */
HMODULE WINAPI LoadLibraryA(LPCSTR lpLibFileName);
/* libloaderapi/nf-libloaderapi-loadlibraryw */
HMODULE WINAPI LoadLibraryW(LPCWSTR lpLibFileName);
/* libloaderapi/nf-libloaderapi-loadlibraryexa */
HMODULE WINAPI LoadLibraryExA(LPCSTR lpLibFileName, HANDLE hFile, DWORD dwFlags);
/* libloaderapi/nf-libloaderapi-loadlibraryexw */
HMODULE WINAPI LoadLibraryExW(LPCWSTR lpLibFileName, HANDLE hFile, DWORD dwFlags);
/* dlls/dllmain */
#define DLL_PROCESS_DETACH 0
#define DLL_PROCESS_ATTACH 1
#define DLL_THREAD_ATTACH 2
#define DLL_THREAD_DETACH 3
/* libloaderapi/nf-libloaderapi-freelibrary */
BOOL WINAPI FreeLibrary(HMODULE hLibModule);
/* libloaderapi/nf-libloaderapi-getprocaddress */
FARPROC WINAPI GetProcAddress(HMODULE hModule, LPCSTR lpProcName);
/* sysinfoapi/nf-sysinfoapi-getsystemdirectorya */
UINT WINAPI GetSystemDirectoryA(LPSTR lpBuffer, UINT uSize);
/* sysinfoapi/nf-sysinfoapi-getsystemdirectoryw */
UINT WINAPI GetSystemDirectoryW(LPWSTR lpBuffer, UINT uSize);
/* sysinfoapi/nf-sysinfoapi-getversion */
DWORD WINAPI GetVersion(void);
/* sysinfoapi/nf-sysinfoapi-getversionexa */
BOOL WINAPI GetVersionExA(LPOSVERSIONINFOA lpVersionInformation);
/* sysinfoapi/nf-sysinfoapi-getversionexw */
BOOL WINAPI GetVersionExW(LPOSVERSIONINFOW lpVersionInformation);

/* winbase/nf-winbase-reporteventa: wType */
#define EVENTLOG_SUCCESS 0x0000
#define EVENTLOG_ERROR_TYPE 0x0001
#define EVENTLOG_WARNING_TYPE 0x0002
#define EVENTLOG_INFORMATION_TYPE 0x0004
#define EVENTLOG_AUDIT_SUCCESS 0x0008
#define EVENTLOG_AUDIT_FAILURE 0x0010
/* winbase/nf-winbase-registereventsourcea */
HANDLE WINAPI RegisterEventSourceA(LPCSTR lpUNCServerName, LPCSTR lpSourceName);
/* winbase/nf-winbase-registereventsourcew */
HANDLE WINAPI RegisterEventSourceW(LPCWSTR lpUNCServerName, LPCWSTR lpSourceName);
/* winbase/nf-winbase-deregistereventsource */
BOOL WINAPI DeregisterEventSource(HANDLE hEventLog);
/* winbase/nf-winbase-reporteventa */
BOOL WINAPI ReportEventA(HANDLE hEventLog, WORD wType, WORD wCategory, DWORD dwEventID, PVOID lpUserSid,
                         WORD wNumStrings, DWORD dwDataSize, LPCSTR *lpStrings, LPVOID lpRawData);
/* winbase/nf-winbase-reporteventw */
BOOL WINAPI ReportEventW(HANDLE hEventLog, WORD wType, WORD wCategory, DWORD dwEventID, PVOID lpUserSid,
                         WORD wNumStrings, DWORD dwDataSize, LPCWSTR *lpStrings, LPVOID lpRawData);
/* processenv/nf-processenv-getcommandlinea */
LPSTR WINAPI GetCommandLineA(void);
/* processenv/nf-processenv-getcommandlinew */
LPWSTR WINAPI GetCommandLineW(void);
/* processenv/nf-processenv-getenvironmentvariablea */
DWORD WINAPI GetEnvironmentVariableA(LPCSTR lpName, LPSTR lpBuffer, DWORD nSize);
/* processenv/nf-processenv-getenvironmentvariablew */
DWORD WINAPI GetEnvironmentVariableW(LPCWSTR lpName, LPWSTR lpBuffer, DWORD nSize);
/* processenv/nf-processenv-setenvironmentvariablea */
BOOL WINAPI SetEnvironmentVariableA(LPCSTR lpName, LPCSTR lpValue);
/* processenv/nf-processenv-setenvironmentvariablew */
BOOL WINAPI SetEnvironmentVariableW(LPCWSTR lpName, LPCWSTR lpValue);
/* debugapi/nf-debugapi-isdebuggerpresent */
BOOL WINAPI IsDebuggerPresent(void);
/* debugapi/nf-debugapi-debugbreak */
VOID WINAPI DebugBreak(void);

/* winbase/nf-winbase-formatmessagea */
DWORD WINAPI FormatMessageA(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId, DWORD dwLanguageId, LPSTR lpBuffer,
                            DWORD nSize, va_list *Arguments);
/* winbase/nf-winbase-formatmessagew */
DWORD WINAPI FormatMessageW(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId, DWORD dwLanguageId, LPWSTR lpBuffer,
                            DWORD nSize, va_list *Arguments);
/* debugapi/nf-debugapi-outputdebugstringa */
VOID WINAPI OutputDebugStringA(LPCSTR lpOutputString);
/* debugapi/nf-debugapi-outputdebugstringw */
VOID WINAPI OutputDebugStringW(LPCWSTR lpOutputString);
/* stringapiset/nf-stringapiset-multibytetowidechar */
int WINAPI MultiByteToWideChar(UINT CodePage, DWORD dwFlags, LPCCH lpMultiByteStr, int cbMultiByte,
                               LPWSTR lpWideCharStr, int cchWideChar);
/* stringapiset/nf-stringapiset-widechartomultibyte */
int WINAPI WideCharToMultiByte(UINT CodePage, DWORD dwFlags, LPCWCH lpWideCharStr, int cchWideChar,
                               LPSTR lpMultiByteStr, int cbMultiByte, LPCCH lpDefaultChar, LPBOOL lpUsedDefaultChar);
/* winnls/nf-winnls-getacp */
UINT WINAPI GetACP(void);
/* consoleapi/nf-consoleapi-setconsolectrlhandler */
BOOL WINAPI SetConsoleCtrlHandler(PHANDLER_ROUTINE HandlerRoutine, BOOL Add);

LINSOCK_EXTERN_C_END

#ifdef UNICODE
#define CreateEvent CreateEventW
#define CreateWaitableTimer CreateWaitableTimerW
#define CreateWaitableTimerEx CreateWaitableTimerExW
#define OpenWaitableTimer OpenWaitableTimerW
#define CreateEventEx CreateEventExW
#define OpenEvent OpenEventW
#define CreateSemaphore CreateSemaphoreW
#define CreateSemaphoreEx CreateSemaphoreExW
#define OpenSemaphore OpenSemaphoreW
#define CreateMutex CreateMutexW
#define CreateMutexEx CreateMutexExW
#define OpenMutex OpenMutexW
#define FormatMessage FormatMessageW
#define OutputDebugString OutputDebugStringW
#define CreateFileMapping CreateFileMappingW
#define OpenFileMapping OpenFileMappingW
#define GetVersionEx GetVersionExW
#define RegisterEventSource RegisterEventSourceW
#define ReportEvent ReportEventW
#define LoadLibrary LoadLibraryW
#define LoadLibraryEx LoadLibraryExW
#define GetSystemDirectory GetSystemDirectoryW
#define GetModuleHandle GetModuleHandleW
#define VerifyVersionInfo VerifyVersionInfoW
#define GetModuleFileName GetModuleFileNameW
#define GetCommandLine GetCommandLineW
#define GetEnvironmentVariable GetEnvironmentVariableW
#define SetEnvironmentVariable SetEnvironmentVariableW
#else
#define CreateWaitableTimer CreateWaitableTimerA
#define CreateWaitableTimerEx CreateWaitableTimerExA
#define OpenWaitableTimer OpenWaitableTimerA
#define CreateEvent CreateEventA
#define CreateEventEx CreateEventExA
#define OpenEvent OpenEventA
#define CreateSemaphore CreateSemaphoreA
#define CreateSemaphoreEx CreateSemaphoreExA
#define OpenSemaphore OpenSemaphoreA
#define CreateMutex CreateMutexA
#define CreateMutexEx CreateMutexExA
#define OpenMutex OpenMutexA
#define FormatMessage FormatMessageA
#define OutputDebugString OutputDebugStringA
#define CreateFileMapping CreateFileMappingA
#define OpenFileMapping OpenFileMappingA
#define GetVersionEx GetVersionExA
#define RegisterEventSource RegisterEventSourceA
#define ReportEvent ReportEventA
#define LoadLibrary LoadLibraryA
#define LoadLibraryEx LoadLibraryExA
#define GetSystemDirectory GetSystemDirectoryA
#define GetModuleHandle GetModuleHandleA
#define VerifyVersionInfo VerifyVersionInfoA
#define GetModuleFileName GetModuleFileNameA
#define GetCommandLine GetCommandLineA
#define GetEnvironmentVariable GetEnvironmentVariableA
#define SetEnvironmentVariable SetEnvironmentVariableA
#endif

LINSOCK_ASSERT(sizeof(OVERLAPPED) == 32, "OVERLAPPED");
LINSOCK_ASSERT(offsetof(OVERLAPPED, Internal) == 0, "OVERLAPPED.Internal");
LINSOCK_ASSERT(offsetof(OVERLAPPED, InternalHigh) == 8, "OVERLAPPED.InternalHigh");
LINSOCK_ASSERT(offsetof(OVERLAPPED, Offset) == 16, "OVERLAPPED.Offset");
LINSOCK_ASSERT(offsetof(OVERLAPPED, OffsetHigh) == 20, "OVERLAPPED.OffsetHigh");
LINSOCK_ASSERT(offsetof(OVERLAPPED, Pointer) == 16, "OVERLAPPED.Pointer");
LINSOCK_ASSERT(offsetof(OVERLAPPED, hEvent) == 24, "OVERLAPPED.hEvent");
LINSOCK_ASSERT(sizeof(OVERLAPPED_ENTRY) == 32, "OVERLAPPED_ENTRY");
LINSOCK_ASSERT(offsetof(OVERLAPPED_ENTRY, lpCompletionKey) == 0, "OVERLAPPED_ENTRY.lpCompletionKey");
LINSOCK_ASSERT(offsetof(OVERLAPPED_ENTRY, lpOverlapped) == 8, "OVERLAPPED_ENTRY.lpOverlapped");
LINSOCK_ASSERT(offsetof(OVERLAPPED_ENTRY, Internal) == 16, "OVERLAPPED_ENTRY.Internal");
LINSOCK_ASSERT(offsetof(OVERLAPPED_ENTRY, dwNumberOfBytesTransferred) == 24, "OVERLAPPED_ENTRY.bytes");
LINSOCK_ASSERT(sizeof(CRITICAL_SECTION) == 40, "CRITICAL_SECTION");
LINSOCK_ASSERT(sizeof(SRWLOCK) == 8, "SRWLOCK");
LINSOCK_ASSERT(sizeof(CONDITION_VARIABLE) == 8, "CONDITION_VARIABLE");
LINSOCK_ASSERT(sizeof(SYSTEM_INFO) == 48, "SYSTEM_INFO");
LINSOCK_ASSERT(sizeof(SYSTEMTIME) == 16, "SYSTEMTIME");
LINSOCK_ASSERT(sizeof(INIT_ONCE) == 8, "INIT_ONCE");

#include "fileapi.h"

#endif
