/* nspapi.h - see winsock2.h. */
#include "winsock2.h"
