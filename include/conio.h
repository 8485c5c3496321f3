/* conio.h - keys of the console. */
#ifndef LINSOCK_CONIO_H
#define LINSOCK_CONIO_H

#include "windef.h"

LINSOCK_EXTERN_C_BEGIN

/* cpp/c-runtime-library/reference/kbhit */
int __cdecl _kbhit(void);
/* cpp/c-runtime-library/reference/getch-getwch */
int __cdecl _getch(void);
/* cpp/c-runtime-library/reference/getche-getwche */
int __cdecl _getche(void);
/* cpp/c-runtime-library/reference/ungetch-ungetwch-ungetch-nolock-ungetwch-nolock */
int __cdecl _ungetch(int c);

LINSOCK_EXTERN_C_END

#define kbhit _kbhit
#define getch _getch
#define getche _getche

#endif
