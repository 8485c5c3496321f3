/* MMSystem.h - see mmsystem.h. */
#include "../mmsystem.h"
