/* linsock_time.h - gettimeofday on our 8-byte struct timeval, for programs that include <sys/time.h>
 * (as with mingw). Read after winsock2.h and again after alias/sys/time.h; does nothing without it. */
#if defined(_SYS_TIME_H) && defined(LINSOCK_WINSOCK2_H) && !defined(USE_WS_PREFIX) && !defined(LINSOCK_TIME_H)
#define LINSOCK_TIME_H

static __inline__ int linsock_gettimeofday(struct WS_timeval *tv, void *tz)
{
    FILETIME ft;
    ULONGLONG us;
    (void)tz;
    GetSystemTimeAsFileTime(&ft);
    us = ((((ULONGLONG)ft.dwHighDateTime << 32) | ft.dwLowDateTime) - 116444736000000000ULL) / 10;
    tv->tv_sec = (LONG)(us / 1000000);
    tv->tv_usec = (LONG)(us % 1000000);
    return 0;
}
#ifdef __cplusplus
extern "C++" {
static __inline__ int gettimeofday(struct WS_timeval *tv, void *tz) { return linsock_gettimeofday(tv, tz); }
}
#else
#define gettimeofday(tv, tz) linsock_gettimeofday((tv), (tz))
#endif

#endif
