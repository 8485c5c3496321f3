/* ntdef.h - the kernel's interface: see wdm.h. */
#ifndef LINSOCK_NTDEF_H
#define LINSOCK_NTDEF_H
#include "wdm.h"
#endif
