/* ShellAPI.h - see shellapi.h. */
#include "../shellapi.h"
