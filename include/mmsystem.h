/* mmsystem.h - of multimedia, its timer. */
#include "timeapi.h"
