#include <windows.h>

__declspec(dllexport) DWORD answer(void)
{
    HANDLE event = CreateEventA(NULL, TRUE, TRUE, NULL);
    DWORD waited = WaitForSingleObject(event, INFINITE);

    CloseHandle(event);
    return waited == WAIT_OBJECT_0 ? 42 : 0;
}
