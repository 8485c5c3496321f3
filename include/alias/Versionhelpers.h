/* Versionhelpers.h - see versionhelpers.h. */
#include "../versionhelpers.h"
