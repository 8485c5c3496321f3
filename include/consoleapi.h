/* consoleapi.h - see winbase.h and linsock_console.h. */
#include "linsock_console.h"
