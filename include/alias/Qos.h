/* Qos.h - see qos.h. */
#include "../qos.h"
