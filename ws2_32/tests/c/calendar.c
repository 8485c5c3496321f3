/*
 * calendar.c - times of day as dates, and the multimedia timer.
 */
#include "check.h"

#define REFUSED(call, error, source) do { \
        SetLastError(CHECK_UNSET); \
        CHECK(!(call), source); \
        CHECK_EQ(GetLastError(), error, source); \
    } while (0)

static FILETIME file_time(ULONGLONG value)
{
    FILETIME time = {(DWORD)value, (DWORD)(value >> 32)};

    return time;
}

static ULONGLONG value_of(FILETIME time)
{
    return (ULONGLONG)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

static const struct {
    ULONGLONG time;
    SYSTEMTIME date;
    const char *source;
} DATES[] = {
    {0, {1601, 1, 1, 1, 0, 0, 0, 0}, "D FILETIME: January 1, 1601; a Monday by the calendar"},
    {116444736000000000ULL, {1970, 1, 4, 1, 0, 0, 0, 0}, "D RtlSecondsSince1970ToTime; a Thursday"},
    {125911583990000000ULL, {1999, 12, 5, 31, 23, 59, 59, 0}, "choice: the calendar; a Friday"},
    {125962667459990000ULL, {2000, 2, 2, 29, 2, 59, 5, 999}, "choice: the calendar; 2000 was a leap year"},
    {94405824000000000ULL, {1900, 3, 4, 1, 0, 0, 0, 0}, "choice: the calendar; 1900 was no leap year"},
};

static void dates(void)
{
    size_t i;

    for (i = 0; i < sizeof DATES / sizeof DATES[0]; i++) {
        FILETIME time = file_time(DATES[i].time), back = {0, 0};
        SYSTEMTIME date;

        CHECK(FileTimeToSystemTime(&time, &date), DATES[i].source);
        if (!CHECK(memcmp(&date, &DATES[i].date, sizeof date) == 0, DATES[i].source))
            printf("    %u-%u-%u (%u) %u:%u:%u.%u\n", date.wYear, date.wMonth, date.wDay, date.wDayOfWeek, date.wHour,
                   date.wMinute, date.wSecond, date.wMilliseconds);
        date.wDayOfWeek = 77;
        CHECK(SystemTimeToFileTime(&date, &back), "D SystemTimeToFileTime: the day of the week is ignored");
        CHECK_EQ(value_of(back), DATES[i].time, DATES[i].source);
    }
}

static void no_dates(void)
{
    static const SYSTEMTIME bad[] = {
        {1600, 12, 0, 31, 0, 0, 0, 0}, {30828, 1, 0, 1, 0, 0, 0, 0}, {2023, 0, 0, 1, 0, 0, 0, 0},
        {2023, 13, 0, 1, 0, 0, 0, 0},  {2023, 2, 0, 29, 0, 0, 0, 0}, {1900, 2, 0, 29, 0, 0, 0, 0},
        {2023, 4, 0, 31, 0, 0, 0, 0},  {2023, 1, 0, 0, 0, 0, 0, 0},  {2023, 1, 0, 1, 24, 0, 0, 0},
        {2023, 1, 0, 1, 0, 60, 0, 0},  {2023, 1, 0, 1, 0, 0, 60, 0}, {2023, 1, 0, 1, 0, 0, 0, 1000},
    };
    FILETIME time = file_time(1ULL << 63), last = file_time((1ULL << 63) - 1);
    SYSTEMTIME date;
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        REFUSED(SystemTimeToFileTime(&bad[i], &time), ERROR_INVALID_PARAMETER, "D SYSTEMTIME: the ranges");
    time = file_time(1ULL << 63);
    REFUSED(FileTimeToSystemTime(&time, &date), ERROR_INVALID_PARAMETER, "D FileTimeToSystemTime: less than 2^63");
    CHECK(FileTimeToSystemTime(&last, &date), "D FileTimeToSystemTime: less than 2^63");
    CHECK_EQ(date.wYear, 30828, "choice: the calendar, beyond what a date may be turned back from");
#ifndef __MINGW32__
    REFUSED(FileTimeToSystemTime(NULL, &date), ERROR_NOACCESS, "choice: an error, and no crash");
    REFUSED(SystemTimeToFileTime(&DATES[0].date, (LPFILETIME)16), ERROR_NOACCESS, "choice: an error, and no crash");
    SetLastError(CHECK_UNSET);
    GetSystemTime(NULL);
    CHECK_EQ(GetLastError(), ERROR_NOACCESS, "choice: an error, and no crash");
#endif
}

static void now(void)
{
    FILETIME before, precise, after, from_date, local = {0, 0};
    SYSTEMTIME date, local_date;
    LONGLONG difference;

    GetSystemTimeAsFileTime(&before);
    GetSystemTimePreciseAsFileTime(&precise);
    GetSystemTime(&date);
    GetSystemTimeAsFileTime(&after);
    CHECK(SystemTimeToFileTime(&date, &from_date), "D GetSystemTime: a date");
    /* Windows' coarse clock may be a tick behind, and dates have milliseconds. */
    CHECK(value_of(from_date) + 200000 >= value_of(before) && value_of(from_date) <= value_of(after) + 200000,
          "D GetSystemTime: the same time as a file time, UTC");
    CHECK(value_of(precise) + 200000 >= value_of(before) && value_of(precise) <= value_of(after) + 200000,
          "D GetSystemTimePreciseAsFileTime");
    GetLocalTime(&local_date);
    CHECK(SystemTimeToFileTime(&local_date, &from_date) && FileTimeToLocalFileTime(&after, &local), "D GetLocalTime");
    difference = (LONGLONG)(value_of(from_date) - value_of(local));
    CHECK(difference > -50000000 && difference < 50000000, "D FileTimeToLocalFileTime: the local time's difference");
    CHECK(LocalFileTimeToFileTime(&local, &before) && value_of(before) == value_of(after), "D LocalFileTimeToFileTime");
}

static void comparison(void)
{
    FILETIME one = file_time(0xffffffff), two = file_time(0x100000000ULL);

    CHECK_EQ(CompareFileTime(&one, &two), -1, "D CompareFileTime");
    CHECK_EQ(CompareFileTime(&two, &one), 1, "D CompareFileTime");
    CHECK_EQ(CompareFileTime(&two, &two), 0, "D CompareFileTime");
}

static void timers(void)
{
    ULONGLONG unbiased = 0, later = 0;
    DWORD tick = timeGetTime();
    TIMECAPS caps = {0, 0};

    CHECK_EQ(timeBeginPeriod(1), TIMERR_NOERROR, "D timeBeginPeriod");
    CHECK(QueryUnbiasedInterruptTime(&unbiased) && unbiased > 0, "D QueryUnbiasedInterruptTime");
    Sleep(30);
    CHECK(QueryUnbiasedInterruptTime(&later), "D QueryUnbiasedInterruptTime");
    CHECK(later - unbiased >= 100000 && later - unbiased < 200000000, "D QueryUnbiasedInterruptTime: 100 nanoseconds");
    CHECK(timeGetTime() - tick >= 15 && timeGetTime() - tick < 20000, "D timeGetTime: milliseconds");
    CHECK_EQ(timeEndPeriod(1), TIMERR_NOERROR, "D timeEndPeriod");
    CHECK_EQ(timeBeginPeriod(0), TIMERR_NOCANDO, "D timeBeginPeriod: out of range");
    CHECK_EQ(timeGetDevCaps(&caps, sizeof caps), TIMERR_NOERROR, "D timeGetDevCaps");
    CHECK(caps.wPeriodMin >= 1 && caps.wPeriodMin <= caps.wPeriodMax, "D timeGetDevCaps");
    CHECK_EQ(timeBeginPeriod(caps.wPeriodMax + 1), TIMERR_NOCANDO, "D timeBeginPeriod: out of range");
    CHECK(timeGetDevCaps(&caps, 1) != TIMERR_NOERROR, "D timeGetDevCaps: the size");
}

int main(void)
{
    check_begin("calendar");
    dates();
    no_dates();
    now();
    comparison();
    timers();
    return check_end();
}
