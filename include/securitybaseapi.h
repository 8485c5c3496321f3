/* securitybaseapi.h - what programs fill in to let everybody use an object. Nothing here looks at a descriptor; that
 * one is filled in as on Windows is for programs that read it again. */
#ifndef LINSOCK_SECURITYBASEAPI_H
#define LINSOCK_SECURITYBASEAPI_H

#include "winbase.h"
#include "winerror.h"

/* winnt/ns-winnt-acl */
typedef struct _ACL {
    BYTE AclRevision;
    BYTE Sbz1;
    WORD AclSize;
    WORD AceCount;
    WORD Sbz2;
} ACL, *PACL;

/* secauthz/security-descriptor-control: Control of a SECURITY_DESCRIPTOR */
#define SE_DACL_PRESENT 0x0004
#define SE_DACL_DEFAULTED 0x0008

LINSOCK_EXTERN_C_BEGIN

/* securitybaseapi/nf-securitybaseapi-initializesecuritydescriptor */
static __inline__ BOOL InitializeSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, DWORD revision)
{
    SECURITY_DESCRIPTOR *d = (SECURITY_DESCRIPTOR *)descriptor;

    if (revision != SECURITY_DESCRIPTOR_REVISION) {
        SetLastError(ERROR_UNKNOWN_REVISION);
        return FALSE;
    }
    d->Revision = SECURITY_DESCRIPTOR_REVISION;
    d->Sbz1 = 0;
    d->Control = 0;
    d->Owner = NULL;
    d->Group = NULL;
    d->Sacl = NULL;
    d->Dacl = NULL;
    return TRUE;
}

/* securitybaseapi/nf-securitybaseapi-setsecuritydescriptordacl */
static __inline__ BOOL SetSecurityDescriptorDacl(PSECURITY_DESCRIPTOR descriptor, BOOL present, PACL list, BOOL defaulted)
{
    SECURITY_DESCRIPTOR *d = (SECURITY_DESCRIPTOR *)descriptor;
    int control = d->Control & ~(SE_DACL_PRESENT | SE_DACL_DEFAULTED);

    if (d->Revision != SECURITY_DESCRIPTOR_REVISION) {
        SetLastError(ERROR_UNKNOWN_REVISION);
        return FALSE;
    }
    if (present) {
        control |= defaulted ? SE_DACL_PRESENT | SE_DACL_DEFAULTED : SE_DACL_PRESENT;
    }
    d->Control = (WORD)control;
    d->Dacl = present ? list : NULL;
    return TRUE;
}

LINSOCK_EXTERN_C_END

#endif
