/*
 * crt.c - names of the Microsoft C runtime that socket programs use in passing.
 */
#include "check.h"
#include <errno.h>
#include <stdarg.h>
#include <malloc.h>
#include <fcntl.h>
#include <io.h>
#include <sys/stat.h>
#include <time.h>
#include <sys/timeb.h>
#ifndef RtlGenRandom
#include <ntsecapi.h>
#endif

static const char *const D = "D security-enhanced versions of CRT functions";

static void copies(void)
{
    char to[8] = "former";

    CHECK_EQ(strcpy_s(to, sizeof to, "1234567"), 0, D);
    CHECK(strcmp(to, "1234567") == 0, D);
    CHECK_EQ(strcpy_s(to, 4, "1234"), ERANGE, D);
    CHECK(to[0] == 0 && to[1] == '2', "D strcpy_s: the first octet is 0, and nothing is written behind the size");
    CHECK_EQ(strcpy_s(to, 0, "1"), EINVAL, D);
    CHECK_EQ(strcpy_s(NULL, 4, "1"), EINVAL, D);
    CHECK_EQ(strcpy_s(to, sizeof to, NULL), EINVAL, D);

    CHECK_EQ(strncpy_s(to, sizeof to, "1234567890", 3), 0, D);
    CHECK(strcmp(to, "123") == 0, D);
    CHECK_EQ(strncpy_s(to, sizeof to, "1234567890", 8), ERANGE, D);
    CHECK_EQ(to[0], 0, D);
    CHECK_EQ(strncpy_s(to, sizeof to, "1234567890", _TRUNCATE), STRUNCATE, D);
    CHECK(strcmp(to, "1234567") == 0, D);
    CHECK_EQ(strncpy_s(to, sizeof to, "12", _TRUNCATE), 0, D);

    CHECK_EQ(strcat_s(to, sizeof to, "345"), 0, D);
    CHECK(strcmp(to, "12345") == 0, D);
    CHECK_EQ(strncat_s(to, sizeof to, "6789", 2), 0, D);
    CHECK(strcmp(to, "1234567") == 0, D);
    CHECK_EQ(strcat_s(to, sizeof to, "8"), ERANGE, D);
    CHECK_EQ(to[0], 0, D);
    memset(to, 'x', sizeof to);
    CHECK_EQ(strcat_s(to, sizeof to, "8"), EINVAL, "D strcat_s: the buffer holds no string");
}

static void memory(void)
{
    char to[4] = "abc";

    CHECK_EQ(memcpy_s(to, sizeof to, "xyz", 4), 0, D);
    CHECK(memcmp(to, "xyz", 4) == 0, D);
    CHECK_EQ(memcpy_s(to, 2, "123", 3), ERANGE, D);
    CHECK(memcmp(to, "\0\0z", 4) == 0, "D memcpy_s: the destination is zeroed");
    CHECK_EQ(memcpy_s(NULL, 2, "123", 1), EINVAL, D);
    CHECK_EQ(memcpy_s(NULL, 2, NULL, 0), 0, D);
    CHECK_EQ(memmove_s(to + 1, 3, to, 3), 0, D);
    CHECK(memcmp(to, "\0\0\0z", 4) == 0, D);
    CHECK_EQ(memmove_s(to, 1, to + 1, 3), ERANGE, D);
}

static void prints(void)
{
    char to[6];

    CHECK_EQ(sprintf_s(to, sizeof to, "%d-%s", 12, "ab"), 5, D);
    CHECK(strcmp(to, "12-ab") == 0, D);
    CHECK_EQ(sprintf_s(to, sizeof to, "%d-%s", 12, "abc"), -1, D);
    CHECK_EQ(to[0], 0, D);
    CHECK_EQ(_snprintf_s(to, sizeof to, _TRUNCATE, "%s", "1234567"), -1, "D _snprintf_s: _TRUNCATE");
    CHECK(strcmp(to, "12345") == 0, D);
    CHECK_EQ(_snprintf_s(to, sizeof to, 3, "%s", "1234567"), -1, "D _snprintf_s: count");
    CHECK(strcmp(to, "123") == 0, D);
    CHECK_EQ(_snprintf_s(to, sizeof to, 3, "%s", "12"), 2, D);
    CHECK_EQ(_snprintf_s(to, sizeof to, sizeof to, "%s", "1234567"), -1, D);
    CHECK_EQ(to[0], 0, D);
}

static int length_of(const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = _vscprintf(format, arguments);
    va_end(arguments);
    return length;
}

static void others(void)
{
    char words[] = "one two", number[34], *rest = NULL;
    time_t then = 0;
    struct tm tm;
    FILE *file = stdin;

    CHECK(strcmp(strtok_s(words, " ", &rest), "one") == 0, D);
    CHECK(strcmp(strtok_s(NULL, " ", &rest), "two") == 0, D);
    CHECK_EQ(gmtime_s(&tm, &then), 0, D);
    CHECK_EQ(tm.tm_year, 70, D);
    CHECK_EQ(fopen_s(&file, "/nowhere/at/all", "r"), ENOENT, D);
    CHECK(file == NULL, D);
    CHECK_EQ(stricmp("Content", "cONTENT"), 0, "D stricmp");
    CHECK_EQ(strnicmp("Content", "cONsist", 3), 0, "D strnicmp");
    CHECK(strcmp(itoa(-2147483647 - 1, number, 10), "-2147483648") == 0, "D itoa");
    CHECK(strcmp(itoa(-1, number, 16), "ffffffff") == 0, "D itoa: negative in base 10 only");
    CHECK(strcmp(itoa(0, number, 2), "0") == 0, "D itoa");
    CHECK_EQ(_itoa_s(-12, number, 4, 10), 0, "D _itoa_s");
    CHECK(strcmp(number, "-12") == 0, "D _itoa_s");
    CHECK_EQ(_itoa_s(-12, number, 3, 10), ERANGE, "D _itoa_s");
    CHECK_EQ(number[0], 0, "D _itoa_s");
    CHECK_EQ(_itoa_s(1, number, 3, 1), EINVAL, "D _itoa_s: radix");
    CHECK_EQ(length_of("%d-%s", 12, "abc"), 6, "D _vscprintf: without the zero");
    CHECK_EQ(_scprintf("%5d", 1), 5, "D _scprintf");
    ZeroMemory(number, sizeof number);
    CHECK_EQ(number[1], 0, "D ZeroMemory");
}

/* As programs do that have functions of their own for it. */
#define snprintf nobody_has_this
#define vsnprintf nobody_has_this_either
static int printed(char *to, size_t size, const char *format, ...)
{
    int (*print)(char *, size_t, const char *, ...) = _snprintf;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = _vsnprintf(to, size, format, arguments);
    va_end(arguments);
    return length == print(to + length, size - (size_t)length, "%s", "!") + 1 ? length : -1;
}
#undef snprintf
#undef vsnprintf

static void scans(void)
{
    static const char *const S = "D sscanf_s";
    char word[8] = "former", set[4], two[2];
    int a = 0, b = 0, behind = 0;
    long long large = 0;
    unsigned short small = 0;
    double real = 0;

    CHECK_EQ(sscanf_s("12 34", "%d %d", &a, &b), 2, S);
    CHECK(a == 12 && b == 34, S);
    CHECK_EQ(sscanf_s("key=value;5", "%7[^=]=%d", word, (unsigned)sizeof word, &a), 1, "D sscanf_s: it ends where nothing fits");
    CHECK(strcmp(word, "key") == 0 && a == 12, S);
    CHECK_EQ(sscanf_s("1234567 x", "%s %c", word, (unsigned)sizeof word, two, 1u), 2, "D sscanf_s: the size follows");
    CHECK(strcmp(word, "1234567") == 0 && two[0] == 'x', "D sscanf_s: with the zero, which %c has not");
    CHECK_EQ(sscanf_s("5 12345678 6", "%d %s %d", &a, word, (unsigned)sizeof word, &b), 1, "D sscanf_s: it does not fit");
    CHECK(a == 5 && b == 34 && word[0] == 0 && word[1] == '2', "D sscanf_s: nothing is stored; choice: an empty text");
    CHECK_EQ(sscanf_s("abcd", "%2c", two, 2u), 1, S);
    CHECK(two[0] == 'a' && two[1] == 'b', S);
    CHECK_EQ(sscanf_s("abcd", "%3c", two, 2u), 0, "D sscanf_s: it does not fit");
    CHECK_EQ(sscanf_s("]]-x", "%[]-]%n", set, (unsigned)sizeof set, &behind), 1, "D scanf width: a bracket that comes first");
    CHECK(strcmp(set, "]]-") == 0 && behind == 3, "D sscanf_s: %n");
    CHECK_EQ(sscanf_s("1 2 3", "%*d %*s %d%n", &a, &behind), 1, "D sscanf_s: * stores nothing");
    CHECK(a == 3 && behind == 5, S);
    CHECK_EQ(sscanf_s("12345678901 65535 1.5", "%I64d %hu %lf", &large, &small, &real), 3, S);
    CHECK(large == 12345678901LL && small == 65535 && real == 1.5, "D scanf size prefixes: I64");
    CHECK_EQ(sscanf_s("7fffffff0 10%", "%9I64x %I32d%%%n", &large, &a, &behind), 2, S);
    CHECK(large == 0x7fffffff0LL && a == 10, "D scanf size prefixes: I64, I32");
    CHECK_EQ(sscanf_s("", "%d", &a), EOF, "D sscanf_s: EOF before the first conversion");
    CHECK_EQ(sscanf_s("  ", "%s", word, (unsigned)sizeof word), EOF, "D sscanf_s: EOF before the first conversion");
    CHECK_EQ(sscanf_s("x", "%d", &a), 0, S);
    CHECK_EQ(sscanf_s("1", "%d %d", &a, &b), 1, S);
#ifndef __MINGW32__
    CHECK_EQ(sscanf_s("1 x", "%d %ls", &a, word, (unsigned)sizeof word), 1, "choice: wide texts are not read");
#endif
    CHECK_EQ(sscanf_s(NULL, "%d", &a), EOF, "D sscanf_s: a NULL pointer");
}

/* As programs do that have wrappers of their own around the C library's functions. */
#define open(path, flags) nobody_has_this
#define stat(path, buffer) nobody_has_this
#define access nobody_has_this
#define unlink nobody_has_this
#define strdup nobody_has_this
static void behind_wrappers(void)
{
    struct _stat known;
    int fd = _open("crt.tmp", _O_CREAT | _O_TRUNC | _O_RDWR | _O_BINARY, _S_IREAD | _S_IWRITE);
    char *copy = _strdup("text");

    REQUIRE(fd >= 0 && _write(fd, "12345", 5) == 5);
    CHECK_EQ(_lseeki64(fd, 0, SEEK_CUR), 5, "D _lseeki64");
    CHECK_EQ(_dup2(fd, 100), 0, "D _dup2: 0 for success");
    CHECK(_close(100) == 0 && _close(fd) == 0, "D _close");
    CHECK(_stat("crt.tmp", &known) == 0 && known.st_size == 5 && known.st_mtime > 0, "D _stat");
    CHECK_EQ(_access("crt.tmp", 0), 0, "D _access");
    fd = _open("crt.tmp", _O_RDONLY);
    CHECK(fd >= 0 && _fstat(fd, &known) == 0 && known.st_size == 5, "D _fstat");
    CHECK(_close(fd) == 0 && _unlink("crt.tmp") == 0, "D _unlink");
    CHECK(_stat("crt.tmp", &known) == -1 && errno == ENOENT, "D _stat");
    CHECK(copy != NULL && strcmp(copy, "text") == 0, "D _strdup");
    free(copy);
    CHECK(_sys_nerr > ENOENT && strstr(_sys_errlist[ENOENT], "No such file") != NULL, "D _sys_errlist");
    for (fd = 0; fd < _sys_nerr && _sys_errlist[fd] != NULL && _sys_errlist[fd][0] != 0; fd++)
        ;
    CHECK_EQ(fd, _sys_nerr, "D _sys_errlist: _sys_nerr texts");
}
#undef open
#undef stat
#undef access
#undef unlink
#undef strdup

static void randomness(void)
{
    unsigned first = 0, second = 0, n;
    BYTE octets[600], zero = 0;

    CHECK_EQ(rand_s(NULL), EINVAL, "D rand_s: no pointer");
    CHECK_EQ(rand_s(&first), 0, "D rand_s");
    /* Two that are equal come once in 2^32 times; ten pairs in a row never. */
    for (n = 0; n < 10 && (second == first || n == 0); n++)
        CHECK_EQ(rand_s(&second), 0, "D rand_s");
    CHECK(first != second, "D rand_s: unpredictable");
    ZeroMemory(octets, sizeof octets);
    CHECK_EQ(RtlGenRandom(octets, sizeof octets), TRUE, "D RtlGenRandom");
    for (n = 500; n < sizeof octets && octets[n] == 0; n++)
        ;
    CHECK(n < sizeof octets, "D RtlGenRandom: up to the end of the buffer");
    CHECK_EQ(RtlGenRandom(&zero, 0), TRUE, "D RtlGenRandom");
    CHECK_EQ(zero, 0, "D RtlGenRandom: nothing beyond the length");
#ifndef __MINGW32__
    CHECK_FALSE(RtlGenRandom((PVOID)16, 4), ERROR_NOACCESS, "choice: an error, and no crash");
#endif
}

static void clocks(void)
{
    struct _timeb now;
    time_t before = time(NULL), then = 0;
    char text[26];
    struct tm tm = {0};

    _ftime(&now);
    CHECK(now.time >= before && now.time <= time(NULL), "D _ftime: seconds since 1970");
    CHECK(now.millitm < 1000, "D _ftime: the fraction in milliseconds");
    CHECK_EQ(_ftime_s(&now), 0, "D _ftime_s");
    CHECK_EQ(ctime_s(text, sizeof text, &then), 0, "D ctime_s");
    CHECK_EQ(strlen(text), 25, "D ctime_s: 26 characters with the zero");
    CHECK_EQ(ctime_s(text, 25, &then), EINVAL, "D ctime_s: less than 26");
    tm.tm_year = 70;
    tm.tm_mday = 2;
    CHECK_EQ(_mkgmtime(&tm), 86400, "D _mkgmtime: UTC");
}

static int fills(size_t size)
{
    char *stack = (char *)_alloca(size), *block = (char *)_malloca(size);
    int ok = block != NULL;

    memset(stack, 1, size);
    if (ok)
        memset(block, 2, size);
    ok = ok && stack[size - 1] == 1 && block[size - 1] == 2;
    _freea(block);
    return ok;
}

static void blocks(void)
{
    CHECK(fills(1), "D _alloca, _malloca");
    CHECK(fills(40000), "D _malloca: more than _ALLOCA_S_THRESHOLD");
    _freea(NULL);
}

/* The flavours of the interlocked functions that say how they order memory. */
static void flavours(void)
{
    LONG n = 5;
    LONG64 wide = 5;
    PVOID at = &n;

    CHECK_EQ(InterlockedIncrementAcquire(&n), 6, "D InterlockedIncrementAcquire");
    CHECK_EQ(InterlockedDecrementNoFence(&n), 5, "D InterlockedDecrementNoFence");
    CHECK_EQ(InterlockedAddNoFence(&n, 3), 8, "D InterlockedAddNoFence");
    CHECK_EQ(InterlockedExchangeAddRelease(&n, 2), 8, "D InterlockedExchangeAddRelease");
    CHECK_EQ(InterlockedExchangeNoFence(&n, 1), 10, "D InterlockedExchangeNoFence");
    CHECK_EQ(InterlockedCompareExchangeAcquire(&n, 7, 1), 1, "D InterlockedCompareExchangeAcquire");
    CHECK_EQ(InterlockedOrRelease(&n, 8), 7, "D InterlockedOrRelease");
    CHECK_EQ(InterlockedAndAcquire(&n, 12), 15, "D InterlockedAndAcquire");
    CHECK_EQ(InterlockedXorNoFence(&n, 1), 12, "D InterlockedXorNoFence");
    CHECK_EQ(n, 13, "D InterlockedXorNoFence");
    CHECK_EQ(InterlockedIncrementAcquire64(&wide), 6, "D InterlockedIncrementAcquire64");
    CHECK_EQ(InterlockedDecrementRelease64(&wide), 5, "D InterlockedDecrementRelease64");
    CHECK_EQ(InterlockedAddNoFence64(&wide, 1LL << 40), (1LL << 40) + 5, "D InterlockedAddNoFence64");
    CHECK_EQ(InterlockedExchangeAcquire64(&wide, 1), (1LL << 40) + 5, "D InterlockedExchangeAcquire64");
    CHECK_EQ(InterlockedOr64Release(&wide, 1LL << 40), 1, "D InterlockedOr64Release");
    CHECK_EQ(InterlockedCompareExchangeNoFence64(&wide, 0, (1LL << 40) + 1), (1LL << 40) + 1,
             "D InterlockedCompareExchangeNoFence64");
    CHECK_EQ(wide, 0, "D InterlockedCompareExchangeNoFence64");
    CHECK(InterlockedExchangePointerNoFence(&at, NULL) == &n, "D InterlockedExchangePointerNoFence");
    CHECK(InterlockedCompareExchangePointerRelease(&at, &n, NULL) == NULL, "D InterlockedCompareExchangePointerRelease");
    CHECK(at == &n, "D InterlockedCompareExchangePointerRelease");
}

int main(void)
{
    check_begin("crt");
    {
        char text[8];

        CHECK_EQ(printed(text, sizeof text, "%d", 12), 2, "D _vsnprintf, _snprintf");
        CHECK(strcmp(text, "12!") == 0, "D _vsnprintf, _snprintf");
    }
    randomness();
    clocks();
    blocks();
    flavours();
    copies();
    memory();
    prints();
    others();
    behind_wrappers();
    scans();
    return check_end();
}
