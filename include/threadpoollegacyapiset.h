/* threadpoollegacyapiset.h - see threadpoolapiset.h. */
#include "threadpoolapiset.h"
