/* alias/sys/timeb.h - the time in milliseconds, as the Microsoft C runtime tells it (cpp/c-runtime-library/reference/
 * ftime-ftime32-ftime64). Differs from Windows: time zone and summer time are not told, and are 0. */
#pragma GCC system_header
#ifndef LINSOCK_SYS_TIMEB_H
#define LINSOCK_SYS_TIMEB_H

#include "../../winbase.h"
#include <time.h>

#ifndef LINSOCK_ERRNO_T
#define LINSOCK_ERRNO_T
typedef int errno_t;
#endif

struct _timeb {
    time_t time;
    unsigned short millitm;
    short timezone;
    short dstflag;
};

static __inline__ void _ftime(struct _timeb *now)
{
    FILETIME at;
    long long ms;

    GetSystemTimeAsFileTime(&at);
    /* From units of 100 ns since 1601 to milliseconds since 1970. */
    ms = (long long)(((unsigned long long)at.dwHighDateTime << 32 | at.dwLowDateTime) / 10000) - 11644473600000LL;
    now->time = (time_t)(ms / 1000);
    now->millitm = (unsigned short)(ms % 1000);
    now->timezone = 0;
    now->dstflag = 0;
}
static __inline__ errno_t _ftime_s(struct _timeb *now)
{
    if (now == 0)
        return 22;
    _ftime(now);
    return 0;
}

#define timeb _timeb
#define ftime _ftime

#endif
