/* WinError.h - see winerror.h. */
#include "../winerror.h"
