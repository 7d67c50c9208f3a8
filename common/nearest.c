#include "common/nearest.h"

#include "common/macros.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 63 };

/* Three rows of the table of distances between all beginnings of two words. */
typedef struct Rows {
    size_t before_last[WORD_MAX + 1];
    size_t last[WORD_MAX + 1];
    size_t now[WORD_MAX + 1];
} Rows;

static bool
same_letter(char one, char other)
{
    return tolower((unsigned char)one) == tolower((unsigned char)other);
}

static void
fill_row(Rows *rows, const char *from, size_t row, const char *to, size_t length)
{
    rows->now[0] = row;
    for (size_t i = 1; i <= length; i++) {
        const bool same = same_letter(from[row - 1], to[i - 1]);
        size_t distance = size_least(rows->last[i], rows->now[i - 1]) + 1;
        distance = size_least(distance, rows->last[i - 1] + (same ? 0 : 1));
        if (row > 1 && i > 1 && same_letter(from[row - 1], to[i - 2]) &&
            same_letter(from[row - 2], to[i - 1]))
            distance = size_least(distance, rows->before_last[i - 2] + 1);
        rows->now[i] = distance;
    }
}

size_t
nearest_distance(const char *from, const char *to)
{
    const size_t from_length = strlen(from);
    const size_t to_length = strlen(to);
    if (from_length > WORD_MAX || to_length > WORD_MAX)
        return SIZE_MAX;
    Rows rows = {0};
    for (size_t i = 0; i <= to_length; i++)
        rows.now[i] = i;
    for (size_t row = 1; row <= from_length; row++) {
        memcpy(rows.before_last, rows.last, sizeof(rows.last));
        memcpy(rows.last, rows.now, sizeof(rows.now));
        fill_row(&rows, from, row, to, to_length);
    }
    return rows.now[to_length];
}

void
nearest_begin(Nearest *nearest, const char *given)
{
    *nearest = (Nearest){.given = given, .distance = SIZE_MAX};
}

bool
nearest_offer(Nearest *nearest, const char *compared, const char *word)
{
    const size_t distance = nearest_distance(nearest->given, compared);
    if (distance > strlen(compared) / 3 || distance >= nearest->distance)
        return false;
    nearest->word = word;
    nearest->distance = distance;
    return true;
}

const char *
nearest_hint(const Nearest *nearest, char *text, size_t size)
{
    if (nearest->word != NULL)
        (void)snprintf(text, size, "; did you mean %s?", nearest->word);
    else
        text[0] = '\0';
    return text;
}
