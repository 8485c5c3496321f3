/* sal.h - the annotations of Microsoft's sources, which mean nothing to this compiler; the
 * common ones are in windef.h. */
#ifndef LINSOCK_SAL_H
#define LINSOCK_SAL_H

#include "windef.h"

#define _In_reads_or_z_(n)
#define _Outptr_result_bytebuffer_(n)
#define _Post_
#define _Pre_
#define _Pre_satisfies_(x)
#define _Post_satisfies_(x)
#define _Notnull_
#define _Null_
#define _Const_
#define _Field_size_opt_(n)
#define _Field_size_bytes_part_(n, m)
#define _Interlocked_
#define _Inexpressible_(x)
#define _IRQL_requires_(x)
#define _IRQL_requires_min_(x)
#define _IRQL_requires_same_
#define _IRQL_raises_(x)
#define _IRQL_saves_
#define _IRQL_restores_
#define _Dispatch_type_(x)
#define __drv_allocatesMem(x)
#define __drv_freesMem(x)
#define __drv_requiresIRQL(x)
#define __drv_maxIRQL(x)
#define __drv_when(x, y)
#define __in
#define __out
#define __inout
#define __in_opt
#define __out_opt

#ifndef __analysis_assume
#endif

#endif
