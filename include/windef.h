/* windef.h - the base types, calling-convention words and annotations every other header stands on.
 *
 * Windows is LLP64 and Linux is LP64, so no Windows type is ever spelled with a bare `long`:
 * LONG, DWORD, ULONG, HRESULT are 32 bits; the _PTR types are those of <stdint.h> (and so the same
 * types as size_t and uintptr_t, as on Win64); the 64-bit ones are `long long`, to fit "%llu".
 * WCHAR is 16 bits: the type of a u"" literal. L"" literals are 32 bits here, unless the program is compiled with
 * -municode; TEXT() is right in both. */
#ifndef LINSOCK_WINDEF_H
#define LINSOCK_WINDEF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "linsock: only 64-bit targets are supported"
#endif

#ifdef __cplusplus
#define LINSOCK_EXTERN_C_BEGIN extern "C" {
#define LINSOCK_EXTERN_C_END }
#define LINSOCK_ASSERT(expr, text) static_assert(expr, text)
#else
#define LINSOCK_EXTERN_C_BEGIN
#define LINSOCK_EXTERN_C_END
#define LINSOCK_ASSERT(expr, text) _Static_assert(expr, text)
#endif

/* sdkddkver: which Windows is asked for */
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#ifndef WINVER
#define WINVER _WIN32_WINNT
#endif
#ifndef NTDDI_VERSION
#define NTDDI_VERSION 0x0A000000
#endif

#include "linsock_words.h"

#define WINAPI
#define WINAPIV
#define APIENTRY
#define CALLBACK
#define NTAPI
#define APIPRIVATE
#define PASCAL
#define CDECL
#define WINBASEAPI
#define WINADVAPI
#define DECLSPEC_IMPORT
#define DECLSPEC_NORETURN __attribute__((noreturn))
#define DECLSPEC_ALIGN(n) __attribute__((aligned(n)))
#define FAR
#define NEAR
#define far
#define near
#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif
#ifndef CONST
#define CONST const
#endif
#ifndef VOID
#define VOID void
#endif

#ifndef FORCEINLINE
#define FORCEINLINE static __forceinline
#endif
#define UNALIGNED

/* SAL annotations mean nothing to this compiler. */
#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _In_reads_(n)
#define _In_reads_opt_(n)
#define _In_reads_bytes_(n)
#define _In_reads_bytes_opt_(n)
#define _In_reads_z_(n)
#define _In_range_(a, b)
#define _Out_
#define _Out_opt_
#define _Out_writes_(n)
#define _Out_writes_opt_(n)
#define _Out_writes_z_(n)
#define _Out_writes_bytes_(n)
#define _Out_writes_bytes_opt_(n)
#define _Out_writes_to_(n, m)
#define _Out_writes_to_opt_(n, m)
#define _Out_writes_bytes_to_(n, m)
#define _Out_writes_bytes_to_opt_(n, m)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Inout_
#define _Inout_opt_
#define _Inout_z_
#define _Inout_updates_(n)
#define _Inout_updates_opt_(n)
#define _Inout_updates_bytes_(n)
#define _Inout_updates_bytes_opt_(n)
#define _Inout_updates_to_(n, m)
#define _Field_size_(n)
#define _Field_size_bytes_(n)
#define _Field_z_
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Ret_z_
#define _Check_return_
#define _Must_inspect_result_
#define _Success_(x)
#define _When_(a, b)
#define _At_(a, b)
#define _Pre_maybenull_
#define _Post_invalid_
#define _Reserved_
#define _Frees_ptr_opt_
#define _Null_terminated_
#define _Printf_format_string_
#define _Use_decl_annotations_
#define _Analysis_assume_(x)
#define _Acquires_lock_(x)
#define _Releases_lock_(x)
#define _Requires_lock_held_(x)
#define _Requires_lock_not_held_(x)
#define _Guarded_by_(x)
#define _Interlocked_operand_
#define _IRQL_requires_max_(x)
#define _Function_class_(x)
#define __callback
#define __analysis_assume(x)
#define __drv_aliasesMem

/* winprog/windows-data-types: integers */
typedef unsigned char BYTE, *PBYTE, *LPBYTE;
typedef unsigned char UCHAR, *PUCHAR;
typedef char CHAR, *PCHAR, *LPCH, *PCH;
typedef char CCHAR;
typedef short SHORT, *PSHORT;
typedef unsigned short USHORT, *PUSHORT;
typedef unsigned short WORD, *PWORD, *LPWORD;
typedef int INT, *PINT, *LPINT;
typedef unsigned int UINT, *PUINT, *LPUINT;
typedef int LONG, *PLONG, *LPLONG;
typedef unsigned int ULONG, *PULONG;
typedef unsigned int DWORD, *PDWORD, *LPDWORD;
typedef long long LONGLONG, *PLONGLONG;
typedef unsigned long long ULONGLONG, *PULONGLONG;
typedef unsigned long long DWORDLONG, *PDWORDLONG;
typedef int BOOL, *PBOOL, *LPBOOL;
typedef BYTE BOOLEAN, *PBOOLEAN;
typedef float FLOAT, *PFLOAT;
typedef double DOUBLE;
typedef int HRESULT;
typedef int NTSTATUS, *PNTSTATUS;
typedef signed char INT8, *PINT8;
typedef unsigned char UINT8, *PUINT8;
typedef short INT16, *PINT16;
typedef unsigned short UINT16, *PUINT16;
typedef int INT32, *PINT32;
typedef unsigned int UINT32, *PUINT32;
typedef long long INT64, *PINT64;
typedef unsigned long long UINT64, *PUINT64;
typedef int LONG32, *PLONG32;
typedef unsigned int ULONG32, *PULONG32;
typedef unsigned int DWORD32, *PDWORD32;
typedef long long LONG64, *PLONG64;
typedef unsigned long long ULONG64, *PULONG64;
typedef unsigned long long DWORD64, *PDWORD64;

/* winprog/windows-data-types: integers as wide as a pointer */
typedef intptr_t INT_PTR, *PINT_PTR;
typedef uintptr_t UINT_PTR, *PUINT_PTR;
typedef intptr_t LONG_PTR, *PLONG_PTR;
typedef uintptr_t ULONG_PTR, *PULONG_PTR;
typedef ULONG_PTR DWORD_PTR, *PDWORD_PTR;
typedef ULONG_PTR SIZE_T, *PSIZE_T;
typedef LONG_PTR SSIZE_T, *PSSIZE_T;
typedef ULONG_PTR KAFFINITY;
typedef UINT_PTR WPARAM;
typedef LONG_PTR LPARAM;
typedef LONG_PTR LRESULT;
typedef DWORD ACCESS_MASK;
typedef WORD ATOM;
typedef DWORD LCID;
typedef WORD LANGID;

/* winprog/windows-data-types: pointers and strings */
typedef void *PVOID, *LPVOID;
typedef const void *LPCVOID;
typedef char *LPSTR, *PSTR, *NPSTR;
typedef const char *LPCSTR, *PCSTR, *LPCCH, *PCCH;
#if __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#elif defined(__cplusplus)
typedef char16_t WCHAR;
#else
typedef unsigned short WCHAR;
#endif
typedef WCHAR *PWCHAR, *LPWSTR, *PWSTR, *NWPSTR, *LPWCH;
typedef const WCHAR *LPCWSTR, *PCWSTR, *LPCWCH;
#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR;
#if __SIZEOF_WCHAR_T__ == 2
#define LINSOCK_TEXT(quote) L##quote
#else
#define LINSOCK_TEXT(quote) u##quote
#endif
#else
typedef char TCHAR, *PTCHAR;
#define LINSOCK_TEXT(quote) quote
#endif
typedef TCHAR *LPTSTR, *PTSTR;
typedef const TCHAR *LPCTSTR, *PCTSTR;
#define TEXT(quote) LINSOCK_TEXT(quote)
#define __TEXT(quote) LINSOCK_TEXT(quote)

/* winprog/windows-data-types: handles */
typedef void *HANDLE;
typedef HANDLE *PHANDLE, *LPHANDLE;
#define DECLARE_HANDLE(name) typedef struct name##__ { int unused; } *name
DECLARE_HANDLE(HINSTANCE);
DECLARE_HANDLE(HWND);
DECLARE_HANDLE(HKEY);
typedef HINSTANCE HMODULE;
typedef HANDLE HGLOBAL, HLOCAL;

typedef INT_PTR(WINAPI *FARPROC)(void);
typedef INT_PTR(WINAPI *PROC)(void);

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif
#define MAX_PATH 260

#define MAKEWORD(a, b) ((WORD)(((BYTE)((DWORD_PTR)(a) & 0xff)) | ((WORD)((BYTE)((DWORD_PTR)(b) & 0xff))) << 8))
#define MAKELONG(a, b) ((LONG)(((WORD)((DWORD_PTR)(a) & 0xffff)) | ((DWORD)((WORD)((DWORD_PTR)(b) & 0xffff))) << 16))
#define LOWORD(l) ((WORD)((DWORD_PTR)(l) & 0xffff))
#define HIWORD(l) ((WORD)(((DWORD_PTR)(l) >> 16) & 0xffff))
#define LOBYTE(w) ((BYTE)((DWORD_PTR)(w) & 0xff))
#define HIBYTE(w) ((BYTE)(((DWORD_PTR)(w) >> 8) & 0xff))
#define HandleToULong(h) ((ULONG)(ULONG_PTR)(h))
#define HandleToLong(h) ((LONG)(LONG_PTR)(h))
#define ULongToHandle(h) ((HANDLE)(ULONG_PTR)(h))
#define LongToHandle(h) ((HANDLE)(LONG_PTR)(h))
#define PtrToUlong(p) ((ULONG)(ULONG_PTR)(p))
#define PtrToLong(p) ((LONG)(LONG_PTR)(p))
#define UlongToPtr(v) ((void *)(ULONG_PTR)(v))
#define LongToPtr(v) ((void *)(LONG_PTR)(v))

/* In C++ these two would break the standard library; write std::min there. */
#if !defined(__cplusplus) && !defined(NOMINMAX)
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#endif

#define UNREFERENCED_PARAMETER(p) ((void)(p))
#define UNREFERENCED_LOCAL_VARIABLE(v) ((void)(v))
#define DBG_UNREFERENCED_PARAMETER(p) ((void)(p))
#ifndef _countof
#define _countof(a) (sizeof(a) / sizeof((a)[0]))
#endif
#define ARRAYSIZE(a) _countof(a)
#define RTL_NUMBER_OF(a) _countof(a)

#define MINCHAR 0x80
#define MAXCHAR 0x7f
#define MINSHORT 0x8000
#define MAXSHORT 0x7fff
#define MINLONG 0x80000000
#define MAXLONG 0x7fffffff
#define MAXBYTE 0xff
#define MAXWORD 0xffff
#define MAXDWORD 0xffffffff
#define MAXUINT 0xffffffffu
#define MAXULONG 0xffffffffu
#define MAXULONG_PTR UINTPTR_MAX
#define MAXLONGLONG 0x7fffffffffffffffLL

/* minwinbase/ns-minwinbase-filetime */
typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

LINSOCK_ASSERT(sizeof(LONG) == 4, "LONG");
LINSOCK_ASSERT(sizeof(DWORD) == 4, "DWORD");
LINSOCK_ASSERT(sizeof(ULONG) == 4, "ULONG");
LINSOCK_ASSERT(sizeof(HRESULT) == 4, "HRESULT");
LINSOCK_ASSERT(sizeof(WCHAR) == 2, "WCHAR");
LINSOCK_ASSERT(sizeof(ULONG_PTR) == 8, "ULONG_PTR");
LINSOCK_ASSERT(sizeof(LONGLONG) == 8, "LONGLONG");

#endif
