/*
 * file_mapping.c - files and memory as views, files by number and by handle, names for temporary files.
 */
#include "check.h"
#include <errno.h>
#include <io.h>

#define REFUSED(call, error, source) do { \
        SetLastError(CHECK_UNSET); \
        CHECK(!(call), source); \
        CHECK_EQ(GetLastError(), error, source); \
    } while (0)

#define GRAIN 65536u /* D SYSTEM_INFO: dwAllocationGranularity */

/* A new file of that many octets, each of which tells its place; and its name. */
static HANDLE new_file(char name[MAX_PATH], DWORD size)
{
    char *octets = malloc(size + 1);
    DWORD written = 0, i;
    HANDLE file;

    REQUIRE(octets != NULL && GetTempFileNameA(".", "map", 0, name) != 0);
    for (i = 0; i < size; i++)
        octets[i] = (char)(i % 251);
    file = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE && WriteFile(file, octets, size, &written, NULL) && written == size);
    free(octets);
    return file;
}

static void views(void)
{
    char name[MAX_PATH];
    HANDLE file = new_file(name, GRAIN + 100), mapping;
    char *all, *end, *copy, octet = 0;
    DWORD count;

    mapping = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 0, NULL);
    CHECK(mapping != NULL, "D CreateFileMapping: a size of 0 is the file's");
    all = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 0);
    end = MapViewOfFile(mapping, FILE_MAP_READ, 0, GRAIN, 0);
    copy = MapViewOfFile(mapping, FILE_MAP_COPY, 0, GRAIN, 100);
    REQUIRE(all != NULL && end != NULL && copy != NULL);
    CHECK(all[0] == 0 && all[250] == (char)250 && all[251] == 0, "D MapViewOfFile");
    CHECK(end[0] == (char)(GRAIN % 251) && memcmp(end, all + GRAIN, 100) == 0, "D MapViewOfFile: from an offset");
    copy[1] = 'c';
    CHECK(all[GRAIN + 1] != 'c', "D MapViewOfFile: FILE_MAP_COPY changes nothing else");
    all[GRAIN + 2] = 'w';
    CHECK(end[2] == 'w', "D MapViewOfFile: views of one mapping agree");
    REFUSED(MapViewOfFile(mapping, FILE_MAP_READ, 0, 4096, 0), ERROR_MAPPED_ALIGNMENT,
            "D MapViewOfFile: a multiple of the granularity");
    REFUSED(MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, GRAIN + 101), ERROR_ACCESS_DENIED, "choice: more than there is");
    REFUSED(MapViewOfFile(mapping, FILE_MAP_READ, 0, 2 * GRAIN, 0), ERROR_INVALID_PARAMETER, "choice: behind the end");
    REFUSED(MapViewOfFile(file, FILE_MAP_READ, 0, 0, 0), ERROR_INVALID_HANDLE, "D MapViewOfFile: of a mapping");
    CHECK(CloseHandle(mapping), "D CloseHandle");
    REFUSED(MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0), ERROR_INVALID_HANDLE, "D CloseHandle");
    CHECK(end[2] == 'w', "D CreateFileMapping: views hold on to their mapping");
    CHECK(UnmapViewOfFile(all) && UnmapViewOfFile(end) && UnmapViewOfFile(copy), "D UnmapViewOfFile");
    REFUSED(UnmapViewOfFile(all), ERROR_INVALID_ADDRESS, "choice: the page names no code");
    CHECK_EQ(SetFilePointer(file, GRAIN + 2, NULL, FILE_BEGIN), GRAIN + 2, "setup");
    CHECK(ReadFile(file, &octet, 1, &count, NULL) && octet == 'w', "D MapViewOfFile: written to the file");
    CHECK(CloseHandle(file) && DeleteFileA(name), "setup");
}

static void sizes(void)
{
    char name[MAX_PATH], empty_name[MAX_PATH];
    HANDLE file = new_file(name, 10), empty = new_file(empty_name, 0), read_only, mapping;
    char *view;

    REFUSED(CreateFileMappingA(empty, NULL, PAGE_READONLY, 0, 0, NULL), ERROR_FILE_INVALID,
            "D CreateFileMapping: a file of length 0");
    mapping = CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, 5000, NULL);
    CHECK(mapping != NULL && GetFileSize(file, NULL) == 5000, "D CreateFileMapping: makes the file longer");
    CHECK(CloseHandle(mapping), "setup");
    read_only = CreateFileA(name, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    REFUSED(CreateFileMappingA(read_only, NULL, PAGE_READWRITE, 0, 0, NULL), ERROR_ACCESS_DENIED,
            "D CreateFileMapping: the access of the file");
    REFUSED(CreateFileMappingA(read_only, NULL, PAGE_READONLY, 0, 5001, NULL), ERROR_NOT_ENOUGH_MEMORY,
            "choice: a file that cannot be made longer");
    mapping = CreateFileMappingA(read_only, NULL, PAGE_READONLY, 0, 20, NULL);
    REFUSED(MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 0), ERROR_ACCESS_DENIED, "D MapViewOfFile: PAGE_READONLY");
    view = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0);
    CHECK(view != NULL && view[9] == 9, "D MapViewOfFile");
    CHECK(UnmapViewOfFile(view) && CloseHandle(mapping), "setup");
    CHECK(CloseHandle(read_only) && CloseHandle(file) && CloseHandle(empty), "setup");
    CHECK(DeleteFileA(name) && DeleteFileA(empty_name), "setup");
}

static void memory(void)
{
    HANDLE mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, GRAIN, NULL);
    char *one, *other;

    CHECK(mapping != NULL, "D CreateFileMapping: of the paging file");
    one = MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, 0);
    other = MapViewOfFile(mapping, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, GRAIN);
    REQUIRE(one != NULL && other != NULL && one != other);
    CHECK(one[GRAIN - 1] == 0, "D CreateFileMapping: pages of 0");
    one[7] = 'x';
    CHECK_EQ(other[7], 'x', "D CreateFileMapping: shared");
    CHECK(UnmapViewOfFile(one) && UnmapViewOfFile(other) && CloseHandle(mapping), "D UnmapViewOfFile");
    REFUSED(CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0, NULL), ERROR_INVALID_PARAMETER,
            "D CreateFileMapping: of the paging file, a size");
#ifndef __MINGW32__
    REFUSED(CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 1, (LPCSTR)16), ERROR_NOACCESS,
            "choice: an error, and no crash");
#endif
    REFUSED(CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, 77, 0, 1, NULL), ERROR_INVALID_PARAMETER,
            "choice: no such protection");
    REFUSED(CreateFileMappingA(NULL, NULL, PAGE_READONLY, 0, 1, NULL), ERROR_INVALID_HANDLE, "D CreateFileMapping");
}

static void numbers(void)
{
    char name[MAX_PATH], octets[4] = {0};
    HANDLE file = new_file(name, 10), of_number;
    DWORD count = 0;
    int number, other;

    CHECK_EQ(SetFilePointer(file, 3, NULL, FILE_BEGIN), 3, "setup");
    number = _open_osfhandle((intptr_t)file, _O_RDONLY);
    REQUIRE(number >= 0);
    CHECK(_read(number, octets, 2) == 2 && octets[0] == 3 && octets[1] == 4, "D _open_osfhandle: where it was");
    of_number = (HANDLE)_get_osfhandle(number);
    CHECK(of_number != INVALID_HANDLE_VALUE, "D _get_osfhandle");
    CHECK(_get_osfhandle(number) == (intptr_t)of_number, "D _get_osfhandle: the same each time");
    CHECK_EQ(GetFileSize(of_number, NULL), 10, "D _get_osfhandle: of that file");
    CHECK(ReadFile(of_number, octets, 1, &count, NULL) && octets[0] == 5, "D _get_osfhandle: where it was");
    CHECK(_close(number) == 0 && DeleteFileA(name), "D _close");
    errno = 0;
    CHECK(_open_osfhandle((intptr_t)INVALID_HANDLE_VALUE, 0) == -1 && errno == EBADF, "choice: EBADF");
#ifndef __MINGW32__
    CHECK_EQ(GetFileSize(of_number, NULL), 10, "choice: the handle stays until its number is asked for");
    file = new_file(name, 77);
    /* The lowest number that is free is the former one, now or after the one that the file itself has. */
    other = _open_osfhandle((intptr_t)file, 0);
    if (other != number) {
        int third = other;

        other = _dup2(other, number) == 0 ? number : -1;
        _close(third);
    }
    CHECK_EQ(other, number, "setup: the lowest number that is free");
    REFUSED(GetFileSize(file, NULL) != INVALID_FILE_SIZE, ERROR_INVALID_HANDLE, "choice: the number has taken it over");
    CHECK_EQ(GetFileSize((HANDLE)_get_osfhandle(other), NULL), 77, "D _get_osfhandle: the file that it is now");
    CHECK(GetFileSize(of_number, NULL) == INVALID_FILE_SIZE, "choice: the former handle goes when that is noticed");
    CHECK(_close(other) == 0 && DeleteFileA(name), "setup");
    of_number = (HANDLE)_get_osfhandle(other);
    CHECK(of_number == INVALID_HANDLE_VALUE && errno == EBADF, "D _get_osfhandle: EBADF");
    CHECK(_get_osfhandle(-1) == -1, "D _get_osfhandle: EBADF");
#else
    (void)other;
#endif
}

static void names(void)
{
    char one[MAX_PATH], other[MAX_PATH];
    WCHAR wide[MAX_PATH];
    UINT number = GetTempFileNameA(".", "LONG", 0, one);

    CHECK(number != 0 && strstr(one, "LON") != NULL && strstr(one, "LONG") == NULL,
          "D GetTempFileName: three characters");
    CHECK(strlen(one) > 4 && strcmp(one + strlen(one) - 4, ".TMP") == 0, "D GetTempFileName: .TMP");
    CHECK(GetFileAttributesA(one) != INVALID_FILE_ATTRIBUTES, "D GetTempFileName: is made");
    CHECK(GetTempFileNameA(".", "LONG", 0, other) != 0 && strcmp(one, other) != 0, "D GetTempFileName: unique");
    CHECK(DeleteFileA(one) && DeleteFileA(other), "setup");
    CHECK_EQ(GetTempFileNameW(u".", u"abc", 0x12ab, wide), 0x12ab, "D GetTempFileName: with a number");
    CHECK(GetFileAttributesW(wide) == INVALID_FILE_ATTRIBUTES, "D GetTempFileName: with a number, not made");
    REFUSED(GetTempFileNameA("./no-such-directory", "abc", 0, one), ERROR_DIRECTORY, "D GetTempFileName: ERROR_DIRECTORY");
#ifndef __MINGW32__
    REFUSED(GetTempFileNameA(".", "abc", 0, (LPSTR)16), ERROR_NOACCESS, "choice: an error, and no crash");
    REFUSED(GetTempFileNameA(".", NULL, 0, one), ERROR_NOACCESS, "choice: an error, and no crash");
#endif
}

int main(void)
{
    check_begin("file_mapping");
    views();
    sizes();
    memory();
    numbers();
    names();
    return check_end();
}
