/* shlobj.h - the shell's folders, of which Linux has none: to ask for one fails, as the page lets it. No function of the
 * library is behind it. */
#ifndef LINSOCK_SHLOBJ_H
#define LINSOCK_SHLOBJ_H

#include "winnt.h"

/* shell/csidl */
#define CSIDL_APPDATA 0x001A
#define CSIDL_WINDOWS 0x0024
#define CSIDL_SYSTEM 0x0025

/* shlobj_core/nf-shlobj_core-shgetspecialfolderpatha; the owner is a window */
static __inline__ BOOL SHGetSpecialFolderPathA(void *owner, LPSTR path, int folder, BOOL create)
{
    (void)owner, (void)path, (void)folder, (void)create;
    return FALSE;
}

#endif
