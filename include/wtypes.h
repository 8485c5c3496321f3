/* wtypes.h - see wtypesbase.h. */
#include "wtypesbase.h"
