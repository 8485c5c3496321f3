/* wincon.h - see consoleapi.h. */
#include "consoleapi.h"
