/* PSAPI.h - see psapi.h. */
#include "../psapi.h"
