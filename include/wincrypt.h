/* wincrypt.h - random octets; nothing else of cryptography is here. */
#ifndef LINSOCK_WINCRYPT_H
#define LINSOCK_WINCRYPT_H

#include "winnt.h"
#include "winerror.h"

LINSOCK_EXTERN_C_BEGIN

typedef ULONG_PTR HCRYPTPROV;

/* seccrypto/cryptographic-provider-types */
#define PROV_RSA_FULL 1
#define PROV_RSA_AES 24
/* wincrypt/nf-wincrypt-cryptacquirecontexta */
#define CRYPT_VERIFYCONTEXT 0xF0000000
#define CRYPT_NEWKEYSET 0x00000008
#define CRYPT_DELETEKEYSET 0x00000010
#define CRYPT_MACHINE_KEYSET 0x00000020
#define CRYPT_SILENT 0x00000040
#define NTE_BAD_FLAGS ((HRESULT)0x80090009)
#define NTE_BAD_KEYSET ((HRESULT)0x80090016)
#define NTE_PROV_TYPE_NOT_DEF ((HRESULT)0x80090017)

/* wincrypt/nf-wincrypt-cryptacquirecontexta */
BOOL WINAPI CryptAcquireContextA(HCRYPTPROV *phProv, LPCSTR szContainer, LPCSTR szProvider, DWORD dwProvType,
                                 DWORD dwFlags);
/* wincrypt/nf-wincrypt-cryptacquirecontextw */
BOOL WINAPI CryptAcquireContextW(HCRYPTPROV *phProv, LPCWSTR szContainer, LPCWSTR szProvider, DWORD dwProvType,
                                 DWORD dwFlags);
/* wincrypt/nf-wincrypt-cryptgenrandom */
BOOL WINAPI CryptGenRandom(HCRYPTPROV hProv, DWORD dwLen, BYTE *pbBuffer);
/* wincrypt/nf-wincrypt-cryptreleasecontext */
BOOL WINAPI CryptReleaseContext(HCRYPTPROV hProv, DWORD dwFlags);

LINSOCK_EXTERN_C_END

#ifdef UNICODE
#define CryptAcquireContext CryptAcquireContextW
#else
#define CryptAcquireContext CryptAcquireContextA
#endif

#endif
