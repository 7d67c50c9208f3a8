#include "common/pg/pg_array.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
begin_element(PgArray *array)
{
    strbuf_add_char(&array->text, array->text.length == 0 ? '{' : ',');
}

void
pg_array_add(PgArray *array, const char *text)
{
    begin_element(array);
    if (text == NULL) {
        strbuf_add_text(&array->text, "NULL");
        return;
    }
    strbuf_add_char(&array->text, '"');
    for (const char *rest = text; *rest != '\0';) {
        const size_t plain = strcspn(rest, "\"\\");
        strbuf_add(&array->text, rest, plain);
        rest += plain;
        if (*rest != '\0') {
            strbuf_add_char(&array->text, '\\');
            strbuf_add_char(&array->text, *rest++);
        }
    }
    strbuf_add_char(&array->text, '"');
}

void
pg_array_add_int64(PgArray *array, int64_t number)
{
    char text[PG_INT64_BYTES];
    begin_element(array);
    strbuf_add_text(&array->text, pg_format_int64(number, text));
}

void
pg_array_add_bool(PgArray *array, bool flag)
{
    begin_element(array);
    strbuf_add_char(&array->text, flag ? 't' : 'f');
}

const char *
pg_array_end(PgArray *array)
{
    if (array->text.length == 0)
        strbuf_add_char(&array->text, '{');
    strbuf_add_char(&array->text, '}');
    return array->text.failed ? NULL : strbuf_text(&array->text);
}

void
pg_array_done(PgArray *array)
{
    strbuf_done(&array->text);
}

bool
pg_array_of_texts(PgArray *array, const char *const *texts, size_t count, const char **ret_text,
                  Error *err)
{
    for (size_t i = 0; i < count; i++)
        pg_array_add(array, texts[i]);
    const char *text = pg_array_end(array);
    if (text == NULL)
        return error_out_of_memory(err);
    *ret_text = text;
    return true;
}

const char *
pg_format_int64(int64_t number, char text[PG_INT64_BYTES])
{
    (void)snprintf(text, PG_INT64_BYTES, "%" PRId64, number);
    return text;
}
