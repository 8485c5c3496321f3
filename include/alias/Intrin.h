/* Intrin.h - see intrin.h. */
#include "../intrin.h"
