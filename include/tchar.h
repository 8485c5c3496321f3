/* tchar.h - the generic-text names that socket samples use. */
#ifndef LINSOCK_TCHAR_H
#define LINSOCK_TCHAR_H

#include "windef.h"

#define _T(x) LINSOCK_TEXT(x)
#define _TEXT(x) LINSOCK_TEXT(x)
typedef TCHAR _TCHAR;
#ifndef UNICODE
#define _tmain main
#define _tprintf printf
#define _ftprintf fprintf
#define _stprintf sprintf
#define _sntprintf snprintf
#define _tcslen strlen
#define _tcscpy strcpy
#define _tcsncpy strncpy
#define _tcscmp strcmp
#define _tcsicmp _stricmp
#define _tcschr strchr
#define _ttoi atoi
#define _tcstoul strtoul
#endif

#endif
