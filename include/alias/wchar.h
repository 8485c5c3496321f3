/* alias/wchar.h - the C library's; with -municode its functions for units of 16 bits, also where windows.h is not included. */
#pragma GCC system_header
#include_next <wchar.h>
#if __SIZEOF_WCHAR_T__ == 2 && !defined(__cplusplus) && !defined(_KERNEL_MODE)
#include "../linsock_wide.h"
#endif
