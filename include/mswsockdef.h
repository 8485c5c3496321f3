/* mswsockdef.h - see mswsock.h. */
#include "mswsock.h"
