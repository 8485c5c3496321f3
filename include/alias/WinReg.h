/* WinReg.h - see winreg.h. */
#include "../winreg.h"
