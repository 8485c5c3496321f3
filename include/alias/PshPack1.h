/* PshPack1.h - see pshpack1.h. */
#include "../pshpack1.h"
