/* Disk files: CreateFile and what can be done with its handle, also on a completion port. */
#include "check.h"

#define CREATE "D CreateFileA"
#define READ "D ReadFile"
#define WRITE "D WriteFile"
#define POINTER "D SetFilePointer"
#define SIZE "D GetFileSize"

static char path[MAX_PATH + 64];

/* A path in the directory for temporary files that nothing is at. */
static void choose_path(void)
{
    char directory[MAX_PATH];
    DWORD length = GetTempPathA(sizeof directory, directory);

    REQUIRE(length > 1 && length < sizeof directory);
    CHECK_EQ(directory[length], 0, "D GetTempPathA: without the zero");
    CHECK(directory[length - 1] == '/' || directory[length - 1] == '\\', "D GetTempPathA: ends with a separator");
    CHECK_EQ(GetTempPathA(1, directory), length + 1, "D GetTempPathA: the size that is needed");
    snprintf(path, sizeof path, "%slinsock-files-%lu.tmp", directory, (unsigned long)GetCurrentProcessId());
    DeleteFileA(path);
}

static HANDLE open_with(DWORD access, DWORD disposition, DWORD flags)
{
    return CreateFileA(path, access, FILE_SHARE_READ, NULL, disposition, flags, NULL);
}

static HANDLE made(DWORD flags)
{
    HANDLE file = open_with(GENERIC_READ | GENERIC_WRITE, CREATE_ALWAYS, flags);

    REQUIRE(file != INVALID_HANDLE_VALUE);
    return file;
}

#define NO_FILE ((long long)(LONG_PTR)INVALID_HANDLE_VALUE)
#define CHECK_NOT_OPENED(call, error, source) CHECK_CALL((LONG_PTR)(call), NO_FILE, error, source)

static void dispositions(void)
{
    char missing[sizeof path + 8];
    HANDLE file;

    CHECK_NOT_OPENED(open_with(GENERIC_READ, OPEN_EXISTING, 0), ERROR_FILE_NOT_FOUND, CREATE);
    CHECK_NOT_OPENED(open_with(GENERIC_WRITE, TRUNCATE_EXISTING, 0), ERROR_FILE_NOT_FOUND, CREATE);
    CHECK_NOT_OPENED(open_with(GENERIC_READ, TRUNCATE_EXISTING, 0), ERROR_INVALID_PARAMETER,
                     CREATE ": TRUNCATE_EXISTING needs GENERIC_WRITE");
    CHECK_NOT_OPENED(open_with(GENERIC_READ, 0, 0), ERROR_INVALID_PARAMETER, "choice: no such disposition");
    CHECK_NOT_OPENED(open_with(GENERIC_READ, 6, 0), ERROR_INVALID_PARAMETER, "choice: no such disposition");
    CHECK_EQ(GetFileAttributesA(path), INVALID_FILE_ATTRIBUTES, "D GetFileAttributesA");

    SetLastError(CHECK_UNSET);
    file = open_with(GENERIC_WRITE, CREATE_NEW, 0);
    CHECK(file != INVALID_HANDLE_VALUE, CREATE);
    CloseHandle(file);
    CHECK_NOT_OPENED(open_with(GENERIC_WRITE, CREATE_NEW, 0), ERROR_FILE_EXISTS, CREATE);
    CHECK_EQ(GetFileAttributesA(path) & FILE_ATTRIBUTE_DIRECTORY, 0, "D GetFileAttributesA");

    SetLastError(CHECK_UNSET);
    file = open_with(GENERIC_WRITE, CREATE_ALWAYS, 0);
    CHECK(file != INVALID_HANDLE_VALUE, CREATE);
    CHECK_EQ(GetLastError(), ERROR_ALREADY_EXISTS, CREATE ": CREATE_ALWAYS on a file that is there");
    CloseHandle(file);
    SetLastError(CHECK_UNSET);
    file = open_with(GENERIC_READ, OPEN_ALWAYS, 0);
    CHECK(file != INVALID_HANDLE_VALUE, CREATE);
    CHECK_EQ(GetLastError(), ERROR_ALREADY_EXISTS, CREATE ": OPEN_ALWAYS on a file that is there");
    CloseHandle(file);
    CHECK(DeleteFileA(path), "D DeleteFileA");
    CHECK_FALSE(DeleteFileA(path), ERROR_FILE_NOT_FOUND, "D DeleteFileA");
    SetLastError(CHECK_UNSET);
    file = open_with(GENERIC_READ, OPEN_ALWAYS, 0);
    CHECK(file != INVALID_HANDLE_VALUE, CREATE);
    CHECK_EQ(GetLastError(), 0, CREATE ": OPEN_ALWAYS makes the file");
    CloseHandle(file);

    snprintf(missing, sizeof missing, "%s/x/y", path);
    CHECK_NOT_OPENED(CreateFileA(missing, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL), ERROR_PATH_NOT_FOUND, CREATE);
    CHECK_NOT_OPENED(CreateFileA("", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL), ERROR_PATH_NOT_FOUND, "choice: no name");
    CHECK_NOT_OPENED(CreateFileA(".", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL), ERROR_ACCESS_DENIED,
                     CREATE ": a directory, without FILE_FLAG_BACKUP_SEMANTICS");
    CHECK(GetFileAttributesA(".") & FILE_ATTRIBUTE_DIRECTORY, "D GetFileAttributesA");
    CHECK(DeleteFileA(path), "D DeleteFileA");
}

static void positions(void)
{
    HANDLE file = made(0);
    LARGE_INTEGER size, to, at;
    DWORD bytes, high = CHECK_UNSET;
    LONG far_away = 1;
    char text[16];

    CHECK(WriteFile(file, "0123456789", 10, &bytes, NULL) && bytes == 10, WRITE);
    CHECK_EQ(GetFileSize(file, &high), 10, SIZE);
    CHECK_EQ(high, 0, SIZE);
    CHECK(GetFileSizeEx(file, &size) && size.QuadPart == 10, "D GetFileSizeEx");
    bytes = CHECK_UNSET;
    CHECK(ReadFile(file, text, sizeof text, &bytes, NULL), READ ": the end of the file is a success");
    CHECK_EQ(bytes, 0, READ ": with no octets");
    CHECK_EQ(SetFilePointer(file, 4, NULL, FILE_BEGIN), 4, POINTER);
    CHECK(ReadFile(file, text, 3, &bytes, NULL) && bytes == 3 && memcmp(text, "456", 3) == 0, READ);
    CHECK_EQ(SetFilePointer(file, -2, NULL, FILE_CURRENT), 5, POINTER);
    CHECK(ReadFile(file, text, sizeof text, &bytes, NULL) && bytes == 5 && memcmp(text, "56789", 5) == 0, READ);
    CHECK_EQ(SetFilePointer(file, -10, NULL, FILE_END), 0, POINTER);
    CHECK_CALL(SetFilePointer(file, -1, NULL, FILE_CURRENT), INVALID_SET_FILE_POINTER, ERROR_NEGATIVE_SEEK, POINTER);
    CHECK_CALL(SetFilePointer(file, 0, NULL, 3), INVALID_SET_FILE_POINTER, ERROR_INVALID_PARAMETER, "choice: no such method");
    CHECK_CALL(SetFilePointer(file, -1, &far_away, FILE_BEGIN), INVALID_SET_FILE_POINTER, 0,
               POINTER ": a position may look like the failure");
    CHECK_EQ(far_away, 1, POINTER);
    to.QuadPart = 6;
    CHECK(SetFilePointerEx(file, to, &at, FILE_BEGIN) && at.QuadPart == 6, "D SetFilePointerEx");
    CHECK(SetEndOfFile(file), "D SetEndOfFile");
    CHECK(GetFileSizeEx(file, &size) && size.QuadPart == 6, "D SetEndOfFile");
    CHECK(FlushFileBuffers(file), "D FlushFileBuffers");
    CHECK_EQ(GetFileType(file), FILE_TYPE_DISK, "D GetFileType");
    CHECK_FALSE(ReadFile(file, text, 1, NULL, NULL), ERROR_NOACCESS, "choice: the count may be left out only with an OVERLAPPED");
    CloseHandle(file);
    CHECK_FALSE(ReadFile(file, text, 1, &bytes, NULL), ERROR_INVALID_HANDLE, READ);
    CHECK_CALL(GetFileSize(file, NULL), INVALID_FILE_SIZE, ERROR_INVALID_HANDLE, SIZE);
}

/* What a file was opened for is all that can be done with it. */
static void rights(void)
{
    HANDLE file = made(0);
    DWORD bytes;
    char text[4];

    CHECK(WriteFile(file, "ab", 2, &bytes, NULL), WRITE);
    CloseHandle(file);
    file = open_with(GENERIC_READ, OPEN_EXISTING, 0);
    CHECK_FALSE(WriteFile(file, "x", 1, &bytes, NULL), ERROR_ACCESS_DENIED, WRITE);
    CHECK_FALSE(SetEndOfFile(file), ERROR_ACCESS_DENIED, "D SetEndOfFile");
    CHECK_FALSE(FlushFileBuffers(file), ERROR_ACCESS_DENIED, "D FlushFileBuffers");
    CloseHandle(file);
    file = open_with(GENERIC_WRITE, OPEN_EXISTING, 0);
    CHECK_FALSE(ReadFile(file, text, 1, &bytes, NULL), ERROR_ACCESS_DENIED, READ);
    CloseHandle(file);
    file = open_with(FILE_APPEND_DATA, OPEN_EXISTING, 0);
    CHECK(WriteFile(file, "cd", 2, &bytes, NULL) && bytes == 2, "D File Access Rights Constants: FILE_APPEND_DATA");
    CHECK_EQ(GetFileSize(file, NULL), 4, "D File Access Rights Constants: FILE_APPEND_DATA");
    CloseHandle(file);
    file = open_with(0, OPEN_EXISTING, 0);
    CHECK_EQ(GetFileSize(file, NULL), 4, CREATE ": no rights are enough to ask");
    CHECK_FALSE(ReadFile(file, text, 1, &bytes, NULL), ERROR_ACCESS_DENIED, READ);
    CloseHandle(file);
    file = open_with(GENERIC_READ, OPEN_EXISTING, FILE_FLAG_DELETE_ON_CLOSE);
    CHECK(GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES, CREATE);
    CloseHandle(file);
    CHECK_EQ(GetFileAttributesA(path), INVALID_FILE_ATTRIBUTES, CREATE ": FILE_FLAG_DELETE_ON_CLOSE");
}

static volatile LONG routine_bytes;

static void WINAPI on_read(DWORD error, DWORD bytes, LPOVERLAPPED ov)
{
    CHECK_EQ(error, 0, "D ReadFileEx");
    CHECK_EQ(ov->Offset, 2, "D ReadFileEx");
    routine_bytes = (LONG)bytes;
}

static void overlapped(void)
{
    HANDLE file = made(FILE_FLAG_OVERLAPPED), port, event = new_event();
    OVERLAPPED ov, *done = NULL;
    DWORD bytes = CHECK_UNSET;
    ULONG_PTR key = 0;
    char text[8];

    CHECK_FALSE(WriteFile(file, "x", 1, &bytes, NULL), ERROR_INVALID_PARAMETER, WRITE ": opened for overlapped I/O");
    ov_init(&ov, event);
    ov.Offset = 2;
    if (!WriteFile(file, "234567", 6, NULL, &ov))
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING, WRITE);
    CHECK(GetOverlappedResult(file, &ov, &bytes, TRUE) && bytes == 6, WRITE);
    CHECK(is_set(event, 0), WRITE);
    CHECK_EQ(GetFileSize(file, NULL), 8, WRITE ": from the place that the OVERLAPPED names");
    ov_init(&ov, event);
    ov.Offset = ov.OffsetHigh = 0xFFFFFFFF;
    if (!WriteFile(file, "89", 2, NULL, &ov))
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING, WRITE);
    CHECK(GetOverlappedResult(file, &ov, &bytes, TRUE) && bytes == 2, WRITE);
    CHECK_EQ(GetFileSize(file, NULL), 10, WRITE ": to the end of the file");
    ov_init(&ov, NULL);
    ov.Offset = 2;
    CHECK(ReadFileEx(file, text, sizeof text, &ov, on_read), "D ReadFileEx");
    CHECK_EQ(SleepEx(CHECK_WAIT_MS, TRUE), WAIT_IO_COMPLETION, "D ReadFileEx");
    CHECK_EQ(routine_bytes, 8, "D ReadFileEx");
    CHECK(memcmp(text, "23456789", 8) == 0, "D ReadFileEx");

    port = CreateIoCompletionPort(file, NULL, 77, 0);
    REQUIRE(port != NULL);
    ov_init(&ov, NULL);
    ov.Offset = 6;
    if (!ReadFile(file, text, sizeof text, NULL, &ov))
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING, READ);
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &done, CHECK_WAIT_MS), "D GetQueuedCompletionStatus");
    CHECK(done == &ov && key == 77 && bytes == 4 && memcmp(text, "6789", 4) == 0, READ ": what the file has");
    ov_init(&ov, NULL);
    ov.Offset = 10;
    if (!ReadFile(file, text, sizeof text, &bytes, &ov) && GetLastError() == ERROR_IO_PENDING)
        CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &done, CHECK_WAIT_MS), READ);
    CHECK_EQ(GetLastError(), ERROR_HANDLE_EOF, READ ": behind the end, with an OVERLAPPED");
    CHECK_FALSE(CancelIoEx(file, NULL), ERROR_NOT_FOUND, "D CancelIoEx");
    CloseHandle(file);
    CloseHandle(port);

    file = open_with(GENERIC_READ, OPEN_EXISTING, FILE_FLAG_DELETE_ON_CLOSE);
    CHECK_FALSE(CreateIoCompletionPort(file, NULL, 0, 0) != NULL, ERROR_INVALID_PARAMETER,
                "D CreateIoCompletionPort: opened for overlapped I/O");
    ov_init(&ov, NULL);
    ov.Offset = 3;
    CHECK(ReadFile(file, text, 4, &bytes, &ov) && bytes == 4 && memcmp(text, "3456", 4) == 0,
          READ ": an OVERLAPPED on a file that was not opened for it");
    CHECK(ReadFile(file, text, 2, &bytes, NULL) && bytes == 2 && memcmp(text, "78", 2) == 0, READ ": the system updates the pointer");
    CloseHandle(file);
    CloseHandle(event);
}

/* No handle of one kind passes for another. */
static void kinds(void)
{
    HANDLE file = made(FILE_FLAG_DELETE_ON_CLOSE);
    SOCKET s = tcp_socket();
    DWORD bytes;

    CHECK_FAIL(send((SOCKET)file, "x", 1, 0), WSAENOTSOCK, "D send");
    CHECK_FAIL(closesocket((SOCKET)file), WSAENOTSOCK, "D closesocket");
    CHECK_EQ(GetFileType((HANDLE)s), FILE_TYPE_PIPE, "D GetFileType: a socket");
    CHECK_CALL(GetFileType(NULL), FILE_TYPE_UNKNOWN, ERROR_INVALID_HANDLE, "D GetFileType");
    CHECK_CALL(GetFileSize((HANDLE)s, NULL), INVALID_FILE_SIZE, ERROR_INVALID_HANDLE, "choice: a socket has no length");
    CHECK_FALSE(WriteFile(file, (const char *)16, 4, &bytes, NULL), ERROR_NOACCESS, "choice: memory that is not there");
    CHECK_FALSE(CreateFileW(NULL, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) != INVALID_HANDLE_VALUE, ERROR_NOACCESS,
                "choice: a name that is not there");
    closesocket(s);
    CloseHandle(file);
}

/* Names in UTF-16, and with the separators of Windows. */
static void names(void)
{
    WCHAR wide[sizeof path + 1];
    char turned[sizeof path];
    HANDLE file;
    size_t i;

    REQUIRE(MultiByteToWideChar(CP_ACP, 0, path, -1, wide, sizeof path) > 0);
    file = CreateFileW(wide, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CloseHandle(file);
    for (i = 0; i < sizeof path; i++)
        turned[i] = path[i] == '/' ? '\\' : path[i];
    CHECK(GetFileAttributesA(turned) != INVALID_FILE_ATTRIBUTES, "D Naming Files, Paths, and Namespaces");
    CHECK(GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES, "D GetFileAttributesW");
    CHECK_EQ(GetTempPathW(sizeof wide / sizeof wide[0], wide + 1), GetTempPathA(sizeof turned, turned), "D GetTempPathW");
    CHECK(wide[1] == (WCHAR)turned[0], "D GetTempPathW");
    REQUIRE(MultiByteToWideChar(CP_ACP, 0, path, -1, wide, sizeof path) > 0);
    CHECK(DeleteFileW(wide), "D DeleteFileW");
    CHECK_EQ(GetFileAttributesA(path), INVALID_FILE_ATTRIBUTES, "D DeleteFileW");
}

int main(void)
{
    check_begin("files");
    choose_path();
    dispositions();
    positions();
    rights();
    overlapped();
    kinds();
    names();
    return check_end();
}
