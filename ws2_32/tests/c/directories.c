/*
 * directories.c - directories made, listed by pattern and removed; what is known of a file by its path.
 */
#include "check.h"

#define REFUSED(call, error, source) do { \
        SetLastError(CHECK_UNSET); \
        CHECK(!(call), source); \
        CHECK_EQ(GetLastError(), error, source); \
    } while (0)
#define NOT_FOUND(call, error, source) REFUSED((call) != INVALID_HANDLE_VALUE, error, source)

/* A directory of the test's own, with \ at its end. */
static char home[MAX_PATH + 64];

static const char *in_home(const char *name)
{
    static char path[2 * MAX_PATH + 64];

    snprintf(path, sizeof path, "%s%s", home, name);
    return path;
}

static const WCHAR *wide(const char *path)
{
    static WCHAR text[2 * MAX_PATH];

    MultiByteToWideChar(CP_UTF8, 0, path, -1, text, 2 * MAX_PATH);
    return text;
}

static void make_home(void)
{
    char temp[MAX_PATH];

    REQUIRE(GetTempPathA(sizeof temp, temp) > 0 && strlen(temp) < MAX_PATH - 60);
    snprintf(home, sizeof home, "%slinsock directories %lu", temp, (unsigned long)GetCurrentProcessId());
    REQUIRE(CreateDirectoryA(home, NULL));
    strcat(home, "\\");
}

static void put(const char *name, DWORD size)
{
    static const char octets[64];
    HANDLE file = CreateFileA(in_home(name), GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    DWORD written;

    REQUIRE(file != INVALID_HANDLE_VALUE);
    REQUIRE(WriteFile(file, octets, size, &written, NULL) && written == size);
    CloseHandle(file);
}

static void made_and_removed(void)
{
    CHECK(CreateDirectoryA(in_home("one"), NULL), "D CreateDirectory");
    CHECK(GetFileAttributesA(in_home("one")) & FILE_ATTRIBUTE_DIRECTORY, "D GetFileAttributes");
    REFUSED(CreateDirectoryA(in_home("one"), NULL), ERROR_ALREADY_EXISTS, "D CreateDirectory");
    REFUSED(CreateDirectoryW(wide(in_home("one")), NULL), ERROR_ALREADY_EXISTS, "D CreateDirectory");
    REFUSED(CreateDirectoryA(in_home("none\\two"), NULL), ERROR_PATH_NOT_FOUND, "D CreateDirectory");
    CHECK(CreateDirectoryW(wide(in_home("one\\two")), NULL), "D CreateDirectory");
    REFUSED(RemoveDirectoryA(in_home("one")), ERROR_DIR_NOT_EMPTY, "D RemoveDirectory: must be empty");
    CHECK(RemoveDirectoryW(wide(in_home("one\\two"))), "D RemoveDirectory");
    CHECK(RemoveDirectoryA(in_home("one")), "D RemoveDirectory");
    REFUSED(RemoveDirectoryA(in_home("one")), ERROR_FILE_NOT_FOUND, "D system error codes");
    put("file", 1);
    REFUSED(RemoveDirectoryA(in_home("file")), ERROR_DIRECTORY, "D system error codes: the directory name is invalid");
    CHECK(DeleteFileA(in_home("file")), "D DeleteFile");
#ifndef __MINGW32__
    REFUSED(CreateDirectoryA((LPCSTR)16, NULL), ERROR_NOACCESS, "choice: an error, and no crash");
    REFUSED(RemoveDirectoryA(NULL), ERROR_NOACCESS, "choice: an error, and no crash");
#endif
}

/* How many names a pattern means; each is of the size that its first letter says, and directories are told apart. */
static int count(const char *pattern, const char *first)
{
    WIN32_FIND_DATAA found;
    HANDLE listing = FindFirstFileA(in_home(pattern), &found);
    int names = 0;

    REQUIRE(listing != INVALID_HANDLE_VALUE);
    CHECK(strcmp(found.cFileName, first) == 0, "choice: in the order of the octets");
    do {
        BOOL is_directory = (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;

        names++;
        CHECK_EQ(is_directory, found.cFileName[0] == '.' || found.cFileName[0] == 'd', "D WIN32_FIND_DATA");
        CHECK_EQ(found.nFileSizeLow, is_directory ? 0 : (DWORD)(found.cFileName[0] - '0'), "D WIN32_FIND_DATA");
        CHECK_EQ(found.nFileSizeHigh, 0, "D WIN32_FIND_DATA");
        CHECK_EQ(found.cAlternateFileName[0], 0, "choice: no short names");
    } while (FindNextFileA(listing, &found));
    CHECK_EQ(GetLastError(), ERROR_NO_MORE_FILES, "D FindNextFile");
    CHECK(FindClose(listing), "D FindClose");
    return names;
}

static void listed(void)
{
    WIN32_FIND_DATAW found;
    WIN32_FIND_DATAA narrow;
    HANDLE listing;

    put("1.txt", 1);
    put("2.txt", 2);
    put("3.html", 3);
    CHECK(CreateDirectoryA(in_home("dir"), NULL), "D CreateDirectory");
    CHECK_EQ(count("*", "."), 6, "D FindFirstFile: and . and ..");
    CHECK_EQ(count("*.*", "."), 6, "D naming a file: *.* is every name");
    CHECK_EQ(count("*.txt", "1.txt"), 2, "D FindFirstFile: wildcards");
    CHECK_EQ(count("?.html", "3.html"), 1, "D FindFirstFile: wildcards");
    CHECK_EQ(count("2.txt", "2.txt"), 1, "D FindFirstFile: a name without wildcards");
    NOT_FOUND(FindFirstFileA(in_home("*.none"), &narrow), ERROR_FILE_NOT_FOUND, "D FindFirstFile");
    NOT_FOUND(FindFirstFileA(in_home("none"), &narrow), ERROR_FILE_NOT_FOUND, "D FindFirstFile");
    NOT_FOUND(FindFirstFileA(in_home("none\\*"), &narrow), ERROR_PATH_NOT_FOUND, "D system error codes");
    NOT_FOUND(FindFirstFileA(in_home("dir\\"), &narrow), ERROR_FILE_NOT_FOUND, "D FindFirstFile: no \\ at the end");

    listing = FindFirstFileW(wide(in_home("3*")), &found);
    CHECK(listing != INVALID_HANDLE_VALUE, "D FindFirstFile");
    CHECK_EQ(lstrcmpW(found.cFileName, u"3.html"), 0, "D FindFirstFile");
    CHECK_EQ(found.nFileSizeLow, 3, "D FindFirstFile");
    REFUSED(FindNextFileW(listing, &found), ERROR_NO_MORE_FILES, "D FindNextFile");
    CHECK(FindClose(listing), "D FindClose");
#ifndef __MINGW32__
    REFUSED(FindClose(listing), ERROR_INVALID_HANDLE, "choice: the page names no error");
    REFUSED(FindNextFileW(listing, &found), ERROR_INVALID_HANDLE, "choice: the page names no error");
    REFUSED(FindClose(INVALID_HANDLE_VALUE), ERROR_INVALID_HANDLE, "choice: the page names no error");
    NOT_FOUND(FindFirstFileA(in_home("*"), (WIN32_FIND_DATAA *)16), ERROR_NOACCESS, "choice: an error, and no crash");
#endif
}

static void known(void)
{
    WIN32_FILE_ATTRIBUTE_DATA data, again;
    FILETIME now;
    ULARGE_INTEGER written, present;

    CHECK(GetFileAttributesExA(in_home("2.txt"), GetFileExInfoStandard, &data), "D GetFileAttributesEx");
    CHECK_EQ(data.nFileSizeLow, 2, "D GetFileAttributesEx");
    CHECK_EQ(data.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY, 0, "D GetFileAttributesEx");
    GetSystemTimeAsFileTime(&now);
    written.u.LowPart = data.ftLastWriteTime.dwLowDateTime;
    written.u.HighPart = data.ftLastWriteTime.dwHighDateTime;
    present.u.LowPart = now.dwLowDateTime;
    present.u.HighPart = now.dwHighDateTime;
    /* A file system may keep seconds only. */
    CHECK(written.QuadPart <= present.QuadPart + 20000000 && written.QuadPart + 6000000000ULL > present.QuadPart,
          "D FILETIME: written a moment ago");
    CHECK(GetFileAttributesExW(wide(in_home("2.txt")), GetFileExInfoStandard, &again), "D GetFileAttributesEx");
    CHECK(memcmp(&data, &again, sizeof data) == 0, "D GetFileAttributesEx");
    REFUSED(GetFileAttributesExA(in_home("none"), GetFileExInfoStandard, &data), ERROR_FILE_NOT_FOUND,
            "D GetFileAttributesEx");
    REFUSED(GetFileAttributesExA(in_home("2.txt"), GetFileExMaxInfoLevel, &data), ERROR_INVALID_PARAMETER,
            "D GetFileAttributesEx: GetFileExInfoStandard");
}

int main(void)
{
    check_begin("directories");
    make_home();
    made_and_removed();
    listed();
    known();
    CHECK(DeleteFileA(in_home("1.txt")) && DeleteFileA(in_home("2.txt")) && DeleteFileA(in_home("3.html")),
          "D DeleteFile");
    CHECK(RemoveDirectoryA(in_home("dir")), "D RemoveDirectory");
    home[strlen(home) - 1] = 0;
    CHECK(RemoveDirectoryA(home), "D RemoveDirectory");
    return check_end();
}
