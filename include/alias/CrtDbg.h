/* CrtDbg.h - see crtdbg.h. */
#include "../crtdbg.h"
