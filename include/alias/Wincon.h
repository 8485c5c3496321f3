/* Wincon.h - see wincon.h. */
#include "../wincon.h"
