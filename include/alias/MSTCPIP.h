/* MSTCPIP.h - see mstcpip.h. */
#include "../mstcpip.h"
