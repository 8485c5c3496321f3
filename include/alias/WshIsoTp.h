/* WshIsoTp.h - see wshisotp.h. */
#include "../wshisotp.h"
