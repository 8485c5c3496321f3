/* bcrypt.h - random octets, the one part of cryptography that network programs ask for in passing. */
#ifndef LINSOCK_BCRYPT_H
#define LINSOCK_BCRYPT_H

#include "windef.h"

LINSOCK_EXTERN_C_BEGIN

typedef PVOID BCRYPT_HANDLE;
typedef PVOID BCRYPT_ALG_HANDLE;

/* bcrypt/nf-bcrypt-bcryptgenrandom */
#define BCRYPT_RNG_USE_ENTROPY_IN_BUFFER 0x00000001
#define BCRYPT_USE_SYSTEM_PREFERRED_RNG 0x00000002
/* seccng/cng-algorithm-pseudo-handles */
#define BCRYPT_RNG_ALG_HANDLE ((BCRYPT_ALG_HANDLE)(ULONG_PTR)0x00000081)
#define BCRYPT_SUCCESS(Status) (((NTSTATUS)(Status)) >= 0)

/* bcrypt/nf-bcrypt-bcryptgenrandom */
NTSTATUS WINAPI BCryptGenRandom(BCRYPT_ALG_HANDLE hAlgorithm, PUCHAR pbBuffer, ULONG cbBuffer, ULONG dwFlags);

LINSOCK_EXTERN_C_END

#endif
