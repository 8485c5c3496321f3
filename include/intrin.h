/* intrin.h - what the compiler of Windows does without a function. The interlocked family is in winnt.h. */
#ifndef LINSOCK_INTRIN_H
#define LINSOCK_INTRIN_H

#include "winnt.h"
#include "linsock_crt.h"
#if defined(__x86_64__)
/* __rdtsc and _mm_pause */
#include <x86intrin.h>
#endif

/* cpp/intrinsics/debugbreak: SIGTRAP */
#ifndef __debugbreak
#if defined(__x86_64__)
#define __debugbreak() __asm__ __volatile__("int3")
#else
#define __debugbreak() __asm__ __volatile__("brk #0xf000")
#endif
#endif

/* cpp/intrinsics/bitscanforward-bitscanforward64: the lowest bit that is set; 0 if there is none */
static __inline__ unsigned char linsock_scan_forward(unsigned long long mask, unsigned *at)
{
    if (mask == 0)
        return 0;
    *at = (unsigned)__builtin_ctzll(mask);
    return 1;
}
/* cpp/intrinsics/bitscanreverse-bitscanreverse64: the highest */
static __inline__ unsigned char linsock_scan_reverse(unsigned long long mask, unsigned *at)
{
    if (mask == 0)
        return 0;
    *at = 63u - (unsigned)__builtin_clzll(mask);
    return 1;
}
/* On Windows the index is an unsigned long, and programs know it: it may be any unsigned integer here. */
#define LINSOCK_SCAN(scan, index, mask)                                                                      \
    (__extension__({                                                                                         \
        unsigned linsock_at = 0;                                                                             \
        unsigned char linsock_found = scan((mask), &linsock_at);                                             \
        if (linsock_found)                                                                                   \
            *(index) = linsock_at;                                                                           \
        linsock_found;                                                                                       \
    }))
#define _BitScanForward(index, mask) LINSOCK_SCAN(linsock_scan_forward, index, (unsigned)(mask))
#define _BitScanReverse(index, mask) LINSOCK_SCAN(linsock_scan_reverse, index, (unsigned)(mask))
#define _BitScanForward64(index, mask) LINSOCK_SCAN(linsock_scan_forward, index, mask)
#define _BitScanReverse64(index, mask) LINSOCK_SCAN(linsock_scan_reverse, index, mask)

#endif
