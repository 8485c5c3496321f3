/* PshPack8.h - see pshpack8.h. */
#include "../pshpack8.h"
