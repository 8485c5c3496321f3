/* AfUnix.h - see afunix.h. */
#include "../afunix.h"
