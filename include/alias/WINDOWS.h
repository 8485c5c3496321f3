/* WINDOWS.h - see windows.h. */
#include "../windows.h"
