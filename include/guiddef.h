/* guiddef.h - GUID. */
#ifndef LINSOCK_GUIDDEF_H
#define LINSOCK_GUIDDEF_H

#include "windef.h"
/* Programs count on it (as with the headers of Windows). */
#include <string.h>

/* guiddef/ns-guiddef-guid */
typedef struct _GUID {
    ULONG Data1;
    USHORT Data2;
    USHORT Data3;
    UCHAR Data4[8];
} GUID, *LPGUID;
#define GUID_DEFINED
typedef const GUID *LPCGUID;
typedef GUID IID, CLSID;
#ifdef __cplusplus
#define REFGUID const GUID &
#define REFIID const IID &
#else
#define REFGUID const GUID *
#define REFIID const IID *
#endif

#ifdef __cplusplus
#define LINSOCK_GUID_LINKAGE extern "C" const
#else
#define LINSOCK_GUID_LINKAGE const
#endif
#ifdef INITGUID
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)                                     \
    LINSOCK_GUID_LINKAGE GUID name __attribute__((weak)) = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) extern LINSOCK_GUID_LINKAGE GUID name
#endif

/* guiddef/nf-guiddef-isequalguid */
static __inline__ int InlineIsEqualGUID(const GUID *a, const GUID *b)
{
    return __builtin_memcmp(a, b, sizeof(GUID)) == 0;
}
#ifdef __cplusplus
extern "C++" {
static __inline__ int IsEqualGUID(REFGUID a, REFGUID b) { return InlineIsEqualGUID(&a, &b); }
static __inline__ bool operator==(REFGUID a, REFGUID b) { return InlineIsEqualGUID(&a, &b) != 0; }
static __inline__ bool operator!=(REFGUID a, REFGUID b) { return !(a == b); }
}
#else
#define IsEqualGUID(a, b) InlineIsEqualGUID(a, b)
#endif
#define IsEqualIID(a, b) IsEqualGUID(a, b)

LINSOCK_ASSERT(sizeof(GUID) == 16, "GUID");

#endif
