/* wincrypt.h - random octets, and stores of certificates, of which there is none; nothing else of cryptography is here. */
#ifndef LINSOCK_WINCRYPT_H
#define LINSOCK_WINCRYPT_H

#include "winbase.h"
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

typedef void *HCERTSTORE;
/* wincrypt/ns-wincrypt-cert_context */
typedef struct _CERT_CONTEXT {
    DWORD dwCertEncodingType;
    BYTE *pbCertEncoded;
    DWORD cbCertEncoded;
    struct _CERT_INFO *pCertInfo;
    HCERTSTORE hCertStore;
} CERT_CONTEXT, *PCERT_CONTEXT;
typedef const CERT_CONTEXT *PCCERT_CONTEXT;
#define X509_ASN_ENCODING 0x00000001
#define PKCS_7_ASN_ENCODING 0x00010000
/* wincrypt/nf-wincrypt-certopenstore: no store is found */
#define CERT_STORE_PROV_SYSTEM_A ((LPCSTR)9)
#define CERT_STORE_PROV_SYSTEM_W ((LPCSTR)10)
#define CERT_STORE_PROV_SYSTEM CERT_STORE_PROV_SYSTEM_W
#define CERT_STORE_OPEN_EXISTING_FLAG 0x00004000
#define CERT_STORE_READONLY_FLAG 0x00008000
#define CERT_SYSTEM_STORE_CURRENT_USER 0x00010000
#define CERT_SYSTEM_STORE_LOCAL_MACHINE 0x00020000
#define CERT_CLOSE_STORE_FORCE_FLAG 0x00000001
#define CERT_CLOSE_STORE_CHECK_FLAG 0x00000002
static __inline__ HCERTSTORE CertOpenStore(LPCSTR provider, DWORD encoding, HCRYPTPROV unused, DWORD flags, const void *what)
{
    (void)provider, (void)encoding, (void)unused, (void)flags, (void)what;
    SetLastError(ERROR_FILE_NOT_FOUND);
    return NULL;
}
/* wincrypt/nf-wincrypt-certopensystemstorea */
static __inline__ HCERTSTORE CertOpenSystemStoreA(HCRYPTPROV unused, LPCSTR name)
{
    return CertOpenStore(name, 0, unused, 0, name);
}
/* wincrypt/nf-wincrypt-certopensystemstorew */
static __inline__ HCERTSTORE CertOpenSystemStoreW(HCRYPTPROV unused, LPCWSTR name)
{
    return CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, unused, 0, name);
}
/* wincrypt/nf-wincrypt-certenumcertificatesinstore */
static __inline__ PCCERT_CONTEXT CertEnumCertificatesInStore(HCERTSTORE store, PCCERT_CONTEXT before)
{
    (void)store, (void)before;
    SetLastError(ERROR_INVALID_HANDLE);
    return NULL;
}
/* wincrypt/nf-wincrypt-certfreecertificatecontext: always TRUE */
static __inline__ BOOL CertFreeCertificateContext(PCCERT_CONTEXT certificate)
{
    (void)certificate;
    return TRUE;
}
/* wincrypt/nf-wincrypt-certclosestore: no store is TRUE */
static __inline__ BOOL CertCloseStore(HCERTSTORE store, DWORD flags)
{
    (void)flags;
    return store == NULL;
}

LINSOCK_EXTERN_C_END

#ifdef UNICODE
#define CertOpenSystemStore CertOpenSystemStoreW
#define CryptAcquireContext CryptAcquireContextW
#else
#define CertOpenSystemStore CertOpenSystemStoreA
#define CryptAcquireContext CryptAcquireContextA
#endif

#endif
