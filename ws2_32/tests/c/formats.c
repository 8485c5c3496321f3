/* formats.c - printf and scanf with the sizes of the Microsoft C runtime, and those of the C library. */
#include "check.h"
#include <stdarg.h>
#include <float.h>
#include <strsafe.h>

#define SIZES "D format specification syntax: printf and wprintf functions"
#define SCAN "D scanf width specification"

static char text[512];

static BOOL is(const char *expected)
{
    BOOL same = strcmp(text, expected) == 0;

    if (!same)
        printf("    got \"%s\", expected \"%s\"\n", text, expected);
    memset(text, 0x55, sizeof text);
    return same;
}

static int list(int (*function)(char *, size_t, const char *, va_list), const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = function(text, sizeof text, format, arguments);
    va_end(arguments);
    return length;
}

static int plain_list(const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsprintf(text, format, arguments);
    va_end(arguments);
    return length;
}

static int from_list(const char *from, const char *format, ...)
{
    va_list arguments;
    int count;

    va_start(arguments, format);
    count = vsscanf(from, format, arguments);
    va_end(arguments);
    return count;
}

static void printing(void)
{
    const __int64 big = -1234567890123456789LL;
    const unsigned __int64 huge = 0xfedcba9876543210ULL;
    int (*pointer)(char *, size_t, const char *, ...) = snprintf;

    CHECK_EQ(sprintf(text, "%I64d", big), 20, SIZES);
    CHECK(is("-1234567890123456789"), SIZES);
    CHECK_EQ(snprintf(text, sizeof text, "%I64u %I64x %I64X %I64o", huge, huge, huge, huge), 77, SIZES);
    CHECK(is("18364758544493064720 fedcba9876543210 FEDCBA9876543210 1773345651416625031020"), SIZES);
    CHECK_EQ(snprintf(text, sizeof text, "[%-22I64d] [%022I64d] [%+I64i]", big, big, (__int64)5), 54, SIZES);
    CHECK(is("[-1234567890123456789  ] [-001234567890123456789] [+5]"), SIZES);
    CHECK_EQ(snprintf(text, sizeof text, "%*.*I64d|", 6, 3, (__int64)7), 7, SIZES);
    CHECK(is("   007|"), SIZES);
    CHECK_EQ(snprintf(text, sizeof text, "%I32d %I32u %I32x", -1, 4294967295u, 255u), 16, SIZES);
    CHECK(is("-1 4294967295 ff"), SIZES);
    CHECK_EQ(snprintf(text, sizeof text, "%Id %Iu %Ix", (INT_PTR)-1, ~(SIZE_T)0, (SIZE_T)16), 26, SIZES);
    CHECK(is("-1 18446744073709551615 10"), SIZES);
    CHECK_EQ(pointer(text, sizeof text, "%I64d", big), 20, "choice: the name is the function's");
    CHECK(is("-1234567890123456789"), SIZES);
    CHECK_EQ(snprintf(text, 5, "%I64d", big), 20, "C11 7.21.6.5: the length that it would have");
    CHECK(is("-123"), "C11 7.21.6.5");
    CHECK(snprintf(NULL, 0, "%I64d", (__int64)7) < 64, "choice: no compiler takes 64 for a width");
    CHECK_EQ(plain_list("%d %I64d %s", 1, big, "end"), 26, SIZES);
    CHECK(is("1 -1234567890123456789 end"), SIZES);
    CHECK_EQ(list(vsnprintf, "%I64d/%I64d", big, (__int64)1), 22, SIZES);
    CHECK(is("-1234567890123456789/1"), SIZES);
    CHECK_EQ(list(_vsnprintf, "%I64d", (__int64)12), 2, SIZES);
    CHECK(is("12"), SIZES);
    CHECK_EQ(_snprintf(text, sizeof text, "%I64d", big), 20, SIZES);
    CHECK(is("-1234567890123456789"), SIZES);
    CHECK_EQ(sprintf_s(text, sizeof text, "%I64u;%Iu", huge, (SIZE_T)3), 22, SIZES);
    CHECK(is("18364758544493064720;3"), SIZES);
    CHECK_EQ(_snprintf_s(text, sizeof text, _TRUNCATE, "%I64d", big), 20, SIZES);
    CHECK(is("-1234567890123456789"), SIZES);
    CHECK_EQ(_scprintf("%I64d", big), 20, SIZES);
    CHECK_EQ(StringCchPrintfA(text, sizeof text, "%I64x", huge), S_OK, SIZES);
    CHECK(is("fedcba9876543210"), SIZES);
}

/* Texts of WCHAR among other arguments, and narrow ones by their sizes. */
static void texts(void)
{
    static const WCHAR wide[] = {'w', 'i', 'd', 'e', 0}, unended[] = {'a', 'b'};

    CHECK_EQ(snprintf(text, sizeof text, "%ws|%7ws|%-6wS|%wc", wide, wide, wide, 'x'), 21, SIZES);
    CHECK(is("wide|   wide|wide  |x"), SIZES);
    CHECK_EQ(snprintf(text, sizeof text, "%.2ws %.*ws %.*ws %.ws|", unended, 1, unended, -1, wide, unended), 11, SIZES);
    CHECK(is("ab a wide |"), "D: printf precision: the characters that are printed");
    CHECK_EQ(snprintf(text, sizeof text, "%hs %hS %hc%hC", "narrow", "too", 'a', 'b'), 13, SIZES);
    CHECK(is("narrow too ab"), SIZES);
    CHECK_EQ(snprintf(text, sizeof text, "%d %f %ws %d %Lf %f %d %ws %I64d %d %Lf %ws %.1f%% %s", 1, 0.5, wide, 2, 2.5L, 1.5, 3,
                      wide, (__int64)4, 5, 3.5L, wide, 9.5, "end"), 69, SIZES);
    CHECK(is("1 0.500000 wide 2 2.500000 1.500000 3 wide 4 5 3.500000 wide 9.5% end"), SIZES);
    /* More than the registers hold, of each kind. */
    CHECK_EQ(snprintf(text, sizeof text, "%.0f%.0f%.0f%.0f%.0f%.0f%.0f%.0f%.0Lf%.0f%d%.0Lf%ws%d%d%d%d%d%d%ws%.0Lf%ws", 1., 2., 3.,
                      4., 5., 6., 7., 8., 9.L, 1., 2, 3.L, wide, 4, 5, 6, 7, 8, 9, wide, 1.L, wide), 31, SIZES);
    CHECK(is("123456789123wide456789wide1wide"), SIZES);
    CHECK_EQ(list(vsnprintf, "%d %ws %ws", 1, wide, wide), 11, SIZES);
    CHECK(is("1 wide wide"), SIZES);
    CHECK_EQ(sprintf_s(text, sizeof text, "%ws", wide), 4, SIZES);
    CHECK(is("wide"), SIZES);
    CHECK_EQ(snprintf(text, sizeof text, "%d%%%y %ws", 1, wide), 9, "choice: what is no conversion stands");
    CHECK(is("1%%y wide"), "choice: and takes no argument");
    CHECK(snprintf(text, sizeof text, "%ws", (WCHAR *)NULL) == 6, "choice: no text");
    CHECK(is("(null)"), "choice: as of %s");
    CHECK_EQ(snprintf(text, sizeof text, "%5%I64d|"), 6, "choice: the second one ends the conversion");
    CHECK(is("%I64d|"), "choice: and begins none");
}

/* What the C library's formats say goes on, however many arguments there are and of whatever kind. */
static void the_rest(void)
{
    long double wide = 2.5L;

    CHECK_EQ(snprintf(text, sizeof text, "INFO: 100%% %%I64d I64 %s%c", "x", 'I'), 23, SIZES);
    CHECK(is("INFO: 100% %I64d I64 xI"), SIZES);
    CHECK_EQ(snprintf(text, sizeof text, "%d %f %d %f %d %f %d %f %d %f %d %f %d %f %d %f %d %f %I64d %f", 1, 1.5, 2, 2.5, 3,
                      3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5, (__int64)10, 10.5), 111, SIZES);
    CHECK(is("1 1.500000 2 2.500000 3 3.500000 4 4.500000 5 5.500000 6 6.500000 7 7.500000 8 8.500000 9 9.500000 10 "
             "10.500000"), SIZES);
    CHECK_EQ(snprintf(text, sizeof text, "%Lf %I64d %g %hhd %ld %zu", wide, (__int64)-3, 0.25, 1, -5L, (size_t)6), 23,
             "C11 7.21.6.1");
    CHECK(is("2.500000 -3 0.25 1 -5 6"), "C11 7.21.6.1");
    CHECK_EQ(snprintf(text, sizeof text, "no conversion"), 13, "C11 7.21.6.1");
    CHECK(is("no conversion"), "C11 7.21.6.1");
}

static void streams(void)
{
    FILE *file = tmpfile();
    __int64 one = 0, two = 0;

    REQUIRE(file != NULL);
    CHECK_EQ(fprintf(file, "%I64d %I64x\n", (__int64)-42, (__int64)255), 7, SIZES);
    rewind(file);
    CHECK_EQ(fscanf(file, "%I64d %I64x", &one, &two), 2, SCAN);
    CHECK_EQ(one, -42, SCAN);
    CHECK_EQ(two, 255, SCAN);
    fclose(file);
    CHECK_EQ(printf("%I64d\n", (__int64)1234567890123LL), 14, SIZES);
}

static void reading(void)
{
    struct {
        __int64 big;
        int guard;
    } wide = {0, 77};
    struct {
        int small;
        int guard;
    } narrow = {0, 77};
    char set[16];
    WCHAR units[12];
    SIZE_T size = 0;

    CHECK_EQ(sscanf("-1234567890123456789", "%I64d", &wide.big), 1, SCAN);
    CHECK_EQ(wide.big, -1234567890123456789LL, SCAN);
    CHECK_EQ(wide.guard, 77, SCAN);
    CHECK_EQ(sscanf("-12", "%I32d", &narrow.small), 1, SCAN);
    CHECK_EQ(narrow.small, -12, SCAN);
    CHECK_EQ(narrow.guard, 77, SCAN);
    CHECK_EQ(sscanf("ff 9", "%Ix %I64d", &size, &wide.big), 2, SCAN);
    CHECK_EQ(size, 255, SCAN);
    CHECK_EQ(sscanf("1 2 3", "%*I64d %3I64d", &wide.big), 1, SCAN);
    CHECK_EQ(wide.big, 2, SCAN);
    CHECK_EQ(sscanf("I%64 8", "%[%I64] %I64d", set, &wide.big), 2, "C11 7.21.6.2: a set holds anything");
    CHECK(strcmp(set, "I%64") == 0, "C11 7.21.6.2");
    CHECK_EQ(wide.big, 8, SCAN);
    memset(units, 0x55, sizeof units);
    CHECK_EQ(sscanf("one two 3", "%ws %2wc%s %I64d", units, units + 8, set, &wide.big), 4, SCAN);
    CHECK(units[0] == 'o' && units[2] == 'e' && units[3] == 0 && units[4] == 0x5555, SCAN);
    CHECK(units[8] == 't' && units[9] == 'w' && units[10] == 0x5555, "D: scanf: %c has no end");
    CHECK(strcmp(set, "o") == 0 && wide.big == 3, SCAN);
    CHECK_EQ(sscanf("ab9", "%w[ab]%*ws%d", units, &narrow.small), 1, SCAN);
    CHECK(units[0] == 'a' && units[1] == 'b' && units[2] == 0, SCAN);
    CHECK_EQ(sscanf("z", "%5wc", units), 1, "C11 7.21.6.2: as many as there are");
    CHECK(units[0] == 'z' && units[1] == 'b', SCAN);
    units[0] = 'a';
    CHECK_EQ(sscanf("", "%ws", units), EOF, SCAN);
    CHECK(units[0] == 'a', "choice: what was not read stays");
    CHECK_EQ(from_list("5 6", "%I64d %d", &wide.big, &narrow.small), 2, SCAN);
    CHECK_EQ(wide.big, 5, SCAN);
    CHECK_EQ(narrow.small, 6, SCAN);
    CHECK_EQ(sscanf("abc", "%4s", set), 1, "C11 7.21.6.2");
}

int main(void)
{
    check_begin("formats");
    printing();
    texts();
    the_rest();
    streams();
    reading();
    return check_end();
}
