/* processthreadsapi.h - see winbase.h and linsock_process.h. */
#include "linsock_process.h"
