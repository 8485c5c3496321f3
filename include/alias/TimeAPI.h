/* TimeAPI.h - see timeapi.h. */
#include "../timeapi.h"
