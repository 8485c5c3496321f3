/*
 * crt_headers.c - headers of the compiler and its C runtime that socket programs include in passing.
 */
#include "check.h"
#include <crtdbg.h>
#include <direct.h>
#include <errno.h>
#include <intrin.h>
#include <io.h>
#include <mmsystem.h>
#include <process.h>
#include <sdkddkver.h>
#include <strsafe.h>
#include <sys/stat.h>
#include <sys/locking.h>

/* The Microsoft C runtime has none of that name, so programs define their own. */
static unsigned arc4random(void)
{
    return 4;
}

static void arc4random_buf(char *to, unsigned n)
{
    memset(to, (int)arc4random(), n);
}

static void names_of_the_program(void)
{
    char to[2] = "";

    arc4random_buf(to, 1);
    CHECK(to[0] == 4 && to[1] == 0, "choice: what Windows' C runtime has not may be the program's");
}

static void safe_strings(void)
{
    char to[8] = "former";
    WCHAR wide[4] = {'x', 0};
    size_t length = 77;

    CHECK_EQ(StringCchCopyA(to, 8, "1234567"), S_OK, "D StringCchCopy");
    CHECK(strcmp(to, "1234567") == 0, "D StringCchCopy");
    CHECK_EQ(StringCchCopyA(to, 4, "abcd"), STRSAFE_E_INSUFFICIENT_BUFFER, "D StringCchCopy: too small");
    CHECK(strcmp(to, "abc") == 0 && to[4] == '5', "D StringCchCopy: cut off, with a zero");
    CHECK_EQ(StringCchCopyA(to, 0, "a"), STRSAFE_E_INVALID_PARAMETER, "D StringCchCopy: no room");
    CHECK_EQ(StringCchCopyA(to, (size_t)STRSAFE_MAX_CCH + 1, "a"), STRSAFE_E_INVALID_PARAMETER, "D StringCchCopy");
    CHECK_EQ(StringCchCopyNA(to, 8, "xyz", 2), S_OK, "D StringCchCopyN");
    CHECK(strcmp(to, "xy") == 0, "D StringCchCopyN");
    CHECK_EQ(StringCchCatA(to, 8, "345"), S_OK, "D StringCchCat");
    CHECK(strcmp(to, "xy345") == 0, "D StringCchCat");
    CHECK_EQ(StringCchCatA(to, 8, "6789"), STRSAFE_E_INSUFFICIENT_BUFFER, "D StringCchCat: too small");
    CHECK(strcmp(to, "xy34567") == 0, "D StringCchCat: cut off, with a zero");
    CHECK_EQ(StringCchLengthA(to, 8, &length), S_OK, "D StringCchLength");
    CHECK_EQ(length, 7, "D StringCchLength");
    CHECK_EQ(StringCchLengthA(to, 7, &length), STRSAFE_E_INVALID_PARAMETER, "D StringCchLength: no zero");
    CHECK_EQ(StringCchLengthA(NULL, 7, NULL), STRSAFE_E_INVALID_PARAMETER, "D StringCchLength: no string");
    CHECK_EQ(StringCchPrintfA(to, 8, "%d-%s", 12, "ab"), S_OK, "D StringCchPrintf");
    CHECK(strcmp(to, "12-ab") == 0, "D StringCchPrintf");
    CHECK_EQ(StringCbPrintfA(to, 4, "%s", "1234"), STRSAFE_E_INSUFFICIENT_BUFFER, "D StringCbPrintf");
    CHECK(strcmp(to, "123") == 0, "D StringCbPrintf: cut off, with a zero");
    CHECK_EQ(StringCbCopyW(wide, sizeof wide, u"abc"), S_OK, "D StringCbCopy: the size in bytes");
    CHECK(lstrcmpW(wide, u"abc") == 0, "D StringCbCopy");
    CHECK_EQ(StringCbCopyW(wide, sizeof wide - 1, u"123"), STRSAFE_E_INSUFFICIENT_BUFFER, "D StringCbCopy");
    CHECK(lstrcmpW(wide, u"12") == 0, "D StringCbCopy: cut off, with a zero");
    CHECK(StringCbLengthW(wide, sizeof wide, &length) == S_OK && length == 4, "D StringCbLength: in bytes");
    CHECK_EQ(StringCchCatNW(wide, 4, u"345", 1), S_OK, "D StringCchCatN");
    CHECK(lstrcmpW(wide, u"123") == 0, "D StringCchCatN");
}

static void intrinsics(void)
{
    unsigned long at = 99;

    CHECK(_BitScanForward(&at, 0x8010) && at == 4, "D _BitScanForward: the lowest");
    CHECK(_BitScanReverse(&at, 0x8010) && at == 15, "D _BitScanReverse: the highest");
    CHECK(!_BitScanForward(&at, 0) && !_BitScanReverse(&at, 0), "D _BitScanForward: none");
    CHECK(_BitScanForward64(&at, 1ULL << 40) && at == 40, "D _BitScanForward64");
    CHECK(_BitScanReverse64(&at, 3ULL << 62) && at == 63, "D _BitScanReverse64");
    CHECK_EQ(_byteswap_ushort(0x1234), 0x3412, "D _byteswap_ushort");
    CHECK_EQ(_byteswap_ulong(0x12345678), 0x78563412, "D _byteswap_ulong");
    CHECK(_byteswap_uint64(0x0102030405060708ULL) == 0x0807060504030201ULL, "D _byteswap_uint64");
#if defined(__x86_64__)
    (void)__rdtsc(); /* it compiles: what it counts no two machines agree on */
    _mm_pause();
#endif
    _ReadWriteBarrier();
}

static void numbers_and_strings(void)
{
    char text[70], word[] = "AbC-12z";

    CHECK(strcmp(_i64toa(-9223372036854775807LL - 1, text, 10), "-9223372036854775808") == 0, "D _i64toa");
    CHECK(strcmp(_i64toa(-1, text, 16), "ffffffffffffffff") == 0, "D _i64toa: negative in base 10 only");
    CHECK(strcmp(_ui64toa(18446744073709551615ULL, text, 10), "18446744073709551615") == 0, "D _ui64toa");
    CHECK(strlen(_ui64toa(18446744073709551615ULL, text, 2)) == 64, "D _ui64toa");
    CHECK(strcmp(_ultoa(4294967295u, text, 10), "4294967295") == 0, "D _ultoa");
    CHECK(strcmp(_ltoa(-5, text, 10), "-5") == 0, "D _ltoa");
    CHECK_EQ(_strtoi64("-77x", NULL, 10), -77, "D _strtoi64");
    CHECK_EQ(_wtoi(u" -42x"), -42, "D _wtoi");
    CHECK_EQ(_wtoi(u"-2147483648"), -2147483647 - 1, "D _wtoi");
    CHECK(strcmp(_strlwr(word), "abc-12z") == 0, "D _strlwr");
    CHECK(strcmp(_strupr(word), "ABC-12Z") == 0, "D _strupr");
    CHECK(strcmp(_strrev(word), "Z21-CBA") == 0, "D _strrev");
    strcpy(text, "ab");
    CHECK(strcmp(_strrev(text), "ba") == 0 && strcmp(_strrev(text + 2), "") == 0, "D _strrev");
}

static void memory(void)
{
    size_t alignment;

    for (alignment = 1; alignment <= 4096; alignment *= 2) {
        char *block = _aligned_malloc(100, alignment);

        REQUIRE(block != NULL);
        CHECK_EQ((size_t)block % alignment, 0, "D _aligned_malloc");
        memset(block, 1, 100);
        _aligned_free(block);
    }
    _aligned_free(NULL);
#ifndef __MINGW32__
    CHECK(_aligned_malloc(10, 3) == NULL && _aligned_malloc((size_t)-1, 16) == NULL, "D _aligned_malloc: refused");
#endif
}

static void files(void)
{
    char here[600], back[4] = "";
    int fd = _open("crt_headers.tmp", _O_CREAT | _O_TRUNC | _O_RDWR | _O_BINARY, _S_IREAD | _S_IWRITE);

    REQUIRE(fd >= 0);
    CHECK_EQ(_write(fd, "abc", 3), 3, "D _write");
    CHECK_EQ(_lseeki64(fd, 1, SEEK_SET), 1, "D _lseeki64");
    CHECK_EQ(_read(fd, back, 4), 2, "D _read");
    CHECK(strcmp(back, "bc") == 0, "D _read");
    CHECK_EQ(_isatty(fd), 0, "D _isatty");
    CHECK_EQ(_close(fd), 0, "D _close");
    CHECK_EQ(_access("crt_headers.tmp", 0), 0, "D _access: it exists");
    CHECK_EQ(_unlink("crt_headers.tmp"), 0, "D _unlink");
    CHECK(_access("crt_headers.tmp", 0) != 0, "D _access: it does not");
    CHECK(_getcwd(here, sizeof here) == here && here[0] != 0, "D _getcwd");
    CHECK(_mkdir("crt_headers.dir") == 0 && _chdir("crt_headers.dir") == 0 && _chdir(here) == 0, "D _mkdir, _chdir");
    CHECK_EQ(_rmdir("crt_headers.dir"), 0, "D _rmdir");
    CHECK_EQ(_getpid(), (int)GetCurrentProcessId(), "D _getpid");
}

static void debugging(void)
{
    int evaluated = 0;

    _CrtSetDbgFlag(_CRTDBG_ALLOC_MEM_DF | _CRTDBG_LEAK_CHECK_DF);
    _CrtSetReportMode(_CRT_ASSERT, _CRTDBG_MODE_FILE);
    _ASSERT(++evaluated);
    _ASSERTE(++evaluated);
    CHECK_EQ(evaluated, 0, "D _ASSERT: nothing without _DEBUG");
    CHECK(_CrtCheckMemory(), "D _CrtCheckMemory");
    CHECK(_WIN32_WINNT >= _WIN32_WINNT_WIN7, "D sdkddkver.h");
    CHECK(timeBeginPeriod(1) == TIMERR_NOERROR && timeEndPeriod(1) == TIMERR_NOERROR, "D timeBeginPeriod");
}

static void status_of_files(void)
{
    struct _stat status;
    int file = _open("crt_headers.tmp", _O_CREAT | _O_TRUNC | _O_RDWR | _O_BINARY, _S_IREAD | _S_IWRITE);

    CHECK(file >= 0 && _write(file, "12345", 5) == 5, "D _write");
    CHECK(_fstat(file, &status) == 0 && status.st_size == 5, "D _fstat");
    _close(file);
    CHECK(_stat("crt_headers.tmp", &status) == 0 && (status.st_mode & _S_IFMT) == _S_IFREG, "D _stat");
    CHECK(_stat(".", &status) == 0 && (status.st_mode & _S_IFDIR) != 0, "D _stat");
    CHECK_EQ(_unlink("crt_headers.tmp"), 0, "D _unlink");
    CHECK(_stat("crt_headers.tmp", &status) == -1 && errno == ENOENT, "D _stat");
    CHECK_EQ(_LK_NBLCK, 2, "D _locking");
}

int main(void)
{
    check_begin("crt_headers");
    names_of_the_program();
    safe_strings();
    intrinsics();
    numbers_and_strings();
    memory();
    files();
    debugging();
    status_of_files();
    return check_end();
}
