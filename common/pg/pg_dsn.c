#include "common/pg/pg_dsn.h"

#include "common/nearest.h"
#include "common/strbuf.h"

#include <libpq-fe.h>
#include <string.h>

/* No server ever listens there: what libpq says when it has got so far names the path. */
#define NOWHERE "/dev/null/nowhere"

enum {
    HINT_BYTES = 96,
    OPTIONS_MAX = 100,
};

static void
free_options(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}

static void
finish(PGconn **connection)
{
    PQfinish(*connection);
}

/* Whether the quoted word is an option of libpq's or nearly one; then it is no secret. */
static bool
find_keyword(const char *word, Nearest *nearest)
{
    CLEANUP(free_options) PQconninfoOption *options = PQconndefaults();
    nearest_begin(nearest, word);
    /* The names are libpq's own static ones, and stay. */
    for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL;
         option++)
        (void)nearest_offer(nearest, option->keyword, option->keyword);
    return nearest->word != NULL;
}

/* How long a quotation is. One that libpq quotes for itself has one character, "=" or "@"; any
 * other ends with the sentence's last quote, because a secret may hold quotes. */
static size_t
quoted_length(const char *quoted)
{
    if (quoted[0] != '\0' && quoted[1] == '"')
        return 1;
    const char *const end = strrchr(quoted, '"');
    return end != NULL ? (size_t)(end - quoted) : strlen(quoted);
}

static void
add_quoted(StrBuf *text, const char *quoted, size_t length, char *hint)
{
    CLEANUP(autofree) char *word = strndup(quoted, length);
    Nearest nearest = {0};
    const bool shown = word != NULL && (length == 1 || find_keyword(word, &nearest));
    strbuf_add_format(text, "\"%s\"", shown ? word : "…");
    if (shown && nearest.word != NULL && nearest.distance > 0)
        (void)nearest_hint(&nearest, hint, HINT_BYTES);
}

/* libpq's sentence without its newline and without what it quotes. */
static bool
reject(const char *words, Error *err)
{
    char hint[HINT_BYTES] = "";
    CLEANUP(autofree) char *sentence = strndup(words, strcspn(words, "\n"));
    if (sentence == NULL)
        return error_out_of_memory(err);
    CLEANUP(strbuf_done) StrBuf text = {0};
    const char *at = sentence;
    for (const char *quote = strchr(at, '"'); quote != NULL; quote = strchr(at, '"')) {
        strbuf_add(&text, at, (size_t)(quote - at));
        const size_t length = quoted_length(quote + 1);
        add_quoted(&text, quote + 1, length, hint);
        at = quote + 1 + length;
        at += *at == '"';
    }
    strbuf_add_text(&text, at);
    return error_set(err, REASON_CONFIG, "libpq cannot read it: %s%s", strbuf_text(&text), hint);
}

/* Ports are left out below, because their number goes with that of the hosts. */
static bool
check_ports(const PQconninfoOption *options, Error *err)
{
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (strcmp(option->keyword, "port") != 0 || option->val == NULL)
            continue;
        for (const char *at = option->val; *at != '\0'; at += *at == ',') {
            char *end = NULL;
            const long port = strtol(at, &end, 10);
            if ((*end != ',' && *end != '\0') || (end != at && (port < 1 || port > 65535)))
                return error_set(err, REASON_CONFIG, "its port is no number from 1 to 65535");
            at = end;
            if (*at == '\0')
                break;
        }
    }
    return true;
}

static bool
says_where(const char *keyword)
{
    return strcmp(keyword, "host") == 0 || strcmp(keyword, "hostaddr") == 0 ||
           strcmp(keyword, "port") == 0;
}

/* Lets libpq look at all values, and for the service's definition, as before it connects. */
static bool
check_values(const PQconninfoOption *options, Error *err)
{
    const char *names[OPTIONS_MAX] = {"host", "port"};
    const char *values[OPTIONS_MAX] = {NOWHERE, "1"};
    size_t count = 2;
    for (; options->keyword != NULL && count < OPTIONS_MAX - 1; options++) {
        if (options->val == NULL || says_where(options->keyword))
            continue;
        names[count] = options->keyword;
        values[count++] = options->val;
    }
    CLEANUP(finish) PGconn *connection = PQconnectStartParams(names, values, 0);
    if (connection == NULL)
        return error_out_of_memory(err);
    const char *words = PQerrorMessage(connection);
    return PQstatus(connection) != CONNECTION_BAD || strstr(words, NOWHERE) != NULL ||
           reject(words, err);
}

bool
pg_dsn_check(const char *dsn, Error *err)
{
    char *words = NULL;
    CLEANUP(free_options) PQconninfoOption *options = PQconninfoParse(dsn, &words);
    /* PGHOSTADDR would lead somewhere. */
    if (options != NULL)
        return check_ports(options, err) &&
               (getenv("PGHOSTADDR") != NULL || check_values(options, err));
    if (words == NULL)
        return error_out_of_memory(err);
    (void)reject(words, err);
    PQfreemem(words);
    return false;
}

bool
pg_dsn_in_environment(void)
{
    static const char *const names[] = {"PGHOST",     "PGHOSTADDR", "PGPORT",
                                        "PGDATABASE", "PGUSER",     "PGSERVICE"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return true;
    }
    return false;
}
