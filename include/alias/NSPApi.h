/* NSPApi.h - see nspapi.h. */
#include "../nspapi.h"
