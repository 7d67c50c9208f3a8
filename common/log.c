#include "common/log.h"

#include "common/clock.h"
#include "common/json_write.h"
#include "common/log_limit.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { SELDOM_KEYS = 16 };

static struct {
    LogLevel level;
    LogFormat format;
    pthread_mutex_t lock; /* of what follows */
    uint64_t keys[SELDOM_KEYS];
    LogLimit limits[SELDOM_KEYS];
} sink = {LOG_INFO, LOG_FORMAT_LOGFMT, PTHREAD_MUTEX_INITIALIZER, {0}, {{0}}};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

void
log_init(LogLevel level, LogFormat format)
{
    sink.level = level;
    sink.format = format;
}

bool
log_enabled(LogLevel level)
{
    return level >= sink.level;
}

const char *
log_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* FNV-1a. */
static uint64_t
hash_of(const char *key)
{
    uint64_t hash = 14695981039346656037U;
    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char)*key) * 1099511628211U;
    return hash;
}

/* The key's place, else the one that was told longest ago. */
static size_t
seldom_place(uint64_t hash)
{
    size_t place = 0;
    for (size_t i = 0; i < SELDOM_KEYS; i++) {
        if (sink.limits[i].was_logged && sink.keys[i] == hash)
            return i;
        if (!sink.limits[i].was_logged || sink.limits[i].logged_ms < sink.limits[place].logged_ms)
            place = i;
    }
    return place;
}

bool
log_first_in_a_minute(const char *key)
{
    const uint64_t hash = hash_of(key);
    (void)pthread_mutex_lock(&sink.lock);
    const size_t place = seldom_place(hash);
    if (sink.keys[place] != hash)
        sink.limits[place] = (LogLimit){0};
    sink.keys[place] = hash;
    const bool first = log_limit_allows(&sink.limits[place], clock_monotonic_ms(clock_system()));
    (void)pthread_mutex_unlock(&sink.lock);
    return first;
}

static bool
is_bare_word(const char *text)
{
    if (text[0] == '\0')
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at <= ' ' || *at == '"' || *at == '=' || *at == '\\' || *at == 0x7f)
            return false;
    }
    return true;
}

static void
add_value(StrBuf *line, const LogField *field)
{
    switch (field->type) {
    case LOG_FIELD_STRING:
        if (sink.format == LOG_FORMAT_LOGFMT && is_bare_word(field->string))
            strbuf_add_text(line, field->string);
        else
            json_quote(line, field->string);
        break;
    case LOG_FIELD_INTEGER:
        strbuf_add_format(line, "%" PRId64, field->integer);
        break;
    }
}

static void
add_field(StrBuf *line, const LogField *field)
{
    if (field->type == LOG_FIELD_STRING && field->string == NULL)
        return;
    if (sink.format == LOG_FORMAT_JSON) {
        strbuf_add_format(line, "%s\"%s\":", line->length > 1 ? "," : "", field->key);
    } else {
        strbuf_add_format(line, "%s%s=", line->length > 0 ? " " : "", field->key);
    }
    add_value(line, field);
}

void
log_event(LogLevel level, const char *message, const LogField *fields, size_t count)
{
    if (!log_enabled(level))
        return;
    char now[CLOCK_TEXT_BYTES];
    clock_format(clock_now_us(clock_system()), now);

    CLEANUP(strbuf_done) StrBuf line = {0};
    if (sink.format == LOG_FORMAT_JSON)
        strbuf_add_char(&line, '{');
    const LogField head[] = {LOG_STR("time", now), LOG_STR("level", level_names[level]),
                             LOG_STR("msg", message)};
    for (size_t i = 0; i < ARRAY_LEN(head); i++)
        add_field(&line, &head[i]);
    for (size_t i = 0; i < count; i++)
        add_field(&line, &fields[i]);
    strbuf_add_text(&line, sink.format == LOG_FORMAT_JSON ? "}\n" : "\n");
    if (line.failed)
        return;
    /* One write keeps lines of several threads whole; a log that cannot be written has no better
     * place to say so. */
    const ssize_t written = write(STDERR_FILENO, line.data, line.length);
    (void)written;
}
