/* threadpoolapiset.h - the thread pool: work, timers, waits and I/O that call a function; before Windows Vista's
 * objects the functions that programs used, which stand in threadpoollegacyapiset.h and winbase.h on Windows. */
#ifndef LINSOCK_THREADPOOLAPISET_H
#define LINSOCK_THREADPOOLAPISET_H

#include "winbase.h"

LINSOCK_EXTERN_C_BEGIN

/* winnt.h: the objects are opaque; what a program holds is a number that is checked */
typedef struct _TP_CALLBACK_INSTANCE TP_CALLBACK_INSTANCE, *PTP_CALLBACK_INSTANCE;
typedef struct _TP_POOL TP_POOL, *PTP_POOL;
typedef struct _TP_CLEANUP_GROUP TP_CLEANUP_GROUP, *PTP_CLEANUP_GROUP;
typedef struct _TP_WORK TP_WORK, *PTP_WORK;
typedef struct _TP_TIMER TP_TIMER, *PTP_TIMER;
typedef struct _TP_WAIT TP_WAIT, *PTP_WAIT;
typedef struct _TP_IO TP_IO, *PTP_IO;
typedef DWORD TP_VERSION, *PTP_VERSION;
typedef DWORD TP_WAIT_RESULT;

#define WT_EXECUTEDEFAULT 0x00000000
#define WT_EXECUTEINIOTHREAD 0x00000001
#define WT_EXECUTEINWAITTHREAD 0x00000004
#define WT_EXECUTEONLYONCE 0x00000008
#define WT_EXECUTELONGFUNCTION 0x00000010
#define WT_EXECUTEINTIMERTHREAD 0x00000020
#define WT_EXECUTEINPERSISTENTTHREAD 0x00000080
#define WT_TRANSFER_IMPERSONATION 0x00000100
#define WT_SET_MAX_THREADPOOL_THREADS(Flags, Limit) ((Flags) |= (ULONG)(Limit) << 16)

typedef enum _TP_CALLBACK_PRIORITY {
    TP_CALLBACK_PRIORITY_HIGH,
    TP_CALLBACK_PRIORITY_NORMAL,
    TP_CALLBACK_PRIORITY_LOW,
    TP_CALLBACK_PRIORITY_INVALID,
    TP_CALLBACK_PRIORITY_COUNT = TP_CALLBACK_PRIORITY_INVALID
} TP_CALLBACK_PRIORITY;

/* threadpoolapiset: the callbacks, each on the page of the function that takes it */
typedef VOID(NTAPI *PTP_SIMPLE_CALLBACK)(PTP_CALLBACK_INSTANCE Instance, PVOID Context);
typedef VOID(NTAPI *PTP_CLEANUP_GROUP_CANCEL_CALLBACK)(PVOID ObjectContext, PVOID CleanupContext);
typedef VOID(NTAPI *PTP_WORK_CALLBACK)(PTP_CALLBACK_INSTANCE Instance, PVOID Context, PTP_WORK Work);
typedef VOID(NTAPI *PTP_TIMER_CALLBACK)(PTP_CALLBACK_INSTANCE Instance, PVOID Context, PTP_TIMER Timer);
typedef VOID(NTAPI *PTP_WAIT_CALLBACK)(PTP_CALLBACK_INSTANCE Instance, PVOID Context, PTP_WAIT Wait,
                                       TP_WAIT_RESULT WaitResult);
typedef VOID(WINAPI *PTP_WIN32_IO_CALLBACK)(PTP_CALLBACK_INSTANCE Instance, PVOID Context, PVOID Overlapped,
                                            ULONG IoResult, ULONG_PTR NumberOfBytesTransferred, PTP_IO Io);
/* winnt: waitortimercallback */
typedef VOID(NTAPI *WAITORTIMERCALLBACKFUNC)(PVOID lpParameter, BOOLEAN TimerOrWaitFired);
typedef WAITORTIMERCALLBACKFUNC WAITORTIMERCALLBACK;

/* winnt.h: TP_CALLBACK_ENVIRON_V3, filled by the functions below */
typedef struct _TP_CALLBACK_ENVIRON_V3 {
    TP_VERSION Version;
    PTP_POOL Pool;
    PTP_CLEANUP_GROUP CleanupGroup;
    PTP_CLEANUP_GROUP_CANCEL_CALLBACK CleanupGroupCancelCallback;
    PVOID RaceDll;
    PVOID ActivationContext;
    PTP_SIMPLE_CALLBACK FinalizationCallback;
    union {
        DWORD Flags;
        struct {
            DWORD LongFunction : 1;
            DWORD Persistent : 1;
            DWORD Private : 30;
        } s;
    } u;
    TP_CALLBACK_PRIORITY CallbackPriority;
    DWORD Size;
} TP_CALLBACK_ENVIRON_V3;
typedef TP_CALLBACK_ENVIRON_V3 TP_CALLBACK_ENVIRON, *PTP_CALLBACK_ENVIRON;

/* winbase/nf-winbase-initializethreadpoolenvironment */
FORCEINLINE VOID InitializeThreadpoolEnvironment(PTP_CALLBACK_ENVIRON pcbe)
{
    __builtin_memset(pcbe, 0, sizeof *pcbe);
    pcbe->Version = 3;
    pcbe->CallbackPriority = TP_CALLBACK_PRIORITY_NORMAL;
    pcbe->Size = sizeof *pcbe;
}
/* winbase/nf-winbase-destroythreadpoolenvironment */
FORCEINLINE VOID DestroyThreadpoolEnvironment(PTP_CALLBACK_ENVIRON pcbe)
{
    (void)pcbe;
}
/* winbase/nf-winbase-setthreadpoolcallbackpool */
FORCEINLINE VOID SetThreadpoolCallbackPool(PTP_CALLBACK_ENVIRON pcbe, PTP_POOL ptpp)
{
    pcbe->Pool = ptpp;
}
/* winbase/nf-winbase-setthreadpoolcallbackcleanupgroup */
FORCEINLINE VOID SetThreadpoolCallbackCleanupGroup(PTP_CALLBACK_ENVIRON pcbe, PTP_CLEANUP_GROUP ptpcg,
                                                   PTP_CLEANUP_GROUP_CANCEL_CALLBACK pfng)
{
    pcbe->CleanupGroup = ptpcg;
    pcbe->CleanupGroupCancelCallback = pfng;
}
/* winbase/nf-winbase-setthreadpoolcallbackrunslong */
FORCEINLINE VOID SetThreadpoolCallbackRunsLong(PTP_CALLBACK_ENVIRON pcbe)
{
    pcbe->u.s.LongFunction = 1;
}
/* winbase/nf-winbase-setthreadpoolcallbackpersistent */
FORCEINLINE VOID SetThreadpoolCallbackPersistent(PTP_CALLBACK_ENVIRON pcbe)
{
    pcbe->u.s.Persistent = 1;
}
/* winbase/nf-winbase-setthreadpoolcallbacklibrary */
FORCEINLINE VOID SetThreadpoolCallbackLibrary(PTP_CALLBACK_ENVIRON pcbe, PVOID mod)
{
    pcbe->RaceDll = mod;
}
/* winbase/nf-winbase-setthreadpoolcallbackpriority */
FORCEINLINE VOID SetThreadpoolCallbackPriority(PTP_CALLBACK_ENVIRON pcbe, TP_CALLBACK_PRIORITY Priority)
{
    pcbe->CallbackPriority = Priority;
}

/* threadpoolapiset/nf-threadpoolapiset-createthreadpool */
PTP_POOL WINAPI CreateThreadpool(PVOID reserved);
/* threadpoolapiset/nf-threadpoolapiset-closethreadpool */
VOID WINAPI CloseThreadpool(PTP_POOL ptpp);
/* threadpoolapiset/nf-threadpoolapiset-setthreadpoolthreadmaximum */
VOID WINAPI SetThreadpoolThreadMaximum(PTP_POOL ptpp, DWORD cthrdMost);
/* threadpoolapiset/nf-threadpoolapiset-setthreadpoolthreadminimum */
BOOL WINAPI SetThreadpoolThreadMinimum(PTP_POOL ptpp, DWORD cthrdMic);
/* winnt/ns-winnt-tp_pool_stack_information */
typedef struct _TP_POOL_STACK_INFORMATION {
    SIZE_T StackReserve;
    SIZE_T StackCommit;
} TP_POOL_STACK_INFORMATION, *PTP_POOL_STACK_INFORMATION;
/* threadpoolapiset/nf-threadpoolapiset-setthreadpoolstackinformation */
BOOL WINAPI SetThreadpoolStackInformation(PTP_POOL ptpp, PTP_POOL_STACK_INFORMATION ptpsi);
/* threadpoolapiset/nf-threadpoolapiset-querythreadpoolstackinformation */
BOOL WINAPI QueryThreadpoolStackInformation(PTP_POOL ptpp, PTP_POOL_STACK_INFORMATION ptpsi);
/* threadpoolapiset/nf-threadpoolapiset-createthreadpoolcleanupgroup */
PTP_CLEANUP_GROUP WINAPI CreateThreadpoolCleanupGroup(void);
/* threadpoolapiset/nf-threadpoolapiset-closethreadpoolcleanupgroupmembers */
VOID WINAPI CloseThreadpoolCleanupGroupMembers(PTP_CLEANUP_GROUP ptpcg, BOOL fCancelPendingCallbacks,
                                               PVOID pvCleanupContext);
/* threadpoolapiset/nf-threadpoolapiset-closethreadpoolcleanupgroup */
VOID WINAPI CloseThreadpoolCleanupGroup(PTP_CLEANUP_GROUP ptpcg);

/* threadpoolapiset/nf-threadpoolapiset-trysubmitthreadpoolcallback */
BOOL WINAPI TrySubmitThreadpoolCallback(PTP_SIMPLE_CALLBACK pfns, PVOID pv, PTP_CALLBACK_ENVIRON pcbe);
/* threadpoolapiset/nf-threadpoolapiset-createthreadpoolwork */
PTP_WORK WINAPI CreateThreadpoolWork(PTP_WORK_CALLBACK pfnwk, PVOID pv, PTP_CALLBACK_ENVIRON pcbe);
/* threadpoolapiset/nf-threadpoolapiset-submitthreadpoolwork */
VOID WINAPI SubmitThreadpoolWork(PTP_WORK pwk);
/* threadpoolapiset/nf-threadpoolapiset-waitforthreadpoolworkcallbacks */
VOID WINAPI WaitForThreadpoolWorkCallbacks(PTP_WORK pwk, BOOL fCancelPendingCallbacks);
/* threadpoolapiset/nf-threadpoolapiset-closethreadpoolwork */
VOID WINAPI CloseThreadpoolWork(PTP_WORK pwk);

/* threadpoolapiset/nf-threadpoolapiset-createthreadpooltimer */
PTP_TIMER WINAPI CreateThreadpoolTimer(PTP_TIMER_CALLBACK pfnti, PVOID pv, PTP_CALLBACK_ENVIRON pcbe);
/* threadpoolapiset/nf-threadpoolapiset-setthreadpooltimer */
VOID WINAPI SetThreadpoolTimer(PTP_TIMER pti, PFILETIME pftDueTime, DWORD msPeriod, DWORD msWindowLength);
/* threadpoolapiset/nf-threadpoolapiset-setthreadpooltimerex */
BOOL WINAPI SetThreadpoolTimerEx(PTP_TIMER pti, PFILETIME pftDueTime, DWORD msPeriod, DWORD msWindowLength);
/* threadpoolapiset/nf-threadpoolapiset-isthreadpooltimerset */
BOOL WINAPI IsThreadpoolTimerSet(PTP_TIMER pti);
/* threadpoolapiset/nf-threadpoolapiset-waitforthreadpooltimercallbacks */
VOID WINAPI WaitForThreadpoolTimerCallbacks(PTP_TIMER pti, BOOL fCancelPendingCallbacks);
/* threadpoolapiset/nf-threadpoolapiset-closethreadpooltimer */
VOID WINAPI CloseThreadpoolTimer(PTP_TIMER pti);

/* threadpoolapiset/nf-threadpoolapiset-createthreadpoolwait */
PTP_WAIT WINAPI CreateThreadpoolWait(PTP_WAIT_CALLBACK pfnwa, PVOID pv, PTP_CALLBACK_ENVIRON pcbe);
/* threadpoolapiset/nf-threadpoolapiset-setthreadpoolwait */
VOID WINAPI SetThreadpoolWait(PTP_WAIT pwa, HANDLE h, PFILETIME pftTimeout);
/* threadpoolapiset/nf-threadpoolapiset-setthreadpoolwaitex */
BOOL WINAPI SetThreadpoolWaitEx(PTP_WAIT pwa, HANDLE h, PFILETIME pftTimeout, PVOID Reserved);
/* threadpoolapiset/nf-threadpoolapiset-waitforthreadpoolwaitcallbacks */
VOID WINAPI WaitForThreadpoolWaitCallbacks(PTP_WAIT pwa, BOOL fCancelPendingCallbacks);
/* threadpoolapiset/nf-threadpoolapiset-closethreadpoolwait */
VOID WINAPI CloseThreadpoolWait(PTP_WAIT pwa);

/* threadpoolapiset/nf-threadpoolapiset-createthreadpoolio */
PTP_IO WINAPI CreateThreadpoolIo(HANDLE fl, PTP_WIN32_IO_CALLBACK pfnio, PVOID pv, PTP_CALLBACK_ENVIRON pcbe);
/* threadpoolapiset/nf-threadpoolapiset-startthreadpoolio */
VOID WINAPI StartThreadpoolIo(PTP_IO pio);
/* threadpoolapiset/nf-threadpoolapiset-cancelthreadpoolio */
VOID WINAPI CancelThreadpoolIo(PTP_IO pio);
/* threadpoolapiset/nf-threadpoolapiset-waitforthreadpooliocallbacks */
VOID WINAPI WaitForThreadpoolIoCallbacks(PTP_IO pio, BOOL fCancelPendingCallbacks);
/* threadpoolapiset/nf-threadpoolapiset-closethreadpoolio */
VOID WINAPI CloseThreadpoolIo(PTP_IO pio);

/* threadpoolapiset/nf-threadpoolapiset-callbackmayrunlong */
BOOL WINAPI CallbackMayRunLong(PTP_CALLBACK_INSTANCE pci);
/* threadpoolapiset/nf-threadpoolapiset-disassociatecurrentthreadfromcallback */
VOID WINAPI DisassociateCurrentThreadFromCallback(PTP_CALLBACK_INSTANCE pci);
/* threadpoolapiset/nf-threadpoolapiset-seteventwhencallbackreturns */
VOID WINAPI SetEventWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, HANDLE evt);
/* threadpoolapiset/nf-threadpoolapiset-releasesemaphorewhencallbackreturns */
VOID WINAPI ReleaseSemaphoreWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, HANDLE sem, DWORD crel);
/* threadpoolapiset/nf-threadpoolapiset-releasemutexwhencallbackreturns */
VOID WINAPI ReleaseMutexWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, HANDLE mut);
/* threadpoolapiset/nf-threadpoolapiset-leavecriticalsectionwhencallbackreturns */
VOID WINAPI LeaveCriticalSectionWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, PCRITICAL_SECTION pcs);
/* threadpoolapiset/nf-threadpoolapiset-freelibrarywhencallbackreturns */
VOID WINAPI FreeLibraryWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, HMODULE mod);

/* threadpoollegacyapiset/nf-threadpoollegacyapiset-queueuserworkitem */
BOOL WINAPI QueueUserWorkItem(LPTHREAD_START_ROUTINE Function, PVOID Context, ULONG Flags);
/* winbase/nf-winbase-bindiocompletioncallback */
BOOL WINAPI BindIoCompletionCallback(HANDLE FileHandle, LPOVERLAPPED_COMPLETION_ROUTINE Function, ULONG Flags);
/* winbase/nf-winbase-registerwaitforsingleobject */
BOOL WINAPI RegisterWaitForSingleObject(PHANDLE phNewWaitObject, HANDLE hObject, WAITORTIMERCALLBACK Callback,
                                        PVOID Context, ULONG dwMilliseconds, ULONG dwFlags);
/* winbase/nf-winbase-unregisterwait */
BOOL WINAPI UnregisterWait(HANDLE WaitHandle);
/* threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex */
BOOL WINAPI UnregisterWaitEx(HANDLE WaitHandle, HANDLE CompletionEvent);
/* threadpoollegacyapiset/nf-threadpoollegacyapiset-createtimerqueue */
HANDLE WINAPI CreateTimerQueue(void);
/* threadpoollegacyapiset/nf-threadpoollegacyapiset-createtimerqueuetimer */
BOOL WINAPI CreateTimerQueueTimer(PHANDLE phNewTimer, HANDLE TimerQueue, WAITORTIMERCALLBACK Callback,
                                  PVOID Parameter, DWORD DueTime, DWORD Period, ULONG Flags);
/* threadpoollegacyapiset/nf-threadpoollegacyapiset-changetimerqueuetimer */
BOOL WINAPI ChangeTimerQueueTimer(HANDLE TimerQueue, HANDLE Timer, ULONG DueTime, ULONG Period);
/* threadpoollegacyapiset/nf-threadpoollegacyapiset-deletetimerqueuetimer */
BOOL WINAPI DeleteTimerQueueTimer(HANDLE TimerQueue, HANDLE Timer, HANDLE CompletionEvent);
/* the older name of DeleteTimerQueueTimer without an event */
BOOL WINAPI CancelTimerQueueTimer(HANDLE TimerQueue, HANDLE Timer);
/* threadpoollegacyapiset/nf-threadpoollegacyapiset-deletetimerqueueex */
BOOL WINAPI DeleteTimerQueueEx(HANDLE TimerQueue, HANDLE CompletionEvent);
/* threadpoollegacyapiset/nf-threadpoollegacyapiset-deletetimerqueue */
BOOL WINAPI DeleteTimerQueue(HANDLE TimerQueue);

LINSOCK_EXTERN_C_END

LINSOCK_ASSERT(sizeof(TP_CALLBACK_ENVIRON) == 72, "TP_CALLBACK_ENVIRON");
LINSOCK_ASSERT(offsetof(TP_CALLBACK_ENVIRON, Pool) == 8, "TP_CALLBACK_ENVIRON.Pool");
LINSOCK_ASSERT(offsetof(TP_CALLBACK_ENVIRON, CleanupGroup) == 16, "TP_CALLBACK_ENVIRON.CleanupGroup");
LINSOCK_ASSERT(offsetof(TP_CALLBACK_ENVIRON, CleanupGroupCancelCallback) == 24, "TP_CALLBACK_ENVIRON.cancel");
LINSOCK_ASSERT(offsetof(TP_CALLBACK_ENVIRON, u) == 56, "TP_CALLBACK_ENVIRON.u");
LINSOCK_ASSERT(offsetof(TP_CALLBACK_ENVIRON, CallbackPriority) == 60, "TP_CALLBACK_ENVIRON.CallbackPriority");
LINSOCK_ASSERT(offsetof(TP_CALLBACK_ENVIRON, Size) == 64, "TP_CALLBACK_ENVIRON.Size");

#endif
