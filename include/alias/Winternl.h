/* Winternl.h - see winternl.h. */
#include "../winternl.h"
