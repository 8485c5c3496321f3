/* linsock_console.h - the standard streams have no handles here, and that is told: GetStdHandle fails, and no handle is
 * ever a console's. Programs that ask how wide a console is go on without. Included by windows.h; no function of the library
 * is behind it. */
#ifndef LINSOCK_CONSOLE_H
#define LINSOCK_CONSOLE_H

#include "winbase.h"

#define STD_INPUT_HANDLE ((DWORD)-10)
#define STD_OUTPUT_HANDLE ((DWORD)-11)
#define STD_ERROR_HANDLE ((DWORD)-12)
#define ENABLE_PROCESSED_INPUT 0x0001
#define ENABLE_LINE_INPUT 0x0002
#define ENABLE_ECHO_INPUT 0x0004
#define ENABLE_PROCESSED_OUTPUT 0x0001
#define ENABLE_WRAP_AT_EOL_OUTPUT 0x0002
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 0x0004

/* console/coord-str */
typedef struct _COORD {
    SHORT X;
    SHORT Y;
} COORD, *PCOORD;
/* console/small-rect-str */
typedef struct _SMALL_RECT {
    SHORT Left;
    SHORT Top;
    SHORT Right;
    SHORT Bottom;
} SMALL_RECT, *PSMALL_RECT;
/* console/console-screen-buffer-info-str */
typedef struct _CONSOLE_SCREEN_BUFFER_INFO {
    COORD dwSize;
    COORD dwCursorPosition;
    WORD wAttributes;
    SMALL_RECT srWindow;
    COORD dwMaximumWindowSize;
} CONSOLE_SCREEN_BUFFER_INFO, *PCONSOLE_SCREEN_BUFFER_INFO;

static __inline__ BOOL linsock_no_console(void)
{
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}
/* console/getstdhandle */
static __inline__ HANDLE GetStdHandle(DWORD stream)
{
    SetLastError(stream - STD_ERROR_HANDLE <= 2 ? ERROR_NOT_SUPPORTED : ERROR_INVALID_HANDLE);
    return INVALID_HANDLE_VALUE;
}
/* console/getconsolemode */
static __inline__ BOOL GetConsoleMode(HANDLE console, LPDWORD mode)
{
    (void)console, (void)mode;
    return linsock_no_console();
}
/* console/setconsolemode */
static __inline__ BOOL SetConsoleMode(HANDLE console, DWORD mode)
{
    (void)console, (void)mode;
    return linsock_no_console();
}
/* console/getconsolescreenbufferinfo */
static __inline__ BOOL GetConsoleScreenBufferInfo(HANDLE console, PCONSOLE_SCREEN_BUFFER_INFO info)
{
    (void)console, (void)info;
    return linsock_no_console();
}
/* console/writeconsole */
static __inline__ BOOL WriteConsoleA(HANDLE console, LPCVOID text, DWORD length, LPDWORD written, LPVOID reserved)
{
    (void)console, (void)text, (void)length, (void)written, (void)reserved;
    return linsock_no_console();
}
static __inline__ BOOL WriteConsoleW(HANDLE console, LPCVOID text, DWORD length, LPDWORD written, LPVOID reserved)
{
    return WriteConsoleA(console, text, length, written, reserved);
}
#ifdef UNICODE
#define WriteConsole WriteConsoleW
#else
#define WriteConsole WriteConsoleA
#endif

LINSOCK_ASSERT(sizeof(CONSOLE_SCREEN_BUFFER_INFO) == 22, "CONSOLE_SCREEN_BUFFER_INFO");

#endif
