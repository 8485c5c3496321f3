/* Conio.h - see conio.h. */
#include "../conio.h"
