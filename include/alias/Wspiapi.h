/* Wspiapi.h - see wspiapi.h. */
#include "../wspiapi.h"
