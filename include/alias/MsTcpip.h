/* MsTcpip.h - see mstcpip.h. */
#include "../mstcpip.h"
