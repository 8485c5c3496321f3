/* process.h - threads as the C runtime starts them. */
#ifndef LINSOCK_PROCESS_H
#define LINSOCK_PROCESS_H

#include "windef.h"

LINSOCK_EXTERN_C_BEGIN

typedef unsigned(__stdcall *_beginthreadex_proc_type)(void *);

/* cpp/c-runtime-library/reference/beginthread-beginthreadex */
uintptr_t __cdecl _beginthreadex(void *security, unsigned stack_size, _beginthreadex_proc_type start_address,
                                 void *arglist, unsigned initflag, unsigned *thrdaddr);
typedef void(__cdecl *_beginthread_proc_type)(void *);
/* cpp/c-runtime-library/reference/beginthread-beginthreadex */
uintptr_t __cdecl _beginthread(_beginthread_proc_type start_address, unsigned stack_size, void *arglist);
/* cpp/c-runtime-library/reference/endthread-endthreadex */
DECLSPEC_NORETURN void __cdecl _endthread(void);
/* cpp/c-runtime-library/reference/endthread-endthreadex */
DECLSPEC_NORETURN void __cdecl _endthreadex(unsigned retval);

/* processthreadsapi/nf-processthreadsapi-getcurrentprocessid */
DWORD WINAPI GetCurrentProcessId(void);

LINSOCK_EXTERN_C_END

/* cpp/c-runtime-library/reference/getpid */
#define _getpid() ((int)GetCurrentProcessId())

#endif
