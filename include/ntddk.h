/* ntddk.h - the kernel's interface: see wdm.h. */
#ifndef LINSOCK_NTDDK_H
#define LINSOCK_NTDDK_H
#include "wdm.h"
#endif
