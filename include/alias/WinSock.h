/* WinSock.h - see winsock.h. */
#include "../winsock.h"
