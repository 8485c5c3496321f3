/* Winerror.h - see winerror.h. */
#include "../winerror.h"
