/*
 * places.c - where the process is (directory, file system, time zone, version of Windows), what is known of an open file,
 * named mappings, and the event log. Asked for by nginx's build for Windows.
 */
#include "check.h"
#include <shellapi.h>
#include <stdlib.h>
#include <time.h>

static char home[MAX_PATH + 64];

static const char *in_home(const char *name)
{
    static char paths[2][2 * MAX_PATH + 64];
    static unsigned next;
    char *path = paths[next++ % 2];

    snprintf(path, sizeof paths[0], "%s%s", home, name);
    return path;
}

static const WCHAR *wide(const char *path)
{
    static WCHAR text[2 * MAX_PATH];

    MultiByteToWideChar(CP_UTF8, 0, path, -1, text, 2 * MAX_PATH);
    return text;
}

static HANDLE make(const char *name)
{
    HANDLE file = CreateFileA(in_home(name), GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);

    REQUIRE(file != INVALID_HANDLE_VALUE);
    return file;
}

static void make_home(void)
{
    char temp[MAX_PATH];

    REQUIRE(GetTempPathA(sizeof temp, temp) > 0 && strlen(temp) < MAX_PATH - 60);
    snprintf(home, sizeof home, "%slinsock places %lu", temp, (unsigned long)GetCurrentProcessId());
    REQUIRE(CreateDirectoryA(home, NULL));
    strcat(home, "\\");
}

/* ---- the current directory ---- */

static void current_directory(void)
{
    static const char page[] = "D GetCurrentDirectory";
    char here[MAX_PATH], there[MAX_PATH];
    WCHAR wide_here[MAX_PATH];
    DWORD length = GetCurrentDirectoryA(sizeof here, here);

    CHECK_EQ(length, strlen(here), page);
    CHECK(here[0] == '/', "choice: a path of Linux");
    CHECK_EQ(GetCurrentDirectoryA(length, here), length + 1, page);
    CHECK_EQ(GetCurrentDirectoryA(0, NULL), length + 1, page);
    CHECK_EQ(GetCurrentDirectoryW(MAX_PATH, wide_here), length, page);
    CHECK(memcmp(wide(here), wide_here, 2 * (length + 1)) == 0, page);
    CHECK_EQ(GetCurrentDirectoryA(length + 1, NULL), 0, "choice: ERROR_NOACCESS");
    CHECK_EQ(GetLastError(), ERROR_NOACCESS, "choice: ERROR_NOACCESS");

    CHECK(SetCurrentDirectoryA(home), "D SetCurrentDirectory");
    CloseHandle(make("a"));
    length = GetCurrentDirectoryA(sizeof there, there);
    CHECK(length == strlen(home) - 1 && strncmp(there, home, length) == 0, "D SetCurrentDirectory");
    CHECK(GetFileAttributesA("a") == FILE_ATTRIBUTE_NORMAL, "D SetCurrentDirectory");
    CHECK_FALSE(SetCurrentDirectoryA("a"), ERROR_DIRECTORY, "choice: a file");
    CHECK_FALSE(SetCurrentDirectoryA("nowhere"), ERROR_FILE_NOT_FOUND, "choice: as other paths");
    CHECK_FALSE(SetCurrentDirectoryW(wide("nowhere\\b")), ERROR_PATH_NOT_FOUND, "choice: as other paths");
    CHECK_FALSE(SetCurrentDirectoryA(NULL), ERROR_NOACCESS, "choice: ERROR_NOACCESS");
    CHECK(SetCurrentDirectoryW(wide(here)), "D SetCurrentDirectory");
}

/* ---- the room ---- */

static void disk_space(void)
{
    static const char page[] = "D GetDiskFreeSpace", larger[] = "D GetDiskFreeSpaceEx";
    DWORD sectors, octets, vacant, all;
    ULARGE_INTEGER mine, total, unused, again;

    CHECK(GetDiskFreeSpaceExA(home, &mine, &total, &unused), larger);
    CHECK(total.QuadPart > 0 && unused.QuadPart <= total.QuadPart && mine.QuadPart <= unused.QuadPart, larger);
    CHECK(GetDiskFreeSpaceExW(wide(home), NULL, &again, NULL), larger);
    CHECK(again.QuadPart == total.QuadPart, larger);
    CHECK(GetDiskFreeSpaceExA(NULL, NULL, NULL, NULL), larger);
    CHECK_FALSE(GetDiskFreeSpaceExA(in_home("none"), &mine, NULL, NULL), ERROR_FILE_NOT_FOUND, "choice: as other paths");
    CHECK_FALSE(GetDiskFreeSpaceExA(home, (PULARGE_INTEGER)16, NULL, NULL), ERROR_NOACCESS, "choice: ERROR_NOACCESS");

    CHECK(GetDiskFreeSpaceA(home, &sectors, &octets, &vacant, &all), page);
    CHECK_EQ(octets, 512, "choice: a sector");
    CHECK(sectors > 0 && vacant <= all, page);
    CHECK(all == 0xFFFFFFFF || (ULONGLONG)all * sectors * octets == total.QuadPart, page);
    CHECK(GetDiskFreeSpaceW(NULL, &sectors, NULL, NULL, NULL), page);
}

/* ---- what is known of an open file ---- */

static ULONGLONG index_of(const BY_HANDLE_FILE_INFORMATION *known)
{
    return (ULONGLONG)known->nFileIndexHigh << 32 | known->nFileIndexLow;
}

static void open_files(void)
{
    static const char page[] = "D GetFileInformationByHandle";
    BY_HANDLE_FILE_INFORMATION one, same, other;
    FILETIME made, used, written;
    HANDLE a = make("one"), b = make("two"), again;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD moved;

    REQUIRE(WriteFile(a, "12345", 5, &moved, NULL));
    again = CreateFileA(in_home("one"), 0, 0, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(GetFileTime(a, &made, &used, &written));
    CHECK(GetFileInformationByHandle(a, &one), page);
    CHECK(GetFileInformationByHandle(again, &same), page);
    CHECK(GetFileInformationByHandle(b, &other), page);
    CHECK_EQ(one.dwFileAttributes, FILE_ATTRIBUTE_NORMAL, page);
    CHECK(one.nFileSizeLow == 5 && one.nFileSizeHigh == 0, page);
    CHECK_EQ(one.nNumberOfLinks, 1, page);
    CHECK(CompareFileTime(&one.ftLastWriteTime, &written) == 0, page);
    CHECK(CompareFileTime(&one.ftCreationTime, &made) == 0, page);
    CHECK(index_of(&one) == index_of(&same) && one.dwVolumeSerialNumber == same.dwVolumeSerialNumber, page);
    CHECK(index_of(&one) != index_of(&other) && one.dwVolumeSerialNumber == other.dwVolumeSerialNumber, page);
    CHECK_FALSE(GetFileInformationByHandle(a, NULL), ERROR_NOACCESS, "choice: ERROR_NOACCESS");
    CHECK_FALSE(GetFileInformationByHandle(NULL, &one), ERROR_INVALID_HANDLE, page);
    CHECK_FALSE(GetFileInformationByHandle((HANDLE)s, &one), ERROR_INVALID_HANDLE, "choice: a socket");
    closesocket(s);
    CloseHandle(a);
    CloseHandle(b);
    CloseHandle(again);
}

static HANDLE open_home(DWORD access, DWORD disposition, DWORD flags)
{
    char path[sizeof home];

    memcpy(path, home, sizeof path);
    path[strlen(path) - 1] = 0;
    return CreateFileA(path, access, FILE_SHARE_READ, NULL, disposition, flags, NULL);
}

static void directories(void)
{
    static const char page[] = "D CreateFile: FILE_FLAG_BACKUP_SEMANTICS";
    BY_HANDLE_FILE_INFORMATION known;
    char data[8];
    DWORD moved;
    HANDLE directory;

    CHECK(open_home(GENERIC_READ, OPEN_EXISTING, 0) == INVALID_HANDLE_VALUE, page);
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED, page);
    directory = open_home(GENERIC_READ, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS);
    CHECK(directory != INVALID_HANDLE_VALUE, page);
    CHECK_EQ(GetLastError(), 0, page);
    CHECK(GetFileInformationByHandle(directory, &known), page);
    CHECK_EQ(known.dwFileAttributes, FILE_ATTRIBUTE_DIRECTORY, page);
    CHECK_FALSE(ReadFile(directory, data, sizeof data, &moved, NULL), ERROR_ACCESS_DENIED, "choice: it is looked at only");
    CHECK_FALSE(WriteFile(directory, data, sizeof data, &moved, NULL), ERROR_ACCESS_DENIED, "choice: it is looked at only");
    CHECK(CloseHandle(directory), page);

    directory = open_home(GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED);
    CHECK(directory != INVALID_HANDLE_VALUE, page);
    CHECK_EQ(GetLastError(), ERROR_ALREADY_EXISTS, page);
    CHECK(CloseHandle(directory), page);
    CHECK(open_home(GENERIC_WRITE, CREATE_NEW, FILE_FLAG_BACKUP_SEMANTICS) == INVALID_HANDLE_VALUE, page);
    CHECK_EQ(GetLastError(), ERROR_FILE_EXISTS, page);
    CHECK(open_home(GENERIC_WRITE, CREATE_ALWAYS, FILE_FLAG_BACKUP_SEMANTICS) == INVALID_HANDLE_VALUE, page);
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED, "choice: it is not emptied");

    /* A file is opened as without the flag. */
    CloseHandle(make("plain"));
    directory = CreateFileA(in_home("plain"), GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    CHECK(WriteFile(directory, "x", 1, &moved, NULL), page);
    CloseHandle(directory);
}

/* ---- the time zone ---- */

static LONGLONG ticks(const FILETIME *time)
{
    return (LONGLONG)((ULONGLONG)time->dwHighDateTime << 32 | time->dwLowDateTime);
}

static int is_rule(const SYSTEMTIME *date, WORD month, WORD day_of_week, WORD nth, WORD hour)
{
    return date->wYear == 0 && date->wMonth == month && date->wDayOfWeek == day_of_week && date->wDay == nth && date->wHour == hour
           && date->wMinute == 0 && date->wSecond == 0 && date->wMilliseconds == 0;
}

/* The zone by a rule of the C library's; local times of this process are then those of the zone. */
static DWORD zone(const char *rule, TIME_ZONE_INFORMATION *told)
{
    static const char page[] = "D GetTimeZoneInformation";
    FILETIME now, local;
    DWORD kind;
    LONG bias;

    REQUIRE(SetEnvironmentVariableA("TZ", rule));
    tzset();
    memset(told, 0xEE, sizeof *told);
    kind = GetTimeZoneInformation(told);
    CHECK(kind <= TIME_ZONE_ID_DAYLIGHT, page);
    GetSystemTimeAsFileTime(&now);
    FileTimeToLocalFileTime(&now, &local);
    bias = told->Bias + (kind == TIME_ZONE_ID_DAYLIGHT ? told->DaylightBias : told->StandardBias);
    CHECK(ticks(&now) - ticks(&local) == bias * 600000000LL, page);
    return kind;
}

static void time_zones(void)
{
    static const char page[] = "D TIME_ZONE_INFORMATION";
    TIME_ZONE_INFORMATION told;

    CHECK_EQ(zone("UTC0", &told), TIME_ZONE_ID_UNKNOWN, page);
    CHECK(told.Bias == 0 && told.StandardBias == 0 && told.DaylightBias == 0, page);
    CHECK(told.StandardDate.wMonth == 0 && told.DaylightDate.wMonth == 0, page);
    CHECK(memcmp(told.StandardName, wide("UTC"), 8) == 0, "choice: Linux's name");

    CHECK_EQ(zone("IST-5:30", &told), TIME_ZONE_ID_UNKNOWN, page);
    CHECK_EQ(told.Bias, -330, page);

    CHECK(zone("CET-1CEST,M3.5.0,M10.5.0/3", &told) != TIME_ZONE_ID_UNKNOWN, page);
    CHECK(told.Bias == -60 && told.StandardBias == 0 && told.DaylightBias == -60, page);
    CHECK(is_rule(&told.StandardDate, 10, 0, 5, 3), page);
    CHECK(is_rule(&told.DaylightDate, 3, 0, 5, 2), page);
    CHECK(memcmp(told.StandardName, wide("CET"), 8) == 0 && memcmp(told.DaylightName, wide("CEST"), 10) == 0, "choice: Linux's name");

    CHECK(zone("EST5EDT,M3.2.0,M11.1.0", &told) != TIME_ZONE_ID_UNKNOWN, page);
    CHECK_EQ(told.Bias, 300, page);
    CHECK(is_rule(&told.StandardDate, 11, 0, 1, 2) && is_rule(&told.DaylightDate, 3, 0, 2, 2), page);

    /* Where summer is in December. */
    CHECK(zone("NZST-12NZDT,M9.5.0,M4.1.0/3", &told) != TIME_ZONE_ID_UNKNOWN, page);
    CHECK(told.Bias == -720 && told.DaylightBias == -60, page);
    CHECK(is_rule(&told.StandardDate, 4, 0, 1, 3) && is_rule(&told.DaylightDate, 9, 0, 5, 2), page);

    CHECK_EQ(GetTimeZoneInformation(NULL), TIME_ZONE_ID_INVALID, "D GetTimeZoneInformation");
    CHECK_EQ(GetLastError(), ERROR_NOACCESS, "choice: ERROR_NOACCESS");
}

/* ---- the version ---- */

static void versions(void)
{
    static const char page[] = "D GetVersionEx";
    OSVERSIONINFOEXA all;
    OSVERSIONINFOEXW wide_all;
    DWORD version = GetVersion();

    memset(&all, 0xEE, sizeof all);
    all.dwOSVersionInfoSize = sizeof(OSVERSIONINFOA);
    CHECK(GetVersionExA((OSVERSIONINFOA *)&all), page);
    CHECK(all.dwMajorVersion == LOBYTE(version) && all.dwMinorVersion == HIBYTE(version), page);
    CHECK_EQ(all.dwBuildNumber, HIWORD(version), page);
    CHECK_EQ(all.dwPlatformId, 2, "D OSVERSIONINFO: VER_PLATFORM_WIN32_NT");
    CHECK_EQ(all.szCSDVersion[0], 0, "D OSVERSIONINFO: no service pack");
    CHECK_EQ(all.wServicePackMajor, 0xEEEE, "D OSVERSIONINFO: it ends before");
    all.dwOSVersionInfoSize = sizeof all;
    CHECK(GetVersionExA((OSVERSIONINFOA *)&all), page);
    CHECK(all.wServicePackMajor == 0 && all.wProductType == 1, "D OSVERSIONINFOEX");
    wide_all.dwOSVersionInfoSize = sizeof wide_all;
    CHECK(GetVersionExW((OSVERSIONINFOW *)&wide_all), page);
    CHECK_EQ(wide_all.dwMajorVersion, all.dwMajorVersion, page);
    all.dwOSVersionInfoSize = 8;
    CHECK_FALSE(GetVersionExA((OSVERSIONINFOA *)&all), ERROR_INSUFFICIENT_BUFFER, "choice: the page names no code");
    CHECK_FALSE(GetVersionExA(NULL), ERROR_NOACCESS, "choice: ERROR_NOACCESS");
}

/* ---- mappings with names, and at addresses ---- */

static HANDLE memory_of(const char *name)
{
    return CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, name);
}

static void named_mappings(void)
{
    static const char page[] = "D CreateFileMapping: lpName";
    HANDLE one = memory_of("Local\\linsock places"), same, third, event;
    char *a, *b;

    CHECK(one != NULL, page);
    CHECK_EQ(GetLastError(), 0, page);
    same = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 1, wide("linsock places"));
    CHECK(same != NULL && same != one, page);
    CHECK_EQ(GetLastError(), ERROR_ALREADY_EXISTS, page);
    third = OpenFileMappingA(FILE_MAP_WRITE, FALSE, "linsock places");
    CHECK(third != NULL, "D OpenFileMapping");
    a = MapViewOfFile(one, FILE_MAP_WRITE, 0, 0, 0);
    b = MapViewOfFile(third, FILE_MAP_WRITE, 0, 0, 4096);
    CHECK(a != NULL && b != NULL && a != b, page);
    a[4095] = 7;
    CHECK_EQ(b[4095], 7, "D CreateFileMapping: the existing object, with its current size");
    event = CreateEventA(NULL, TRUE, FALSE, "linsock places");
    CHECK(event == NULL && GetLastError() == ERROR_INVALID_HANDLE, page);
    CloseHandle(one);
    CloseHandle(same);
    CHECK(OpenFileMappingW(FILE_MAP_WRITE, FALSE, wide("linsock places")) != NULL, "D OpenFileMapping");
    CHECK(OpenFileMappingA(FILE_MAP_WRITE, FALSE, "linsock nowhere") == NULL, "D OpenFileMapping");
    CHECK_EQ(GetLastError(), ERROR_FILE_NOT_FOUND, "D OpenFileMapping");
    CHECK(OpenFileMappingA(FILE_MAP_WRITE, FALSE, NULL) == NULL, "choice: no name");
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER, "choice: no name");
    CloseHandle(third);
    CHECK(UnmapViewOfFile(a) && UnmapViewOfFile(b), page);

    /* A name goes with the last handle. */
    one = memory_of("linsock short");
    REQUIRE(one != NULL);
    CloseHandle(one);
    CHECK(OpenFileMappingA(FILE_MAP_WRITE, FALSE, "linsock short") == NULL, page);
}

static void views_at_addresses(void)
{
    static const char page[] = "D MapViewOfFileEx";
    HANDLE mapping = memory_of(NULL);
    char *place = VirtualAlloc(NULL, 1 << 20, MEM_RESERVE, PAGE_NOACCESS), *view;

    REQUIRE(mapping != NULL && place != NULL && VirtualFree(place, 0, MEM_RELEASE));
    place = (char *)(((ULONG_PTR)place + 0xFFFF) & ~(ULONG_PTR)0xFFFF);
    view = MapViewOfFileEx(mapping, FILE_MAP_WRITE, 0, 0, 0, place);
    CHECK(view == place, page);
    CHECK(MapViewOfFileEx(mapping, FILE_MAP_WRITE, 0, 0, 0, place) == NULL, page);
    CHECK_EQ(GetLastError(), ERROR_INVALID_ADDRESS, page);
    CHECK(MapViewOfFileEx(mapping, FILE_MAP_WRITE, 0, 0, 0, place + 0x21000) == NULL, page);
    CHECK_EQ(GetLastError(), ERROR_MAPPED_ALIGNMENT, page);
    CHECK(UnmapViewOfFile(view), page);
    view = MapViewOfFileEx(mapping, FILE_MAP_WRITE, 0, 0, 0, NULL);
    CHECK(view != NULL && UnmapViewOfFile(view), page);
    CloseHandle(mapping);
}

/* ---- what is reported, and what is asked in passing ---- */

static void event_log(void)
{
    static const char page[] = "D RegisterEventSource";
    const char *texts[] = {"a row of a test", "nothing is wrong"};
    const WCHAR *wide_texts[] = {wide("the same")};
    HANDLE log = RegisterEventSourceA(NULL, "linsock");

    CHECK(log != NULL, page);
    CHECK(ReportEventA(log, EVENTLOG_INFORMATION_TYPE, 0, 3299, NULL, 2, 0, texts, NULL), "D ReportEvent");
    CHECK(ReportEventW(log, EVENTLOG_INFORMATION_TYPE, 0, 3299, NULL, 1, 0, wide_texts, NULL), "D ReportEvent");
    CHECK_FALSE(ReportEventA(log, EVENTLOG_SUCCESS, 0, 1, NULL, 1, 0, (const char **)16, NULL), ERROR_NOACCESS, "choice: ERROR_NOACCESS");
    CHECK_FALSE(CloseHandle(log), ERROR_INVALID_HANDLE, "D DeregisterEventSource is what closes it");
    CHECK(DeregisterEventSource(log), "D DeregisterEventSource");
    CHECK_FALSE(DeregisterEventSource(log), ERROR_INVALID_HANDLE, "choice: ERROR_INVALID_HANDLE");
    CHECK_FALSE(ReportEventA(log, EVENTLOG_SUCCESS, 0, 1, NULL, 0, 0, NULL, NULL), ERROR_INVALID_HANDLE, "choice: ERROR_INVALID_HANDLE");
    CHECK(RegisterEventSourceW(wide("\\\\another"), wide("linsock")) == NULL, "choice: another machine's log");
    CHECK_EQ(GetLastError(), 1722, "choice: RPC_S_SERVER_UNAVAILABLE");
}

static void in_passing(void)
{
    HKEY key = NULL;
    char text[16] = "";

    CHECK_EQ(RegCreateKeyExA(HKEY_LOCAL_MACHINE, "linsock", 0, NULL, REG_OPTION_NON_VOLATILE, KEY_WRITE, NULL, &key, NULL),
             ERROR_ACCESS_DENIED, "choice: nothing is added");
    CHECK(CharToOemBuffA("B\xC3\xBC" "cher", text, 8) && strcmp(text, "B\xC3\xBC" "cher") == 0, "choice: UTF-8");
    CHECK(OemToCharA("x", text) && strcmp(text, "x") == 0, "choice: UTF-8");
    CHECK(environ == _environ && environ != NULL && environ[0] != NULL, "D _environ");
    if (!FreeConsole())
        CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER, "choice: there is none");
    CHECK_FALSE(FreeConsole(), ERROR_INVALID_PARAMETER, "choice: there is none any more");
}

int main(void)
{
    check_begin("places");
    make_home();
    current_directory();
    disk_space();
    open_files();
    directories();
    time_zones();
    versions();
    named_mappings();
    views_at_addresses();
    event_log();
    in_passing();
    DeleteFileA(in_home("a"));
    DeleteFileA(in_home("one"));
    DeleteFileA(in_home("two"));
    DeleteFileA(in_home("plain"));
    home[strlen(home) - 1] = 0;
    CHECK(RemoveDirectoryA(home), "setup");
    return check_end();
}
