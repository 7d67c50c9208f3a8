#include "worker/repository/word_list.h"

#include <string.h>

void
word_list_add(PgArray *words, const char *list)
{
    StrBuf word = {0};
    const char *at = list != NULL ? list : "";
    while (*at != '\0') {
        at += strspn(at, " \t");
        const size_t bytes = strcspn(at, ",");
        strbuf_clear(&word);
        strbuf_add(&word, at, bytes);
        if (bytes > 0)
            pg_array_add(words, strbuf_text(&word));
        at += bytes + (at[bytes] == ',');
    }
    strbuf_done(&word);
}
