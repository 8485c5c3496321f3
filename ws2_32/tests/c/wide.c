/*
 * wide.c - texts of the C runtime in units of 16 bits (TCHAR with UNICODE) and of wchar_t: formats as the Microsoft C
 * runtime reads them.
 */
#define UNICODE
#define _UNICODE
#include "check.h"
#include <errno.h>
#include <tchar.h>
#include <wchar.h>

#define FORMAT "D Format specification syntax: printf and wprintf functions"

/* Compares with a text of ASCII, whatever the units are. */
static int same(const TCHAR *got, const char *expected)
{
    size_t i;

    for (i = 0; got[i] != 0 && got[i] == (unsigned char)expected[i]; i++)
        ;
    return got[i] == 0 && expected[i] == 0;
}

static int same_wide(const wchar_t *got, const char *expected)
{
    size_t i;

    for (i = 0; got[i] != 0 && got[i] == (wchar_t)(unsigned char)expected[i]; i++)
        ;
    return got[i] == 0 && expected[i] == 0;
}

/* One row in both kinds of units. `arguments` are in parentheses, without a text. */
#define ROW(format, expected, ...)                                                                        \
    do {                                                                                                  \
        TCHAR narrow[64];                                                                                 \
        wchar_t wide[64];                                                                                 \
        CHECK_EQ(_sntprintf(narrow, 64, _T(format), __VA_ARGS__), (int)strlen(expected), FORMAT);         \
        CHECK(same(narrow, expected), FORMAT);                                                            \
        CHECK_EQ(swprintf(wide, 64, L##format, __VA_ARGS__), (int)strlen(expected), FORMAT);              \
        CHECK(same_wide(wide, expected), FORMAT);                                                         \
    } while (0)

static void numbers(void)
{
    ROW("%d|%5d|%-5d|%05d|%+d", "7|    7|7    |00007|+7", 7, 7, 7, 7, 7);
    ROW("%*d|%-*d|%.3d|%.*d", "    7|7  |007|0007", 5, 7, 3, 7, 7, 4, 7);
    ROW("%i|%u|%x|%X|%o|%#x", "-1|4294967295|ff|FF|17|0xff", -1, -1, 255, 255, 15, 255);
    ROW("%ld|%lu|%lx", "-7|5|80000000", (LONG)-7, (ULONG)5, (LONG)0x80000000);
    ROW("%lld|%I64d|%I64u|%I32d", "-7|1099511627776|18446744073709551615|-2", -7LL, 1LL << 40, ~0ULL, -2);
    ROW("%zu|%Iu", "4294967296|4294967297", (SIZE_T)1 << 32, ((SIZE_T)1 << 32) + 1);
    ROW("%hd|%hu|%hhd|%hhu", "-1|65535|-1|255", 0xffff, 0xffff, 0xff, 0xff);
    ROW("%.2f|%8.3f|%e|%g", "1.50|   2.250|1.000000e+00|0.5", 1.5, 2.25, 1.0, 0.5);
    ROW("%p|%%|%-3d|", "0000000000001234|%|1  |", (void *)0x1234, 1);
    ROW("%0*d|%-06d|", "000042|42    |", 6, 42, 42);
}

static void texts(void)
{
    static const char *const none = NULL;

    ROW("%S|%hs|%C|%hc", "narrow|too|c|d", "narrow", "too", 'c', 'd');
    ROW("%10S|%-6S|%.2S|", "    narrow|ab    |na|", "narrow", "ab", "narrow");
    ROW("%c%c|%lc|%3c|%-3c|", "ab|c|  d|e  |", 'a', 'b', 'c', 'd', 'e');
    ROW("%hs", "(null)", none);
    {
        TCHAR to[32];
        wchar_t wide[32];

        CHECK_EQ(_stprintf_s(to, 32, _T("%s-%5s-%-4s-%.1s-%ls-%ws"), _T("a"), _T("b"), _T("c"), _T("de"), _T("f"), _T("g")), 18,
                 FORMAT ": %s is as wide as the format");
        CHECK(same(to, "a-    b-c   -d-f-g"), FORMAT ": %s is as wide as the format");
        CHECK_EQ(swprintf(wide, 32, L"%s-%ls", L"a", L"bc"), 4, FORMAT ": %s is as wide as the format");
        CHECK(same_wide(wide, "a-bc"), FORMAT);
    }
}

/* Characters that take two units of 16 bits, and halves of them. */
static void characters(void)
{
    static const TCHAR pair[] = {0xd83d, 0xde00, 0}, half[] = {'a', 0xd83d, 'b', 0}, one[] = {0xe4, 0x20ac, 0};
    TCHAR to[16];

    CHECK_EQ(_sntprintf(to, 16, _T("%s|"), pair), 3, "choice: characters outside the first plane come through");
    CHECK(to[0] == 0xd83d && to[1] == 0xde00 && to[2] == '|' && to[3] == 0, "choice: as they were");
    CHECK_EQ(_sntprintf(to, 16, _T("%s"), half), 3, "choice: half a pair is U+FFFD");
    CHECK(to[0] == 'a' && to[1] == 0xfffd && to[2] == 'b', "choice: half a pair is U+FFFD");
    CHECK_EQ(_sntprintf(to, 16, _T("%4s"), one), 4, FORMAT ": the width counts characters");
    CHECK(to[1] == ' ' && to[2] == 0xe4 && to[3] == 0x20ac, FORMAT);
    CHECK_EQ(_sntprintf(to, 16, _T("%hs"), "\xc3\xa4\xff"), 2, "choice: narrow texts are UTF-8, and what is none U+FFFD");
    CHECK(to[0] == 0xe4 && to[1] == 0xfffd, "choice: narrow texts are UTF-8");
}

static void room(void)
{
    TCHAR to[4] = {'x', 'x', 'x', 'x'}, *large = (TCHAR *)malloc(4000 * sizeof *large);
    wchar_t wide[4];

    CHECK_EQ(_sntprintf(to, 4, _T("%d"), 1234), -1, "D swprintf: what does not fit is -1");
    CHECK(same(to, "123"), "D swprintf: and ends in a zero");
    CHECK_EQ(_sntprintf(to, 4, _T("%d"), 123), 3, "D swprintf: it fits with its zero");
    CHECK_EQ(swprintf(wide, 4, L"%S", "long"), -1, "D swprintf");
    CHECK(same_wide(wide, "lon"), "D swprintf");
    CHECK_EQ(_sntprintf(large, 4000, _T("%3000d|%.900f"), 5, 1.0), 3000 + 1 + 902, FORMAT ": long numbers");
    CHECK(large[2999] == '5' && large[3001] == '1' && large[3902] == '0', FORMAT);
    free(large);
}

/* What is printed is UTF-8, on a stream that takes narrow texts before and behind. */
static void printing(void)
{
    static const TCHAR text[] = {0xe4, 0x20ac, 0xd83d, 0xde00, 0};
    FILE *file = tmpfile();
    char line[64] = "";

    REQUIRE(file != NULL);
    CHECK_EQ(fprintf(file, "one "), 4, "D fprintf");
    CHECK_EQ(fwprintf(file, L"%d %s ", 2, L"\xe4"), 4, "D fwprintf: mixed with narrow texts");
    CHECK_EQ(_ftprintf(file, _T("%s"), text), 4, "D _ftprintf");
    CHECK_EQ(_fputts(text, file), 0, "D _fputts");
    CHECK_EQ(fputws(L" end", file), 0, "D fputws");
    CHECK_EQ(fprintf(file, "\n"), 1, "D fprintf");
    rewind(file);
    CHECK(fgets(line, sizeof line, file) != NULL, "setup");
    CHECK(strcmp(line, "one 2 \xc3\xa4 \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 end\n") == 0, "choice: UTF-8");
    fclose(file);
}

/* Both kinds of units: wchar_t, and those of TCHAR. */
static void files(void)
{
    FILE *file = _wfopen(L"b\xfc" L"cher.tmp", L"w+");

    CHECK(file != NULL && fclose(file) == 0, "D _wfopen");
    file = fopen("b\xc3\xbc" "cher.tmp", "r");
    CHECK(file != NULL && fclose(file) == 0, "choice: names are UTF-8");
    CHECK_EQ(_tfopen_s(&file, _T("b\xfc" "cher.tmp"), _T("r")), 0, "D _tfopen_s");
    CHECK(file != NULL && fclose(file) == 0, "D _tfopen_s");
    CHECK(remove("b\xc3\xbc" "cher.tmp") == 0, "setup");
    CHECK(_wfopen(L"no such file.tmp", L"r") == NULL && errno == ENOENT, "D _wfopen: NULL and errno");
    CHECK_EQ(_wfopen_s(&file, L"no such file.tmp", L"r"), ENOENT, "D _wfopen_s: the error");
    CHECK(file == NULL, "D _wfopen_s");
    CHECK_EQ(_wfopen_s(NULL, L"no such file.tmp", L"r"), EINVAL, "D _wfopen_s: pFile");
    CHECK_EQ(_wfopen_s(&file, NULL, L"r"), EINVAL, "D _wfopen_s: filename");
    CHECK_EQ(_wfopen_s(&file, L"x", NULL), EINVAL, "D _wfopen_s: mode");
}

static void cut(void)
{
    wchar_t to[6];

    CHECK_EQ(_snwprintf_s(to, 6, _TRUNCATE, L"%d", 1234567), -1, "D _snwprintf_s: _TRUNCATE");
    CHECK(same_wide(to, "12345"), "D _snwprintf_s: _TRUNCATE");
    CHECK_EQ(_snwprintf_s(to, 6, 3, L"%d", 1234567), -1, "D _snwprintf_s: count");
    CHECK(same_wide(to, "123"), "D _snwprintf_s: count");
    CHECK_EQ(_snwprintf_s(to, 6, 3, L"%d", 12), 2, "D _snwprintf_s");
    CHECK(same_wide(to, "12"), "D _snwprintf_s");
    CHECK_EQ(_snwprintf_s(to, 6, 6, L"%d", 1234567), -1, "D _snwprintf_s: it does not fit");
    CHECK(same_wide(to, ""), "D _snwprintf_s: it does not fit");
    CHECK_EQ(_snwprintf_s(NULL, 6, 6, L"%d", 1), -1, "D _snwprintf_s: buffer");
}

int _tmain(int argc, TCHAR *argv[])
{
    check_begin("wide");
    CHECK(argc == 1 && argv[argc] == NULL && argv[0][0] != 0, "D main: argument definitions");
    numbers();
    texts();
    characters();
    room();
    printing();
    files();
    cut();
    return check_end();
}
