/* NetIOApi.h - see netioapi.h. */
#include "../netioapi.h"
