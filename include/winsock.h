/* winsock.h - version 1 is a subset; see winsock2.h. */
#include "winsock2.h"
