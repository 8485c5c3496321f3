/* Fileapi.h - see fileapi.h. */
#include "../fileapi.h"
