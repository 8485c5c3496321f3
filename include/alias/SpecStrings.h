/* SpecStrings.h - see specstrings.h. */
#include "../specstrings.h"
