/* alias/sys/time.h - the C library's <sys/time.h>, read with its own struct timeval even after winsock2.h. */
#pragma GCC system_header
#ifdef timeval
#pragma push_macro("timeval")
#undef timeval
#ifdef LINSOCK_TIMEVAL_HELD
#undef LINSOCK_TIMEVAL_HELD
#undef __timeval_defined
#endif
#include_next <sys/time.h>
#pragma pop_macro("timeval")
#else
#include_next <sys/time.h>
#endif
#include "../../linsock_time.h"
