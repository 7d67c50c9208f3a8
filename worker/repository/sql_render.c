#include "worker/repository/sql_render.h"

#include "common/macros.h"
#include "common/strbuf.h"

#include <string.h>

static size_t
quoted_length(const char *text, char quote)
{
    size_t length = 1;
    while (text[length] != '\0' && text[length] != quote)
        length++;
    return text[length] == '\0' ? length : length + 1;
}

/* How many bytes at `text` are copied as they are; 0 when a variable begins there. */
static size_t
plain_length(const char *text)
{
    if (text[0] == '\'' || text[0] == '"')
        return quoted_length(text, text[0]);
    if (text[0] == '-' && text[1] == '-')
        return strcspn(text, "\n");
    if (text[0] == ':' && text[1] == ':')
        return 2;
    const bool letter = (text[1] >= 'a' && text[1] <= 'z') || text[1] == '_';
    return text[0] == ':' && letter ? 0 : 1;
}

static size_t
name_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789");
}

static const char *
find_value(const SqlVariable *variables, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(variables[i].name) == length && memcmp(variables[i].name, name, length) == 0)
            return variables[i].value;
    }
    return NULL;
}

/* How many bytes of `text`, which begins with a parenthesis, lie between it and its end. */
static size_t
argument_length(const char *text)
{
    int depth = 1;
    size_t length = 1;
    while (text[length] != '\0') {
        depth += (text[length] == '(') - (text[length] == ')');
        if (depth == 0)
            return length - 1;
        length++;
    }
    return length - 1;
}

static bool
add_value(StrBuf *rendered, const char *value, const char *argument, size_t length, Error *err)
{
    CLEANUP(strbuf_done) StrBuf copy = {0};
    CLEANUP(autofree) char *filled = NULL;
    strbuf_add(&copy, argument, length);
    const SqlVariable variable = {"argument", strbuf_text(&copy)};
    if (!sql_render(value, &variable, 1, &filled, err))
        return false;
    strbuf_add_text(rendered, filled);
    return true;
}

bool
sql_render(const char *text, const SqlVariable *variables, size_t count, char **ret_text,
           Error *err)
{
    CLEANUP(strbuf_done) StrBuf rendered = {0};
    while (*text != '\0') {
        const size_t plain = plain_length(text);
        strbuf_add(&rendered, text, plain);
        text += plain;
        if (plain > 0)
            continue;
        const size_t length = name_length(++text);
        const char *value = find_value(variables, count, text, length);
        if (value == NULL)
            return error_set(err, REASON_STATEMENT_BROKEN,
                             "an SQL file names the unknown variable %.*s", (int)length, text);
        text += length;
        const size_t argument = *text == '(' ? argument_length(text) : 0;
        if (argument == 0)
            strbuf_add_text(&rendered, value);
        else if (!add_value(&rendered, value, text + 1, argument, err))
            return false;
        text += argument > 0 ? argument + 2 : 0;
    }
    char *taken = strbuf_take(&rendered);
    if (taken == NULL)
        return error_out_of_memory(err);
    *ret_text = taken;
    return true;
}
