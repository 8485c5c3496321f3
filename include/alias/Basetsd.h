/* Basetsd.h - see basetsd.h. */
#include "../basetsd.h"
