/* Mmsystem.h - see mmsystem.h. */
#include "../mmsystem.h"
