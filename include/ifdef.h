/* ifdef.h - see iptypes.h. */
#include "iptypes.h"
