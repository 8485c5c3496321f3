/* WSPiApi.h - see wspiapi.h. */
#include "../wspiapi.h"
