/* windows.h - the part of the Windows API that linsock carries. As on Windows it brings Winsock along
 * unless WIN32_LEAN_AND_MEAN, or _WINSOCKAPI_, is defined. */
#ifndef LINSOCK_WINDOWS_H
#define LINSOCK_WINDOWS_H
#define _WINDOWS_
#define _INC_WINDOWS

/* Programs rely on windows.h for these of the C library's. */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "windef.h"
#include "sdkddkver.h"
#include "guiddef.h"
#include "winnt.h"
#include "winerror.h"
#include "winbase.h"
#include "securitybaseapi.h"
#include "linsock_console.h"
#include "linsock_process.h"
#include "linsock_elsewhere.h"
#include "linsock_cxx.h"
#include "threadpoolapiset.h"
#include "winreg.h"
#ifndef NOSERVICE
#include "winsvc.h"
#endif
#include "namedpipeapi.h"
#include "linsock_crt.h"
#include "linsock_wide.h"
#include "linsock_scan.h"

#ifndef WIN32_LEAN_AND_MEAN
#include "mmsystem.h"
#include "wincrypt.h"
#endif
#if !defined(WIN32_LEAN_AND_MEAN) && !defined(_WINSOCKAPI_)
#include "winsock2.h"
#endif

#endif
