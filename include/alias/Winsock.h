/* Winsock.h - see winsock.h. */
#include "../winsock.h"
