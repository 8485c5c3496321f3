/* alias/sys/utime.h - the C library's <utime.h>, under its name in the Microsoft C runtime. */
#pragma GCC system_header
#include <utime.h>
/* cpp/c-runtime-library/reference/utime-utime32-utime64-wutime-wutime32-wutime64 */
#define _utimbuf utimbuf
#define _utime utime
