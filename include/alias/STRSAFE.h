/* STRSAFE.h - see strsafe.h. */
#include "../strsafe.h"
