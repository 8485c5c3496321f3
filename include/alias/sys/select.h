/* alias/sys/select.h - the C library's <sys/select.h>, which would define anew the FD_SETSIZE of a program's. */
#pragma GCC system_header
#if defined(FD_SETSIZE) && !defined(_SYS_SELECT_H)
#pragma push_macro("FD_SETSIZE")
#undef FD_SETSIZE
#include_next <sys/select.h>
#pragma pop_macro("FD_SETSIZE")
#else
#include_next <sys/select.h>
#endif
