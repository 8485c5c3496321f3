/* wspiapi.h - see ws2tcpip.h. */
#include "ws2tcpip.h"
