/* MSWSockDef.h - see mswsockdef.h. */
#include "../mswsockdef.h"
