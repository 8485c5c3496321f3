/* linsock_cxx.h - what C++ programs pass that is of another type here than on Windows: the texts of L"", whose units
 * have 32 bits here unless the program is compiled with -municode, and unsigned long, which has 64. The templates and
 * overloads below take these, and stand behind the function of Windows: NULL and u"" are its. */
#ifndef LINSOCK_CXX_H
#define LINSOCK_CXX_H

#include "winbase.h"
#include "fileapi.h"
#include "namedpipeapi.h"
#include "linsock_elsewhere.h"

#if defined(__cplusplus) && __SIZEOF_WCHAR_T__ == 4
extern "C++" {

/* Only for wchar_t. */
template <class Unit, class Result> struct linsock_wide_only {
};
template <class Result> struct linsock_wide_only<wchar_t, Result> {
    typedef Result type;
};

/* A text in UTF-16: as much of it as the longest that means anything, and one unit more, by which the function sees that
 * it is too long. */
template <size_t Longest> class linsock_utf16_of {
public:
    explicit linsock_utf16_of(const wchar_t *from) : is_null(from == 0)
    {
        size_t at = 0;
        for (; from && *from && at + 2 < sizeof units / sizeof units[0]; ++from) {
            const uint32_t c = (uint32_t)*from;
            if (c >= 0x10000 && c < 0x110000) {
                units[at++] = (WCHAR)(0xD800 + ((c - 0x10000) >> 10));
                units[at++] = (WCHAR)(0xDC00 + (c & 0x3FF));
            } else {
                units[at++] = (WCHAR)(c < 0x10000 ? c : 0xFFFD);
            }
        }
        units[at] = 0;
    }
    operator LPCWSTR() const { return is_null ? 0 : units; }

private:
    WCHAR units[Longest + 3];
    bool is_null;
};
/* A name of an object. */
typedef linsock_utf16_of<MAX_PATH> linsock_utf16;
/* A path, of as many octets as this system's paths have. */
typedef linsock_utf16_of<4096> linsock_utf16_path;

#define LINSOCK_WIDE template <class Unit> inline typename linsock_wide_only<Unit, HANDLE>::type
LINSOCK_WIDE CreateEventW(LPSECURITY_ATTRIBUTES a, BOOL manual, BOOL initial, const Unit *name)
{
    return CreateEventW(a, manual, initial, (LPCWSTR)linsock_utf16(name));
}
LINSOCK_WIDE CreateEventExW(LPSECURITY_ATTRIBUTES a, const Unit *name, DWORD flags, DWORD access)
{
    return CreateEventExW(a, (LPCWSTR)linsock_utf16(name), flags, access);
}
LINSOCK_WIDE OpenEventW(DWORD access, BOOL inherit, const Unit *name)
{
    return OpenEventW(access, inherit, (LPCWSTR)linsock_utf16(name));
}
LINSOCK_WIDE CreateSemaphoreW(LPSECURITY_ATTRIBUTES a, LONG initial, LONG most, const Unit *name)
{
    return CreateSemaphoreW(a, initial, most, (LPCWSTR)linsock_utf16(name));
}
LINSOCK_WIDE OpenSemaphoreW(DWORD access, BOOL inherit, const Unit *name)
{
    return OpenSemaphoreW(access, inherit, (LPCWSTR)linsock_utf16(name));
}
LINSOCK_WIDE CreateMutexW(LPSECURITY_ATTRIBUTES a, BOOL owned, const Unit *name)
{
    return CreateMutexW(a, owned, (LPCWSTR)linsock_utf16(name));
}
LINSOCK_WIDE CreateMutexExW(LPSECURITY_ATTRIBUTES a, const Unit *name, DWORD flags, DWORD access)
{
    return CreateMutexExW(a, (LPCWSTR)linsock_utf16(name), flags, access);
}
LINSOCK_WIDE OpenMutexW(DWORD access, BOOL inherit, const Unit *name)
{
    return OpenMutexW(access, inherit, (LPCWSTR)linsock_utf16(name));
}
LINSOCK_WIDE CreateWaitableTimerW(LPSECURITY_ATTRIBUTES a, BOOL manual, const Unit *name)
{
    return CreateWaitableTimerW(a, manual, (LPCWSTR)linsock_utf16(name));
}
LINSOCK_WIDE CreateFileW(const Unit *path, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES a, DWORD disposition, DWORD flags,
                         HANDLE like)
{
    return CreateFileW((LPCWSTR)linsock_utf16_path(path), access, share, a, disposition, flags, like);
}
LINSOCK_WIDE CreateNamedPipeW(const Unit *name, DWORD open, DWORD pipe, DWORD instances, DWORD out, DWORD in, DWORD ms,
                              LPSECURITY_ATTRIBUTES a)
{
    return CreateNamedPipeW((LPCWSTR)linsock_utf16_path(name), open, pipe, instances, out, in, ms, a);
}
#undef LINSOCK_WIDE

template <class Unit> inline typename linsock_wide_only<Unit, BOOL>::type DeleteFileW(const Unit *path)
{
    return DeleteFileW((LPCWSTR)linsock_utf16_path(path));
}
template <class Unit> inline typename linsock_wide_only<Unit, DWORD>::type GetFileAttributesW(const Unit *path)
{
    return GetFileAttributesW((LPCWSTR)linsock_utf16_path(path));
}

template <class Unit>
inline typename linsock_wide_only<Unit, HMODULE>::type GetModuleHandleW(const Unit *name)
{
    return GetModuleHandleW((LPCWSTR)linsock_utf16(name));
}
template <class Unit>
inline typename linsock_wide_only<Unit, HRESULT>::type SetThreadDescription(HANDLE thread, const Unit *description)
{
    return SetThreadDescription(thread, (LPCWSTR)linsock_utf16(description));
}
}
#endif

#endif
