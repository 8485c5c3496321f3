/* Guiddef.h - see guiddef.h. */
#include "../guiddef.h"
