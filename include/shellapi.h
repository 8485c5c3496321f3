/* shellapi.h - the shell, of which programs that include this use nothing that linsock has: it is here to be included. */
#ifndef LINSOCK_SHELLAPI_H
#define LINSOCK_SHELLAPI_H

#include "winbase.h"

#endif
