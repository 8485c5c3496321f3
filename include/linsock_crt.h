/* linsock_crt.h - names of the Microsoft C runtime that socket programs use in passing. Included by
 * windows.h; no function of the library is behind them. */
#ifndef LINSOCK_CRT_H
#define LINSOCK_CRT_H

#include "windef.h"

/* cpp/c-runtime-library/reference/strnicmp-wcsnicmp-mbsnicmp-strnicmp-l-wcsnicmp-l-mbsnicmp-l */
static __inline__ int _strnicmp(const char *a, const char *b, size_t n)
{
    for (; n != 0; n--, a++, b++) {
        int x = (unsigned char)*a, y = (unsigned char)*b;
        if (x >= 'A' && x <= 'Z')
            x += 'a' - 'A';
        if (y >= 'A' && y <= 'Z')
            y += 'a' - 'A';
        if (x != y)
            return x - y;
        if (x == 0)
            return 0;
    }
    return 0;
}

/* cpp/c-runtime-library/reference/stricmp-wcsicmp-mbsicmp-stricmp-l-wcsicmp-l-mbsicmp-l */
static __inline__ int _stricmp(const char *a, const char *b) { return _strnicmp(a, b, (size_t)-1); }

/* winbase/nf-winbase-lstrlena and siblings are macros on what the compiler knows */
#define lstrlenA(s) ((int)__builtin_strlen(s))
#define lstrcpyA(d, s) __builtin_strcpy((d), (s))
#define lstrcmpA(a, b) __builtin_strcmp((a), (b))
#define lstrcmpiA(a, b) _stricmp((a), (b))

#ifndef _snprintf
#define _snprintf snprintf
#endif
#ifndef _vsnprintf
#define _vsnprintf vsnprintf
#endif
#ifndef _strdup
#define _strdup strdup
#endif
#ifndef _strtoui64
#define _strtoui64 strtoull
#endif
#ifndef _atoi64
#define _atoi64 atoll
#endif

#endif
