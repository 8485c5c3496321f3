/* PopPack.h - see poppack.h. */
#include "../poppack.h"
