/* Shlobj.h - see shlobj.h. */
#include "../shlobj.h"
