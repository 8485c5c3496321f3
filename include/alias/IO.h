/* IO.h - see io.h. */
#include "../io.h"
