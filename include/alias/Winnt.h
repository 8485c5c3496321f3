/* Winnt.h - see winnt.h. */
#include "../winnt.h"
