/* process.h - threads and processes as the C runtime starts them. */
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

/* cpp/c-runtime-library/spawn-constants */
#define _P_WAIT 0
#define _P_NOWAIT 1
#define _P_OVERLAY 2
#define _P_NOWAITO 3
#define _P_DETACH 4
/* cpp/c-runtime-library/reference/cwait: the action, which has no effect */
#define _WAIT_CHILD 0
#define _WAIT_GRANDCHILD 1

/* cpp/c-runtime-library/reference/spawnv-wspawnv */
intptr_t __cdecl _spawnv(int mode, const char *cmdname, const char *const *argv);
/* cpp/c-runtime-library/reference/spawnve-wspawnve */
intptr_t __cdecl _spawnve(int mode, const char *cmdname, const char *const *argv, const char *const *envp);
/* cpp/c-runtime-library/reference/spawnvp-wspawnvp */
intptr_t __cdecl _spawnvp(int mode, const char *cmdname, const char *const *argv);
/* cpp/c-runtime-library/reference/spawnvpe-wspawnvpe */
intptr_t __cdecl _spawnvpe(int mode, const char *cmdname, const char *const *argv, const char *const *envp);
/* cpp/c-runtime-library/reference/cwait */
intptr_t __cdecl _cwait(int *termstat, intptr_t procHandle, int action);

LINSOCK_EXTERN_C_END

/* The arguments up to the null pointer, and what stands behind it if there is an environment. */
#define LINSOCK_LIST(call, end)                                                                           \
    {                                                                                                     \
        __builtin_va_list list, again;                                                                    \
        const char **argv;                                                                                \
        size_t count = arg0 != 0, at;                                                                     \
        intptr_t result;                                                                                  \
                                                                                                          \
        __builtin_va_start(list, arg0);                                                                   \
        __builtin_va_copy(again, list);                                                                   \
        while (arg0 != 0 && __builtin_va_arg(again, const char *) != 0)                                   \
            count++;                                                                                      \
        __builtin_va_end(again);                                                                          \
        argv = (const char **)__builtin_alloca((count + 1) * sizeof *argv);                               \
        argv[0] = arg0;                                                                                   \
        for (at = 1; at <= count; at++)                                                                   \
            argv[at] = __builtin_va_arg(list, const char *);                                              \
        result = call end;                                                                                \
        __builtin_va_end(list);                                                                           \
        return result;                                                                                    \
    }
#define LINSOCK_ENVIRONMENT __builtin_va_arg(list, const char *const *)

/* cpp/c-runtime-library/reference/spawnl-wspawnl */
static __inline__ intptr_t _spawnl(int mode, const char *cmdname, const char *arg0, ...)
LINSOCK_LIST(_spawnv, (mode, cmdname, argv))
/* cpp/c-runtime-library/reference/spawnle-wspawnle */
static __inline__ intptr_t _spawnle(int mode, const char *cmdname, const char *arg0, ...)
LINSOCK_LIST(_spawnve, (mode, cmdname, argv, LINSOCK_ENVIRONMENT))
/* cpp/c-runtime-library/reference/spawnlp-wspawnlp */
static __inline__ intptr_t _spawnlp(int mode, const char *cmdname, const char *arg0, ...)
LINSOCK_LIST(_spawnvp, (mode, cmdname, argv))
/* cpp/c-runtime-library/reference/spawnlpe-wspawnlpe */
static __inline__ intptr_t _spawnlpe(int mode, const char *cmdname, const char *arg0, ...)
LINSOCK_LIST(_spawnvpe, (mode, cmdname, argv, LINSOCK_ENVIRONMENT))
/* cpp/c-runtime-library/reference/execv-wexecv */
static __inline__ intptr_t _execv(const char *cmdname, const char *const *argv)
{
    return _spawnv(_P_OVERLAY, cmdname, argv);
}
/* cpp/c-runtime-library/reference/execve-wexecve */
static __inline__ intptr_t _execve(const char *cmdname, const char *const *argv, const char *const *envp)
{
    return _spawnve(_P_OVERLAY, cmdname, argv, envp);
}
/* cpp/c-runtime-library/reference/execvp-wexecvp */
static __inline__ intptr_t _execvp(const char *cmdname, const char *const *argv)
{
    return _spawnvp(_P_OVERLAY, cmdname, argv);
}
/* cpp/c-runtime-library/reference/execvpe-wexecvpe */
static __inline__ intptr_t _execvpe(const char *cmdname, const char *const *argv, const char *const *envp)
{
    return _spawnvpe(_P_OVERLAY, cmdname, argv, envp);
}
/* cpp/c-runtime-library/reference/execl-wexecl */
static __inline__ intptr_t _execl(const char *cmdname, const char *arg0, ...)
LINSOCK_LIST(_spawnv, (_P_OVERLAY, cmdname, argv))
/* cpp/c-runtime-library/reference/execlp-wexeclp */
static __inline__ intptr_t _execlp(const char *cmdname, const char *arg0, ...)
LINSOCK_LIST(_spawnvp, (_P_OVERLAY, cmdname, argv))
#undef LINSOCK_LIST
#undef LINSOCK_ENVIRONMENT

/* cpp/c-runtime-library/reference/getpid */
#define _getpid() ((int)GetCurrentProcessId())

#endif
