/* SDKDDKVer.h - see sdkddkver.h. */
#include "../sdkddkver.h"
