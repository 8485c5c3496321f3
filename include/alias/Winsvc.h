/* Winsvc.h - see winsvc.h. */
#include "../winsvc.h"
