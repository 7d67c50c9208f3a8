#include "common/words.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

int
words_index(const char *words, const char *text)
{
    const size_t length = strlen(text);
    int index = 0;
    for (const char *at = words; at != NULL; index++) {
        const size_t word_length = strcspn(at, "|");
        if (word_length == length && strncasecmp(at, text, length) == 0)
            return index;
        at = at[word_length] == '|' ? at + word_length + 1 : NULL;
    }
    return -1;
}
