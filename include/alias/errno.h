/* alias/errno.h - the C library's <errno.h>. Programs that give its names to Winsock's errors define the guard of Windows'
 * header to keep it out. No guard of its own: each inclusion asks. */
#pragma GCC system_header
#ifndef _INC_ERRNO
#include_next <errno.h>
#endif
