/* linsock_words.h - words that compilers for Windows know themselves. `linsock cc` reads it before the sources, which
 * use them before they include anything; windef.h includes it for who uses the headers alone. */
#pragma GCC system_header
#ifndef LINSOCK_WORDS_H
#define LINSOCK_WORDS_H

/* Calling conventions: x64 has one, and its ABI here is System V. */
#ifndef __stdcall
#define __stdcall
#endif
#ifndef __cdecl
#define __cdecl
#endif
#ifndef __fastcall
#define __fastcall
#endif
#ifndef __thiscall
#define __thiscall
#endif
#ifndef __vectorcall
#define __vectorcall
#endif
#ifndef _stdcall
#define _stdcall
#endif
#ifndef _cdecl
#define _cdecl
#endif

/* __declspec(align(8)) pastes to LINSOCK_DECLSPEC_align (8). */
#ifndef __declspec
#define __declspec(x) LINSOCK_DECLSPEC_##x
#endif
#define LINSOCK_DECLSPEC_dllimport
#define LINSOCK_DECLSPEC_dllexport __attribute__((visibility("default")))
#define LINSOCK_DECLSPEC_noinline __attribute__((noinline))
#define LINSOCK_DECLSPEC_noreturn __attribute__((noreturn))
#define LINSOCK_DECLSPEC_nothrow __attribute__((nothrow))
#define LINSOCK_DECLSPEC_selectany __attribute__((weak))
#define LINSOCK_DECLSPEC_thread __thread
#define LINSOCK_DECLSPEC_align(n) __attribute__((aligned(n)))
#define LINSOCK_DECLSPEC_deprecated __attribute__((deprecated))
#define LINSOCK_DECLSPEC_novtable
#define LINSOCK_DECLSPEC_restrict
#define LINSOCK_DECLSPEC_uuid(x)
#define LINSOCK_DECLSPEC_property(x)
#define LINSOCK_DECLSPEC_allocator
#define LINSOCK_DECLSPEC_noalias

#ifndef __int64
#define __int64 long long
#endif
#ifndef __int32
#define __int32 int
#endif
#ifndef __int16
#define __int16 short
#endif
#ifndef __int8
#define __int8 char
#endif
#ifndef __forceinline
#define __forceinline __inline__ __attribute__((always_inline))
#endif
#ifndef __noop
#define __noop(...) ((void)0)
#endif
#define __unaligned
#define __ptr32
#define __ptr64
#define __w64

#endif
