/* Direct.h - see direct.h. */
#include "../direct.h"
