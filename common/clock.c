#include "common/clock.h"

#include <string.h>
#include <time.h>

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: an offset can lead beyond what can be written. */
#define FIRST_SECOND (-INT64_C(62135596800))
#define LAST_SECOND INT64_C(253402300799)

enum {
    SECONDS_PER_DAY = 24 * 3600,
    YEARS_PER_ERA = 400, /* after which the calendar repeats */
    DAYS_PER_ERA = 146097,
    DAYS_0000_TO_1970 = 719468, /* from 1 March of the year 0 */
};

static int64_t
system_now_us(void *state)
{
    (void)state;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * CLOCK_US_PER_SECOND + now.tv_nsec / 1000;
}

static int64_t
system_monotonic_ms(void *state)
{
    (void)state;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const Clock *
clock_system(void)
{
    static const Clock system_clock = {system_now_us, system_monotonic_ms, NULL};
    return &system_clock;
}

int64_t
clock_now_us(const Clock *clock)
{
    return clock->now_us(clock->state);
}

int64_t
clock_monotonic_ms(const Clock *clock)
{
    return clock->monotonic_ms(clock->state);
}

/* Writes exactly `count` digits and the character after them; returns what follows. Every result
 * has several times in it, so this is not left to printf. */
static char *
put_digits(char *at, int number, int count, char after)
{
    for (int i = count; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    at[count] = after;
    return at + count + 1;
}

static int64_t
floor_days(int64_t seconds)
{
    return (seconds - (seconds < 0 ? SECONDS_PER_DAY - 1 : 0)) / SECONDS_PER_DAY;
}

/* The date of a day since 1970, in the calendar that gmtime_r uses, at a fifth of its time. Years
 * are counted from March here, so that a leap day is a year's last. */
static char *
put_date(char *at, int64_t days)
{
    const int64_t since_0000 = days + DAYS_0000_TO_1970;
    const int64_t era = (since_0000 - (since_0000 < 0 ? DAYS_PER_ERA - 1 : 0)) / DAYS_PER_ERA;
    const int day_of_era = (int)(since_0000 - era * DAYS_PER_ERA);
    const int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int day = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int month = (5 * day + 2) / 153; /* 0: March */
    const int year = (int)(era * YEARS_PER_ERA) + year_of_era + (month >= 10);
    at = put_digits(at, year, 4, '-');
    at = put_digits(at, month < 10 ? month + 3 : month - 9, 2, '-');
    return put_digits(at, day - (153 * month + 2) / 5 + 1, 2, 'T');
}

void
clock_format(int64_t time_us, char text[CLOCK_TEXT_BYTES])
{
    int64_t seconds = time_us / CLOCK_US_PER_SECOND;
    int64_t fraction = time_us % CLOCK_US_PER_SECOND;
    if (fraction < 0) {
        fraction += CLOCK_US_PER_SECOND;
        seconds--;
    }
    char *at = put_date(text, floor_days(seconds));
    const int second = (int)(seconds - floor_days(seconds) * SECONDS_PER_DAY);
    at = put_digits(at, second / 3600, 2, ':');
    at = put_digits(at, second / 60 % 60, 2, ':');
    at = put_digits(at, second % 60, 2, '.');
    at = put_digits(at, (int)fraction, 6, 'Z');
    *at = '\0';
}

/* Reads exactly `count` digits and moves on. */
static bool
read_digits(const char **at, int count, int *ret_number)
{
    int number = 0;
    for (int i = 0; i < count; i++) {
        const char digit = (*at)[i];
        if (digit < '0' || digit > '9')
            return false;
        number = number * 10 + (digit - '0');
    }
    *at += count;
    *ret_number = number;
    return true;
}

static bool
read_char(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

static int
days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool
read_date(const char **at, struct tm *parts)
{
    int year, month, day;
    if (!read_digits(at, 4, &year) || !read_char(at, '-') || !read_digits(at, 2, &month) ||
        !read_char(at, '-') || !read_digits(at, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    parts->tm_year = year - 1900;
    parts->tm_mon = month - 1;
    parts->tm_mday = day;
    return true;
}

static bool
read_time(const char **at, struct tm *parts)
{
    int hour, minute, second;
    if (!read_digits(at, 2, &hour) || !read_char(at, ':') || !read_digits(at, 2, &minute) ||
        !read_char(at, ':') || !read_digits(at, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    parts->tm_hour = hour;
    parts->tm_min = minute;
    parts->tm_sec = second;
    return true;
}

static bool
read_fraction_us(const char **at, int64_t *ret_us)
{
    *ret_us = 0;
    if (**at != '.')
        return true;
    (*at)++;
    int digits = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++, digits++) {
        if (digits < 6)
            *ret_us = *ret_us * 10 + (**at - '0');
    }
    for (int i = digits; i < 6; i++)
        *ret_us *= 10;
    return digits > 0;
}

static bool
read_offset_seconds(const char **at, int64_t *ret_seconds)
{
    const char sign = **at;
    if (sign == 'Z' || sign == 'z') {
        (*at)++;
        *ret_seconds = 0;
        return true;
    }
    int hours, minutes;
    if (sign != '+' && sign != '-')
        return false;
    (*at)++;
    if (!read_digits(at, 2, &hours) || !read_char(at, ':') || !read_digits(at, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    const int64_t seconds = hours * 3600 + minutes * 60;
    *ret_seconds = sign == '-' ? -seconds : seconds;
    return true;
}

bool
clock_parse(const char *text, int64_t *ret_time_us)
{
    struct tm parts;
    memset(&parts, 0, sizeof(parts));
    const char *at = text;
    int64_t fraction_us, offset_seconds;
    if (!read_date(&at, &parts))
        return false;
    if (!read_char(&at, 'T') && !read_char(&at, 't'))
        return false;
    if (!read_time(&at, &parts) || !read_fraction_us(&at, &fraction_us) ||
        !read_offset_seconds(&at, &offset_seconds) || *at != '\0')
        return false;
    const int64_t seconds = (int64_t)timegm(&parts) - offset_seconds;
    if (seconds < FIRST_SECOND || seconds > LAST_SECOND)
        return false;
    *ret_time_us = seconds * CLOCK_US_PER_SECOND + fraction_us;
    return true;
}
