/* winnt.h - LARGE_INTEGER, LIST_ENTRY, wait results, access bits, the interlocked family. */
#ifndef LINSOCK_WINNT_H
#define LINSOCK_WINNT_H

#include "windef.h"
#include "guiddef.h"
#include "excpt.h"

/* winnt/ns-winnt-large_integer-r1 */
typedef union _LARGE_INTEGER {
    __extension__ struct {
        DWORD LowPart;
        LONG HighPart;
    };
    struct {
        DWORD LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

/* winnt/ns-winnt-ularge_integer-r1 */
typedef union _ULARGE_INTEGER {
    __extension__ struct {
        DWORD LowPart;
        DWORD HighPart;
    };
    struct {
        DWORD LowPart;
        DWORD HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

/* ntdef/ns-ntdef-list_entry */
typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink;
    struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

/* ntdef/ns-ntdef-single_list_entry */
typedef struct _SINGLE_LIST_ENTRY {
    struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

/* ntdef/nf-ntdef-containing_record. The 4096 keeps sanitizers from seeing a null pointer. */
#define CONTAINING_RECORD(address, type, field)                                                          \
    ((type *)((ULONG_PTR)(address) - ((ULONG_PTR) & (((type *)4096)->field) - 4096)))
#define FIELD_OFFSET(type, field) ((LONG)((LONG_PTR) & (((type *)4096)->field) - 4096))

/* Standard status values, winbase and winnt views of them */
#define STATUS_WAIT_0 ((DWORD)0x00000000)
#define STATUS_ABANDONED_WAIT_0 ((DWORD)0x00000080)
#define STATUS_USER_APC ((DWORD)0x000000C0)
#define STATUS_TIMEOUT ((DWORD)0x00000102)
#define STATUS_PENDING ((DWORD)0x00000103)
#define STATUS_ACCESS_VIOLATION ((DWORD)0xC0000005)
#define STATUS_INVALID_HANDLE ((DWORD)0xC0000008)
#define STATUS_INVALID_PARAMETER ((DWORD)0xC000000D)
#define STATUS_NO_MEMORY ((DWORD)0xC0000017)

#define DELETE 0x00010000
#define READ_CONTROL 0x00020000
#define WRITE_DAC 0x00040000
#define WRITE_OWNER 0x00080000
#define SYNCHRONIZE 0x00100000
#define STANDARD_RIGHTS_REQUIRED 0x000F0000
#define FILE_READ_DATA 0x0001
#define FILE_WRITE_DATA 0x0002
#define FILE_APPEND_DATA 0x0004
#define FILE_READ_ATTRIBUTES 0x0080
#define FILE_WRITE_ATTRIBUTES 0x0100
#define FILE_SHARE_READ 0x00000001
#define FILE_SHARE_WRITE 0x00000002
#define FILE_SHARE_DELETE 0x00000004
#define FILE_ATTRIBUTE_READONLY 0x00000001
#define FILE_ATTRIBUTE_HIDDEN 0x00000002
#define FILE_ATTRIBUTE_SYSTEM 0x00000004
#define FILE_ATTRIBUTE_DIRECTORY 0x00000010
#define FILE_ATTRIBUTE_ARCHIVE 0x00000020
#define FILE_ATTRIBUTE_DEVICE 0x00000040
#define FILE_ATTRIBUTE_NORMAL 0x00000080
#define FILE_ATTRIBUTE_REPARSE_POINT 0x00000400
#define FILE_ATTRIBUTE_TEMPORARY 0x00000100
#define GENERIC_READ 0x80000000
#define GENERIC_WRITE 0x40000000
#define GENERIC_EXECUTE 0x20000000
#define GENERIC_ALL 0x10000000
#define EVENT_MODIFY_STATE 0x0002
#define EVENT_ALL_ACCESS 0x001F0003
#define MUTEX_MODIFY_STATE 0x0001
#define MUTEX_ALL_ACCESS 0x001F0001
#define SEMAPHORE_MODIFY_STATE 0x0002
#define SEMAPHORE_ALL_ACCESS 0x001F0003
#define MAXIMUM_WAIT_OBJECTS 64
#define TLS_MINIMUM_AVAILABLE 64
#define FLS_MAXIMUM_AVAILABLE 4080
#define HEAP_NO_SERIALIZE 0x00000001
#define HEAP_GROWABLE 0x00000002
#define HEAP_GENERATE_EXCEPTIONS 0x00000004
#define HEAP_ZERO_MEMORY 0x00000008
#define HEAP_REALLOC_IN_PLACE_ONLY 0x00000010
#define MEM_COMMIT 0x00001000
#define MEM_RESERVE 0x00002000
#define MEM_DECOMMIT 0x00004000
#define MEM_RELEASE 0x00008000
#define MEM_TOP_DOWN 0x00100000
#define PAGE_NOACCESS 0x01
#define PAGE_READONLY 0x02
#define PAGE_READWRITE 0x04
#define PAGE_WRITECOPY 0x08
#define SEC_COMMIT 0x8000000
#define PAGE_EXECUTE 0x10
#define PAGE_EXECUTE_READ 0x20
#define PAGE_EXECUTE_READWRITE 0x40
#define LANG_NEUTRAL 0x00
#define LANG_ENGLISH 0x09
#define SUBLANG_NEUTRAL 0x00
#define SUBLANG_DEFAULT 0x01
#define SUBLANG_ENGLISH_US 0x01
#define MAKELANGID(p, s) ((((WORD)(s)) << 10) | (WORD)(p))

/* winnt/ns-winnt-osversioninfoa */
typedef struct _OSVERSIONINFOA {
    DWORD dwOSVersionInfoSize;
    DWORD dwMajorVersion;
    DWORD dwMinorVersion;
    DWORD dwBuildNumber;
    DWORD dwPlatformId;
    CHAR szCSDVersion[128];
} OSVERSIONINFOA, *POSVERSIONINFOA, *LPOSVERSIONINFOA;
/* winnt/ns-winnt-osversioninfow */
typedef struct _OSVERSIONINFOW {
    DWORD dwOSVersionInfoSize;
    DWORD dwMajorVersion;
    DWORD dwMinorVersion;
    DWORD dwBuildNumber;
    DWORD dwPlatformId;
    WCHAR szCSDVersion[128];
} OSVERSIONINFOW, *POSVERSIONINFOW, *LPOSVERSIONINFOW;
/* winnt/ns-winnt-osversioninfoexa */
typedef struct _OSVERSIONINFOEXA {
    DWORD dwOSVersionInfoSize;
    DWORD dwMajorVersion;
    DWORD dwMinorVersion;
    DWORD dwBuildNumber;
    DWORD dwPlatformId;
    CHAR szCSDVersion[128];
    WORD wServicePackMajor;
    WORD wServicePackMinor;
    WORD wSuiteMask;
    BYTE wProductType;
    BYTE wReserved;
} OSVERSIONINFOEXA, *POSVERSIONINFOEXA, *LPOSVERSIONINFOEXA;

/* winnt/ns-winnt-osversioninfoexw */
typedef struct _OSVERSIONINFOEXW {
    DWORD dwOSVersionInfoSize;
    DWORD dwMajorVersion;
    DWORD dwMinorVersion;
    DWORD dwBuildNumber;
    DWORD dwPlatformId;
    WCHAR szCSDVersion[128];
    WORD wServicePackMajor;
    WORD wServicePackMinor;
    WORD wSuiteMask;
    BYTE wProductType;
    BYTE wReserved;
} OSVERSIONINFOEXW, *POSVERSIONINFOEXW, *LPOSVERSIONINFOEXW;
#ifdef UNICODE
typedef OSVERSIONINFOW OSVERSIONINFO, *POSVERSIONINFO, *LPOSVERSIONINFO;
typedef OSVERSIONINFOEXW OSVERSIONINFOEX, *POSVERSIONINFOEX, *LPOSVERSIONINFOEX;
#else
typedef OSVERSIONINFOA OSVERSIONINFO, *POSVERSIONINFO, *LPOSVERSIONINFO;
typedef OSVERSIONINFOEXA OSVERSIONINFOEX, *POSVERSIONINFOEX, *LPOSVERSIONINFOEX;
#endif

/* winbase/nf-winbase-verifyversioninfoa */
#define VER_MINORVERSION 0x0000001
#define VER_MAJORVERSION 0x0000002
#define VER_BUILDNUMBER 0x0000004
#define VER_PLATFORMID 0x0000008
#define VER_SERVICEPACKMINOR 0x0000010
#define VER_SERVICEPACKMAJOR 0x0000020
#define VER_SUITENAME 0x0000040
#define VER_PRODUCT_TYPE 0x0000080
#define VER_EQUAL 1
#define VER_GREATER 2
#define VER_GREATER_EQUAL 3
#define VER_LESS 4
#define VER_LESS_EQUAL 5
#define VER_AND 6
#define VER_OR 7
#define VER_NT_WORKSTATION 0x0000001
#define VER_NT_DOMAIN_CONTROLLER 0x0000002
#define VER_NT_SERVER 0x0000003
#define VER_PLATFORM_WIN32s 0
#define VER_PLATFORM_WIN32_WINDOWS 1
#define VER_PLATFORM_WIN32_NT 2
#define VER_SET_CONDITION(mask, type, condition) ((mask) = VerSetConditionMask((mask), (type), (condition)))

/* minwinbase: memory moved by name */
#define RtlZeroMemory(d, n) __builtin_memset((d), 0, (n))
#define RtlFillMemory(d, n, v) __builtin_memset((d), (v), (n))
#define RtlCopyMemory(d, s, n) __builtin_memcpy((d), (s), (n))
#define RtlMoveMemory(d, s, n) __builtin_memmove((d), (s), (n))
#define RtlEqualMemory(a, b, n) (__builtin_memcmp((a), (b), (n)) == 0)
#define ZeroMemory RtlZeroMemory
#define FillMemory RtlFillMemory
#define CopyMemory RtlCopyMemory
#define MoveMemory RtlMoveMemory
#define SecureZeroMemory(d, n) (__builtin_memset((d), 0, (n)), __atomic_signal_fence(__ATOMIC_SEQ_CST), (void)0)

/* winnt/nf-winnt-memorybarrier */
#define MemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define _ReadWriteBarrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define _ReadBarrier() __atomic_signal_fence(__ATOMIC_ACQUIRE)
#define _WriteBarrier() __atomic_signal_fence(__ATOMIC_RELEASE)

/* winnt/nf-winnt-yieldprocessor */
#if defined(__x86_64__)
#define YieldProcessor() __asm__ __volatile__("pause" ::: "memory")
#else
#define YieldProcessor() __asm__ __volatile__("yield" ::: "memory")
#endif

/* The interlocked family. On Windows LONG is `long`, and programs know it, so each name takes a pointer
 * to any integer of 4 or 8 bytes: overloads in C++, _Generic in C. The plain inline functions below are
 * the bodies; C programs that take &InterlockedIncrement get the LONG one. */
#define LINSOCK_INTERLOCKED_BODIES(T, S)                                                                   \
    static __inline__ T LINSOCK_IL(Increment, S)(T volatile *p) { return __atomic_add_fetch(p, (T)1, __ATOMIC_SEQ_CST); } \
    static __inline__ T LINSOCK_IL(Decrement, S)(T volatile *p) { return __atomic_sub_fetch(p, (T)1, __ATOMIC_SEQ_CST); } \
    static __inline__ T LINSOCK_IL(Exchange, S)(T volatile *p, T v) { return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST); } \
    static __inline__ T LINSOCK_IL(ExchangeAdd, S)(T volatile *p, T v) { return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST); } \
    static __inline__ T LINSOCK_IL(Add, S)(T volatile *p, T v) { return __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST); } \
    static __inline__ T LINSOCK_IL(And, S)(T volatile *p, T v) { return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST); } \
    static __inline__ T LINSOCK_IL(Or, S)(T volatile *p, T v) { return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST); } \
    static __inline__ T LINSOCK_IL(Xor, S)(T volatile *p, T v) { return __atomic_fetch_xor(p, v, __ATOMIC_SEQ_CST); } \
    static __inline__ T LINSOCK_IL(CompareExchange, S)(T volatile *p, T v, T old)                             \
    {                                                                                                        \
        __atomic_compare_exchange_n(p, &old, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                      \
        return old;                                                                                          \
    }
#ifdef __cplusplus
extern "C++" {
#define LINSOCK_IL(op, suffix) Interlocked##op
LINSOCK_INTERLOCKED_BODIES(int, )
LINSOCK_INTERLOCKED_BODIES(unsigned int, )
LINSOCK_INTERLOCKED_BODIES(long, )
LINSOCK_INTERLOCKED_BODIES(unsigned long, )
#undef LINSOCK_IL
#define LINSOCK_IL(op, suffix) Interlocked##op##64
LINSOCK_INTERLOCKED_BODIES(long long, )
LINSOCK_INTERLOCKED_BODIES(unsigned long long, )
LINSOCK_INTERLOCKED_BODIES(long, )
LINSOCK_INTERLOCKED_BODIES(unsigned long, )
#undef LINSOCK_IL
}
#else
#define LINSOCK_IL(op, suffix) linsock_il_##op##_##suffix
LINSOCK_INTERLOCKED_BODIES(int, i)
LINSOCK_INTERLOCKED_BODIES(unsigned int, ui)
LINSOCK_INTERLOCKED_BODIES(long, l)
LINSOCK_INTERLOCKED_BODIES(unsigned long, ul)
LINSOCK_INTERLOCKED_BODIES(long long, ll)
LINSOCK_INTERLOCKED_BODIES(unsigned long long, ull)
#undef LINSOCK_IL
#define LINSOCK_IL_PICK(op, p)                                                                               \
    _Generic(*(p) + 0, int: linsock_il_##op##_i, unsigned int: linsock_il_##op##_ui, long: linsock_il_##op##_l, \
             unsigned long: linsock_il_##op##_ul, long long: linsock_il_##op##_ll,                            \
             unsigned long long: linsock_il_##op##_ull)
/* winnt/nf-winnt-interlockedincrement and its siblings */
#define InterlockedIncrement(p) LINSOCK_IL_PICK(Increment, p)(p)
#define InterlockedDecrement(p) LINSOCK_IL_PICK(Decrement, p)(p)
#define InterlockedExchange(p, v) LINSOCK_IL_PICK(Exchange, p)(p, v)
#define InterlockedExchangeAdd(p, v) LINSOCK_IL_PICK(ExchangeAdd, p)(p, v)
#define InterlockedAdd(p, v) LINSOCK_IL_PICK(Add, p)(p, v)
#define InterlockedAnd(p, v) LINSOCK_IL_PICK(And, p)(p, v)
#define InterlockedOr(p, v) LINSOCK_IL_PICK(Or, p)(p, v)
#define InterlockedXor(p, v) LINSOCK_IL_PICK(Xor, p)(p, v)
#define InterlockedCompareExchange(p, v, o) LINSOCK_IL_PICK(CompareExchange, p)(p, v, o)
#define InterlockedIncrement64(p) LINSOCK_IL_PICK(Increment, p)(p)
#define InterlockedDecrement64(p) LINSOCK_IL_PICK(Decrement, p)(p)
#define InterlockedExchange64(p, v) LINSOCK_IL_PICK(Exchange, p)(p, v)
#define InterlockedExchangeAdd64(p, v) LINSOCK_IL_PICK(ExchangeAdd, p)(p, v)
#define InterlockedAdd64(p, v) LINSOCK_IL_PICK(Add, p)(p, v)
#define InterlockedAnd64(p, v) LINSOCK_IL_PICK(And, p)(p, v)
#define InterlockedOr64(p, v) LINSOCK_IL_PICK(Or, p)(p, v)
#define InterlockedXor64(p, v) LINSOCK_IL_PICK(Xor, p)(p, v)
#define InterlockedCompareExchange64(p, v, o) LINSOCK_IL_PICK(CompareExchange, p)(p, v, o)
#endif
/* winnt/nf-winnt-interlockedexchangepointer */
static __inline__ PVOID InterlockedExchangePointer(PVOID volatile *p, PVOID v)
{
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}
/* winnt/nf-winnt-interlockedcompareexchangepointer */
static __inline__ PVOID InterlockedCompareExchangePointer(PVOID volatile *p, PVOID v, PVOID old)
{
    __atomic_compare_exchange_n(p, &old, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return old;
}
#define _InterlockedIncrement InterlockedIncrement
#define _InterlockedDecrement InterlockedDecrement
#define _InterlockedExchange InterlockedExchange
#define _InterlockedExchangeAdd InterlockedExchangeAdd
#define _InterlockedCompareExchange InterlockedCompareExchange
#define _InterlockedAnd InterlockedAnd
#define _InterlockedOr InterlockedOr
#define _InterlockedXor InterlockedXor
#define _InterlockedIncrement64 InterlockedIncrement64
#define _InterlockedDecrement64 InterlockedDecrement64
#define _InterlockedExchange64 InterlockedExchange64
#define _InterlockedExchangeAdd64 InterlockedExchangeAdd64
#define _InterlockedCompareExchange64 InterlockedCompareExchange64
/* winnt/nf-winnt-interlockedincrement and its siblings; stronger than their names ask for */
#define InterlockedIncrementAcquire InterlockedIncrement
#define InterlockedIncrementAcquire64 InterlockedIncrement64
#define InterlockedIncrementRelease InterlockedIncrement
#define InterlockedIncrementRelease64 InterlockedIncrement64
#define InterlockedIncrementNoFence InterlockedIncrement
#define InterlockedIncrementNoFence64 InterlockedIncrement64
#define InterlockedDecrementAcquire InterlockedDecrement
#define InterlockedDecrementAcquire64 InterlockedDecrement64
#define InterlockedDecrementRelease InterlockedDecrement
#define InterlockedDecrementRelease64 InterlockedDecrement64
#define InterlockedDecrementNoFence InterlockedDecrement
#define InterlockedDecrementNoFence64 InterlockedDecrement64
#define InterlockedAddAcquire InterlockedAdd
#define InterlockedAddAcquire64 InterlockedAdd64
#define InterlockedAddRelease InterlockedAdd
#define InterlockedAddRelease64 InterlockedAdd64
#define InterlockedAddNoFence InterlockedAdd
#define InterlockedAddNoFence64 InterlockedAdd64
#define InterlockedExchangeAcquire InterlockedExchange
#define InterlockedExchangeAcquire64 InterlockedExchange64
#define InterlockedExchangeNoFence InterlockedExchange
#define InterlockedExchangeNoFence64 InterlockedExchange64
#define InterlockedExchangeAddAcquire InterlockedExchangeAdd
#define InterlockedExchangeAddAcquire64 InterlockedExchangeAdd64
#define InterlockedExchangeAddRelease InterlockedExchangeAdd
#define InterlockedExchangeAddRelease64 InterlockedExchangeAdd64
#define InterlockedExchangeAddNoFence InterlockedExchangeAdd
#define InterlockedExchangeAddNoFence64 InterlockedExchangeAdd64
#define InterlockedCompareExchangeAcquire InterlockedCompareExchange
#define InterlockedCompareExchangeAcquire64 InterlockedCompareExchange64
#define InterlockedCompareExchangeRelease InterlockedCompareExchange
#define InterlockedCompareExchangeRelease64 InterlockedCompareExchange64
#define InterlockedCompareExchangeNoFence InterlockedCompareExchange
#define InterlockedCompareExchangeNoFence64 InterlockedCompareExchange64
#define InterlockedAndAcquire InterlockedAnd
#define InterlockedAnd64Acquire InterlockedAnd64
#define InterlockedAndRelease InterlockedAnd
#define InterlockedAnd64Release InterlockedAnd64
#define InterlockedAndNoFence InterlockedAnd
#define InterlockedAnd64NoFence InterlockedAnd64
#define InterlockedOrAcquire InterlockedOr
#define InterlockedOr64Acquire InterlockedOr64
#define InterlockedOrRelease InterlockedOr
#define InterlockedOr64Release InterlockedOr64
#define InterlockedOrNoFence InterlockedOr
#define InterlockedOr64NoFence InterlockedOr64
#define InterlockedXorAcquire InterlockedXor
#define InterlockedXor64Acquire InterlockedXor64
#define InterlockedXorRelease InterlockedXor
#define InterlockedXor64Release InterlockedXor64
#define InterlockedXorNoFence InterlockedXor
#define InterlockedXor64NoFence InterlockedXor64
#define InterlockedExchangePointerAcquire InterlockedExchangePointer
#define InterlockedExchangePointerNoFence InterlockedExchangePointer
#define InterlockedCompareExchangePointerAcquire InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerRelease InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerNoFence InterlockedCompareExchangePointer

/* winnt/ns-winnt-slist_header: lists that threads push to and pop from at once. An entry is aligned as memory of
 * malloc is. The header's octets are the library's own. */
#define MEMORY_ALLOCATION_ALIGNMENT 16
#define TYPE_ALIGNMENT(type) ((LONG)__alignof__(type))
typedef struct DECLSPEC_ALIGN(16) _SLIST_ENTRY {
    struct _SLIST_ENTRY *Next;
} SLIST_ENTRY, *PSLIST_ENTRY;
typedef union DECLSPEC_ALIGN(16) _SLIST_HEADER {
    struct {
        ULONGLONG Alignment;
        ULONGLONG Region;
    } Reserved;
} SLIST_HEADER, *PSLIST_HEADER;

LINSOCK_EXTERN_C_BEGIN
/* interlockedapi/nf-interlockedapi-initializeslisthead */
VOID NTAPI InitializeSListHead(PSLIST_HEADER ListHead);
/* interlockedapi/nf-interlockedapi-interlockedpushentryslist: what was first */
PSLIST_ENTRY NTAPI InterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry);
/* interlockedapi/nf-interlockedapi-interlockedpopentryslist */
PSLIST_ENTRY NTAPI InterlockedPopEntrySList(PSLIST_HEADER ListHead);
/* interlockedapi/nf-interlockedapi-interlockedflushslist: the whole list */
PSLIST_ENTRY NTAPI InterlockedFlushSList(PSLIST_HEADER ListHead);
/* interlockedapi/nf-interlockedapi-querydepthslist */
USHORT NTAPI QueryDepthSList(PSLIST_HEADER ListHead);
LINSOCK_EXTERN_C_END

LINSOCK_ASSERT(sizeof(LARGE_INTEGER) == 8, "LARGE_INTEGER");
LINSOCK_ASSERT(sizeof(LIST_ENTRY) == 16, "LIST_ENTRY");
LINSOCK_ASSERT(sizeof(OSVERSIONINFOEXA) == 156, "OSVERSIONINFOEXA");
LINSOCK_ASSERT(sizeof(OSVERSIONINFOEXW) == 284, "OSVERSIONINFOEXW");

#endif
