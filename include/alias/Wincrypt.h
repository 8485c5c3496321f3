/* Wincrypt.h - see wincrypt.h. */
#include "../wincrypt.h"
