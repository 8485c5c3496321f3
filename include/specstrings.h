/* specstrings.h - see sal.h. */
#include "sal.h"
