/* NspAPI.h - see nspapi.h. */
#include "../nspapi.h"
