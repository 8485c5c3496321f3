/* WTypes.h - see wtypes.h. */
#include "../wtypes.h"
