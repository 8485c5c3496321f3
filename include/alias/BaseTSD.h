/* BaseTSD.h - see basetsd.h. */
#include "../basetsd.h"
