/* Ws2IpDef.h - see ws2ipdef.h. */
#include "../ws2ipdef.h"
