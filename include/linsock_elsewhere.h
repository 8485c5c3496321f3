/* linsock_elsewhere.h - functions of Windows that linsock does not have, declared because headers of libraries mention them
 * beside what programs use of these: a program that calls one of them is not linked. */
#ifndef LINSOCK_ELSEWHERE_H
#define LINSOCK_ELSEWHERE_H

#include "winbase.h"

LINSOCK_EXTERN_C_BEGIN

/* winbase/ns-winbase-dcb */
typedef struct _DCB {
    DWORD DCBlength;
    DWORD BaudRate;
    DWORD fBinary : 1;
    DWORD fParity : 1;
    DWORD fOutxCtsFlow : 1;
    DWORD fOutxDsrFlow : 1;
    DWORD fDtrControl : 2;
    DWORD fDsrSensitivity : 1;
    DWORD fTXContinueOnXoff : 1;
    DWORD fOutX : 1;
    DWORD fInX : 1;
    DWORD fErrorChar : 1;
    DWORD fNull : 1;
    DWORD fRtsControl : 2;
    DWORD fAbortOnError : 1;
    DWORD fDummy2 : 17;
    WORD wReserved;
    WORD XonLim;
    WORD XoffLim;
    BYTE ByteSize;
    BYTE Parity;
    BYTE StopBits;
    char XonChar;
    char XoffChar;
    char ErrorChar;
    char EofChar;
    char EvtChar;
    WORD wReserved1;
} DCB, *LPDCB;
#define CBR_9600 9600
#define DTR_CONTROL_DISABLE 0x00
#define DTR_CONTROL_ENABLE 0x01
#define DTR_CONTROL_HANDSHAKE 0x02
#define RTS_CONTROL_DISABLE 0x00
#define RTS_CONTROL_ENABLE 0x01
#define RTS_CONTROL_HANDSHAKE 0x02
#define RTS_CONTROL_TOGGLE 0x03
#define NOPARITY 0
#define ODDPARITY 1
#define EVENPARITY 2
#define MARKPARITY 3
#define SPACEPARITY 4
#define ONESTOPBIT 0
#define ONE5STOPBITS 1
#define TWOSTOPBITS 2

/* winbase/ns-winbase-commtimeouts */
typedef struct _COMMTIMEOUTS {
    DWORD ReadIntervalTimeout;
    DWORD ReadTotalTimeoutMultiplier;
    DWORD ReadTotalTimeoutConstant;
    DWORD WriteTotalTimeoutMultiplier;
    DWORD WriteTotalTimeoutConstant;
} COMMTIMEOUTS, *LPCOMMTIMEOUTS;

/* winbase/nf-winbase-getcommstate */
BOOL WINAPI GetCommState(HANDLE hFile, LPDCB lpDCB);
/* winbase/nf-winbase-setcommstate */
BOOL WINAPI SetCommState(HANDLE hFile, LPDCB lpDCB);
/* winbase/nf-winbase-setcommtimeouts */
BOOL WINAPI SetCommTimeouts(HANDLE hFile, LPCOMMTIMEOUTS lpCommTimeouts);
/* winbase/nf-winbase-setcommbreak */
BOOL WINAPI SetCommBreak(HANDLE hFile);
/* winbase/nf-winbase-clearcommbreak */
BOOL WINAPI ClearCommBreak(HANDLE hFile);

LINSOCK_EXTERN_C_END

LINSOCK_ASSERT(sizeof(DCB) == 28, "DCB");

#endif
