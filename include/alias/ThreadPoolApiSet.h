/* ThreadPoolApiSet.h - see threadpoolapiset.h. */
#include "../threadpoolapiset.h"
