/* crtdbg.h - the debug heap of the Microsoft C runtime, which is not here: sanitizers and valgrind do its work. What
 * asks for its reports gives 0; the assertions are those of assert.h in a build with _DEBUG. */
#ifndef LINSOCK_CRTDBG_H
#define LINSOCK_CRTDBG_H

#include "windef.h"

/* cpp/c-runtime-library/reference/assert-asserte-assert-expr-macros */
#ifdef _DEBUG
#include <assert.h>
#define _ASSERT(e) assert(e)
#define _ASSERTE(e) assert(e)
#define _ASSERT_EXPR(e, message) assert((e) || !(message))
#else
#define _ASSERT(e) ((void)0)
#define _ASSERTE(e) ((void)0)
#define _ASSERT_EXPR(e, message) ((void)0)
#endif

/* cpp/c-runtime-library/reference/crtsetdbgflag */
#define _CRTDBG_ALLOC_MEM_DF 0x01
#define _CRTDBG_DELAY_FREE_MEM_DF 0x02
#define _CRTDBG_CHECK_ALWAYS_DF 0x04
#define _CRTDBG_CHECK_CRT_DF 0x10
#define _CRTDBG_LEAK_CHECK_DF 0x20
#define _CRTDBG_REPORT_FLAG (-1)
#define _CRT_WARN 0
#define _CRT_ERROR 1
#define _CRT_ASSERT 2
#define _CRTDBG_MODE_FILE 0x1
#define _CRTDBG_MODE_DEBUG 0x2
#define _CRTDBG_MODE_WNDW 0x4
#define _CRTDBG_FILE_STDOUT ((void *)-4)
#define _CRTDBG_FILE_STDERR ((void *)-5)
#define _CrtSetDbgFlag(flag) ((void)(flag), 0)
#define _CrtSetReportMode(kind, mode) ((void)(kind), (void)(mode), 0)
#define _CrtSetReportFile(kind, file) ((void)(kind), (void)(file), (void *)0)
#define _CrtSetBreakAlloc(number) ((void)(number), 0L)
#define _CrtDumpMemoryLeaks() 0
#define _CrtCheckMemory() 1

#endif
