/*
 * moves.c - files and directories that get another path, copies, long and full paths, the times of files.
 */
#include "check.h"

static char home[MAX_PATH + 64];

/* A path in the test's own directory; four can be in use at once. */
static const char *in_home(const char *name)
{
    static char paths[4][2 * MAX_PATH + 64];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s%s", home, name);
    return path;
}

static const WCHAR *wide(const char *path)
{
    static WCHAR texts[2][2 * MAX_PATH];
    static unsigned next;
    WCHAR *text = texts[next++ % 2];

    MultiByteToWideChar(CP_UTF8, 0, path, -1, text, 2 * MAX_PATH);
    return text;
}

static void make_home(void)
{
    char temp[MAX_PATH];

    REQUIRE(GetTempPathA(sizeof temp, temp) > 0 && strlen(temp) < MAX_PATH - 60);
    snprintf(home, sizeof home, "%slinsock moves %lu", temp, (unsigned long)GetCurrentProcessId());
    REQUIRE(CreateDirectoryA(home, NULL));
    strcat(home, "\\");
}

static void put_at(const char *path, const char *text)
{
    HANDLE file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    DWORD written;

    REQUIRE(file != INVALID_HANDLE_VALUE);
    REQUIRE(WriteFile(file, text, (DWORD)strlen(text), &written, NULL));
    CloseHandle(file);
}

static void put(const char *name, const char *text)
{
    put_at(in_home(name), text);
}

static BOOL is_at(const char *path, const char *text)
{
    HANDLE file = CreateFileA(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    char found[64];
    DWORD length = 0;

    if (file == INVALID_HANDLE_VALUE)
        return FALSE;
    REQUIRE(ReadFile(file, found, sizeof found, &length, NULL));
    CloseHandle(file);
    return length == strlen(text) && memcmp(found, text, length) == 0;
}

static BOOL has(const char *name, const char *text)
{
    return is_at(in_home(name), text);
}

static BOOL is_gone(const char *name)
{
    return GetFileAttributesA(in_home(name)) == INVALID_FILE_ATTRIBUTES;
}

static void plain_moves(void)
{
    put("one", "1");
    CHECK(MoveFileA(in_home("one"), in_home("two")), "D MoveFile");
    CHECK(is_gone("one") && has("two", "1"), "D MoveFile");
    put("one", "2");
    CHECK_FALSE(MoveFileA(in_home("one"), in_home("two")), ERROR_ALREADY_EXISTS, "D MoveFile: the new name must not exist");
    CHECK(has("one", "2") && has("two", "1"), "D MoveFile");
    CHECK(MoveFileW(wide(in_home("one")), wide(in_home("b\xc3\xbc" "cher"))), "D MoveFileW");
    CHECK(is_gone("one") && has("b\xc3\xbc" "cher", "2"), "D MoveFileW");
    CHECK(DeleteFileA(in_home("b\xc3\xbc" "cher")), "setup");
    CHECK_FALSE(MoveFileA(in_home("one"), in_home("three")), ERROR_FILE_NOT_FOUND, "D MoveFile: no such file");
    CHECK_FALSE(MoveFileA(in_home("no\\one"), in_home("three")), ERROR_PATH_NOT_FOUND, "choice: no such directory");
    CHECK_FALSE(MoveFileA(in_home("two"), in_home("no\\two")), ERROR_PATH_NOT_FOUND, "choice: no such directory");
    CHECK(MoveFileA(in_home("two"), in_home("two")), "choice: onto itself nothing happens");
    CHECK(has("two", "1"), "choice: onto itself nothing happens");
    CHECK(DeleteFileA(in_home("two")), "setup");
#ifndef __MINGW32__
    CHECK_FALSE(MoveFileA((LPCSTR)16, in_home("two")), ERROR_NOACCESS, "choice: an error, and no crash");
    CHECK_FALSE(MoveFileA(in_home("two"), (LPCSTR)16), ERROR_NOACCESS, "choice: an error, and no crash");
    CHECK_FALSE(MoveFileA(in_home("two"), NULL), ERROR_INVALID_PARAMETER, "choice: nowhere");
#endif
}

static void directories(void)
{
    REQUIRE(CreateDirectoryA(in_home("d"), NULL) && CreateDirectoryA(in_home("e"), NULL));
    put("d\\in", "3");
    CHECK_FALSE(MoveFileA(in_home("d"), in_home("e")), ERROR_ALREADY_EXISTS, "D MoveFile: a new directory must not exist");
    CHECK(MoveFileA(in_home("d"), in_home("e\\d")), "D MoveFile: with its children");
    CHECK(has("e\\d\\in", "3") && is_gone("d"), "D MoveFile: with its children");
    CHECK(!MoveFileA(in_home("e"), in_home("e\\d\\e")), "choice: a directory is not moved into itself");
    put("file", "4");
    CHECK_FALSE(MoveFileExA(in_home("file"), in_home("e"), MOVEFILE_REPLACE_EXISTING), ERROR_ACCESS_DENIED,
                "D MoveFileEx: lpNewFileName cannot name an existing directory");
    CHECK(MoveFileExA(in_home("e\\d\\in"), in_home("file"), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH),
          "D MoveFileEx");
    CHECK(has("file", "3"), "D MoveFileEx: the contents are replaced");
    CHECK(DeleteFileA(in_home("file")) && RemoveDirectoryA(in_home("e\\d")) && RemoveDirectoryA(in_home("e")), "setup");
}

static void moves_with_flags(void)
{
    put("one", "1");
    put("two", "2");
    CHECK_FALSE(MoveFileExA(in_home("one"), in_home("two"), 0), ERROR_ALREADY_EXISTS, "D MoveFileEx");
    CHECK(MoveFileExA(in_home("one"), in_home("two"), MOVEFILE_REPLACE_EXISTING), "D MoveFileEx");
    CHECK(is_gone("one") && has("two", "1"), "D MoveFileEx: the contents are replaced");
    CHECK(MoveFileExW(wide(in_home("two")), wide(in_home("one")), MOVEFILE_WRITE_THROUGH), "D MoveFileExW");
    CHECK(has("one", "1"), "D MoveFileExW");
#ifndef __MINGW32__
    CHECK_FALSE(MoveFileExA(in_home("one"), in_home("two"), MOVEFILE_DELAY_UNTIL_REBOOT), ERROR_NOT_SUPPORTED,
                "choice: nothing remembers it");
    CHECK_FALSE(MoveFileExA(in_home("one"), in_home("two"), 0x80000000), ERROR_INVALID_PARAMETER, "choice: unknown flags");
    CHECK(has("one", "1"), "choice: an error changes nothing");
#endif
    CHECK(DeleteFileA(in_home("one")), "setup");
}

/* Where there is another file system: on Linux it is the one of shared memory. */
static void another_file_system(void)
{
#ifndef __MINGW32__
    char far_away[64];

    snprintf(far_away, sizeof far_away, "/dev/shm/linsock moves %lu", (unsigned long)GetCurrentProcessId());
    if (GetFileAttributesA("/dev/shm") == INVALID_FILE_ATTRIBUTES)
        return;
    put("one", "1");
    if (MoveFileExA(in_home("one"), far_away, 0)) {
        CHECK(DeleteFileA(far_away), "setup");
        return;
    }
    CHECK_EQ(GetLastError(), ERROR_NOT_SAME_DEVICE, "D MoveFileEx: another volume takes MOVEFILE_COPY_ALLOWED");
    if (GetLastError() != ERROR_NOT_SAME_DEVICE)
        return;
    CHECK(MoveFileExA(in_home("one"), far_away, MOVEFILE_COPY_ALLOWED), "D MoveFileEx: a copy and a deletion");
    CHECK(is_gone("one") && is_at(far_away, "1"), "D MoveFileEx: a copy and a deletion");
    put("one", "2");
    CHECK_FALSE(MoveFileA(in_home("one"), far_away), ERROR_ALREADY_EXISTS, "D MoveFile: the new name must not exist");
    CHECK(is_at(far_away, "1"), "D MoveFile");
    CHECK(MoveFileExA(in_home("one"), far_away, MOVEFILE_COPY_ALLOWED | MOVEFILE_REPLACE_EXISTING), "D MoveFileEx");
    CHECK(is_gone("one") && is_at(far_away, "2"), "D MoveFileEx");
    CHECK(MoveFileA(far_away, in_home("one")), "D MoveFile: a file can be on another volume");
    CHECK(has("one", "2"), "D MoveFile");
    CHECK(DeleteFileA(in_home("one")), "setup");
    REQUIRE(CreateDirectoryA(in_home("d"), NULL));
    CHECK_FALSE(MoveFileA(in_home("d"), far_away), ERROR_NOT_SAME_DEVICE, "D MoveFile: a directory stays on its volume");
    CHECK(RemoveDirectoryA(in_home("d")), "setup");
#endif
}

static void copies(void)
{
    WIN32_FILE_ATTRIBUTE_DATA first, second;

    put("one", "a longer text");
    CHECK(CopyFileA(in_home("one"), in_home("two"), TRUE), "D CopyFile");
    CHECK(has("one", "a longer text") && has("two", "a longer text"), "D CopyFile");
    REQUIRE(GetFileAttributesExA(in_home("one"), GetFileExInfoStandard, &first));
    REQUIRE(GetFileAttributesExA(in_home("two"), GetFileExInfoStandard, &second));
    CHECK_EQ(CompareFileTime(&first.ftLastWriteTime, &second.ftLastWriteTime), 0, "choice: as copies of Windows have it");
    put("one", "short");
    CHECK_FALSE(CopyFileA(in_home("one"), in_home("two"), TRUE), ERROR_FILE_EXISTS, "D CopyFile: bFailIfExists");
    CHECK(has("two", "a longer text"), "D CopyFile: bFailIfExists");
    CHECK(CopyFileW(wide(in_home("one")), wide(in_home("two")), FALSE), "D CopyFileW");
    CHECK(has("two", "short"), "D CopyFile: it overwrites the existing file");
    CHECK_FALSE(CopyFileA(in_home("one"), in_home("one"), FALSE), ERROR_SHARING_VIOLATION, "choice: a file to itself");
    CHECK(has("one", "short"), "choice: a file to itself");
    CHECK_FALSE(CopyFileA(in_home("none"), in_home("two"), FALSE), ERROR_FILE_NOT_FOUND, "D CopyFile: no such file");
    CHECK(has("two", "short"), "D CopyFile");
    CHECK_FALSE(CopyFileA(in_home("one"), in_home("no\\two"), FALSE), ERROR_PATH_NOT_FOUND, "choice: no such directory");
    CHECK_FALSE(CopyFileA(home, in_home("two"), FALSE), ERROR_ACCESS_DENIED, "choice: a directory is no file");
    CHECK(DeleteFileA(in_home("one")) && DeleteFileA(in_home("two")), "setup");
}

static void long_names(void)
{
    char path[2 * MAX_PATH];
    WCHAR text[2 * MAX_PATH];
    const char *file = in_home("a longer name.than 8.3");
    DWORD length = (DWORD)strlen(file);

    put("a longer name.than 8.3", "1");
    CHECK_EQ(GetLongPathNameA(file, path, sizeof path), length, "D GetLongPathName: without the zero");
    CHECK(strcmp(path, file) == 0, "D GetLongPathName: as before if it is long");
    CHECK_EQ(GetLongPathNameA(file, path, length), length + 1, "D GetLongPathName: the size that is needed");
    CHECK_EQ(GetLongPathNameA(file, path, length + 1), length, "D GetLongPathName");
    CHECK_EQ(GetLongPathNameA(file, NULL, 0), length + 1, "D GetLongPathName: the size that is needed");
    CHECK_EQ(GetLongPathNameW(wide(file), text, 2 * MAX_PATH), length, "D GetLongPathNameW");
    CHECK_EQ(lstrcmpW(text, wide(file)), 0, "D GetLongPathNameW");
    CHECK(DeleteFileA(file), "setup");
    CHECK_CALL(GetLongPathNameA(file, path, sizeof path), 0, ERROR_FILE_NOT_FOUND, "D GetLongPathName: no such file");
}

static BOOL ends_in(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void full_names(void)
{
    static const char *const same[] = {"/a/b", "/a/./b", "/a//b", "/a/c/../b", "/../a/b", "\\a\\b"};
    char path[2 * MAX_PATH], *part;
    WCHAR text[2 * MAX_PATH], *wide_part;
    DWORD length = GetFullPathNameA("x.txt", sizeof path, path, &part), i;

    CHECK(length > 5 && strlen(path) == length, "D GetFullPathName: without the zero");
    CHECK(path[0] == '/' || path[1] == ':', "D GetFullPathName: from the root on");
    CHECK(part == path + length - 5 && ends_in(path, "x.txt"), "D GetFullPathName: the last part");
    CHECK_EQ(GetFullPathNameA("x.txt", length, path, NULL), length + 1, "D GetFullPathName: the size that is needed");
    CHECK_EQ(GetFullPathNameA("x.txt", length + 1, path, NULL), length, "D GetFullPathName: lpFilePart can be NULL");
    CHECK_EQ(GetFullPathNameW(u"x.txt", 2 * MAX_PATH, text, &wide_part), length, "D GetFullPathNameW");
    CHECK(wide_part == text + length - 5 && text[length] == 0, "D GetFullPathNameW: the last part");
    CHECK(GetFullPathNameA("directory/", sizeof path, path, &part) > 0, "D GetFullPathName");
    CHECK(part == NULL && (ends_in(path, "directory/") || ends_in(path, "directory\\")),
          "D GetFullPathName: no last part of what refers to a directory");
#ifndef __MINGW32__
    for (i = 0; i < sizeof same / sizeof same[0]; i++) {
        CHECK_EQ(GetFullPathNameA(same[i], sizeof path, path, &part), 4, "choice: paths of Linux");
        CHECK(strcmp(path, "/a/b") == 0 && part == path + 3, "choice: paths of Linux");
    }
    CHECK_CALL(GetFullPathNameA("x", sizeof path, (LPSTR)16, NULL), 0, ERROR_NOACCESS, "choice: an error, and no crash");
    CHECK_CALL(GetFullPathNameA("x", sizeof path, path, (LPSTR *)16), 0, ERROR_NOACCESS, "choice: an error, and no crash");
#else
    (void)same, (void)i;
#endif
}

static ULONGLONG number(FILETIME time)
{
    return (ULONGLONG)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

static void times(void)
{
    /* some time in 2001 */
    const ULONGLONG chosen = 126257187067000000ULL;
    FILETIME made, read, written, set, zero = {0, 0}, ones = {0xffffffff, 0xffffffff};
    WIN32_FILE_ATTRIBUTE_DATA known;
    HANDLE file, event = new_event();

    put("one", "1");
    file = CreateFileA(in_home("one"), GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(GetFileTime(file, &made, &read, &written), "D GetFileTime");
    REQUIRE(GetFileAttributesExA(in_home("one"), GetFileExInfoStandard, &known));
    CHECK_EQ(number(written), number(known.ftLastWriteTime), "D GetFileTime");
    set.dwLowDateTime = (DWORD)chosen;
    set.dwHighDateTime = (DWORD)(chosen >> 32);
    CHECK(SetFileTime(file, NULL, NULL, &set), "D SetFileTime: each can be NULL");
    CHECK(GetFileTime(file, NULL, NULL, &written), "D GetFileTime: each can be NULL");
    CHECK_EQ(number(written), chosen, "D SetFileTime");
    CHECK(SetFileTime(file, NULL, &set, NULL), "D SetFileTime");
    CHECK(GetFileTime(file, &made, &read, &written), "D GetFileTime");
    CHECK(number(read) == chosen && number(written) == chosen, "D SetFileTime");
    CHECK(SetFileTime(file, NULL, NULL, &zero) && SetFileTime(file, NULL, NULL, &ones), "D SetFileTime");
    CHECK(GetFileTime(file, NULL, NULL, &written), "D GetFileTime");
    CHECK_EQ(number(written), chosen, "D SetFileTime: all ones leave it; choice: so does 0");
    CloseHandle(file);
    file = CreateFileA(in_home("one"), FILE_WRITE_ATTRIBUTES | FILE_READ_ATTRIBUTES, 0, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    set.dwLowDateTime = (DWORD)(chosen + 10000000);
    set.dwHighDateTime = (DWORD)((chosen + 10000000) >> 32);
    CHECK(SetFileTime(file, NULL, NULL, &set), "D SetFileTime: FILE_WRITE_ATTRIBUTES");
    CHECK(GetFileTime(file, NULL, NULL, &written), "D GetFileTime: FILE_READ_ATTRIBUTES");
    CHECK_EQ(number(written), chosen + 10000000, "D SetFileTime");
    CHECK_FALSE(GetFileTime(event, NULL, NULL, &written), ERROR_INVALID_HANDLE, "D GetFileTime: a file");
    CHECK_FALSE(SetFileTime(event, NULL, NULL, &set), ERROR_INVALID_HANDLE, "D SetFileTime: a file");
#ifndef __MINGW32__
    CHECK_FALSE(GetFileTime(file, (LPFILETIME)16, NULL, NULL), ERROR_NOACCESS, "choice: an error, and no crash");
    CHECK_FALSE(SetFileTime(file, NULL, NULL, (LPFILETIME)16), ERROR_NOACCESS, "choice: an error, and no crash");
#endif
    CloseHandle(file);
    CloseHandle(event);
    CHECK(DeleteFileA(in_home("one")), "setup");
}

int main(void)
{
    check_begin("moves");
    make_home();
    plain_moves();
    directories();
    moves_with_flags();
    another_file_system();
    copies();
    long_names();
    full_names();
    times();
    home[strlen(home) - 1] = 0;
    CHECK(RemoveDirectoryA(home), "setup: nothing is left");
    return check_end();
}
