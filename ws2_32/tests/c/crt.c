/*
 * crt.c - names of the Microsoft C runtime that socket programs use in passing.
 */
#include "check.h"
#include <errno.h>
#include <stdarg.h>
#include <time.h>

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

int main(void)
{
    check_begin("crt");
    copies();
    memory();
    prints();
    others();
    return check_end();
}
