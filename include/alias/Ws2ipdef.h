/* Ws2ipdef.h - see ws2ipdef.h. */
#include "../ws2ipdef.h"
