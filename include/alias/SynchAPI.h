/* SynchAPI.h - see synchapi.h. */
#include "../synchapi.h"
