/* Afunix.h - see afunix.h. */
#include "../afunix.h"
