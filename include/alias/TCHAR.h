/* TCHAR.h - see tchar.h. */
#include "../tchar.h"
