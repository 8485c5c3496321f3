/* Process.h - see process.h. */
#include "../process.h"
