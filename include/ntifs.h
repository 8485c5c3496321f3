/* ntifs.h - the kernel's interface: see wdm.h. */
#ifndef LINSOCK_NTIFS_H
#define LINSOCK_NTIFS_H
#include "wdm.h"
#endif
