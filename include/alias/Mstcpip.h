/* Mstcpip.h - see mstcpip.h. */
#include "../mstcpip.h"
