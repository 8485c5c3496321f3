/* FileApi.h - see fileapi.h. */
#include "../fileapi.h"
