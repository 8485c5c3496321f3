/* IPHlpApi.h - see iphlpapi.h. */
#include "../iphlpapi.h"
