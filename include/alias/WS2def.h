/* WS2def.h - see ws2def.h. */
#include "../ws2def.h"
