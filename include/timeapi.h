/* timeapi.h - the multimedia timer: a clock of milliseconds, and how fine timers are to be. */
#ifndef LINSOCK_TIMEAPI_H
#define LINSOCK_TIMEAPI_H

#include "windef.h"

LINSOCK_EXTERN_C_BEGIN

typedef UINT MMRESULT;
#define MMSYSERR_NOERROR 0
#define TIMERR_NOERROR 0
#define TIMERR_NOCANDO 97

/* timeapi/ns-timeapi-timecaps */
typedef struct timecaps_tag {
    UINT wPeriodMin;
    UINT wPeriodMax;
} TIMECAPS, *PTIMECAPS, *NPTIMECAPS, *LPTIMECAPS;

/* timeapi/nf-timeapi-timegettime */
DWORD WINAPI timeGetTime(void);
/* timeapi/nf-timeapi-timebeginperiod */
MMRESULT WINAPI timeBeginPeriod(UINT uPeriod);
/* timeapi/nf-timeapi-timeendperiod */
MMRESULT WINAPI timeEndPeriod(UINT uPeriod);
/* timeapi/nf-timeapi-timegetdevcaps */
MMRESULT WINAPI timeGetDevCaps(LPTIMECAPS ptc, UINT cbtc);

LINSOCK_EXTERN_C_END

#endif
