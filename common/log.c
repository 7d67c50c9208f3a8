#include "common/log.h"

#include "common/clock.h"
#include "common/json_write.h"
#include "common/log_limit.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SELDOM_KEYS = 16,
    READER_PATIENCE_MS = 500, /* for a reader that is only slow */
};

static struct {
    LogLevel level;
    LogFormat format;
    pthread_mutex_t lock; /* of what follows */
    uint64_t keys[SELDOM_KEYS];
    LogLimit limits[SELDOM_KEYS];
    int64_t lost; /* lines since the reader of the log stands still */
    bool was_cut; /* the last line lacks its end */
} sink = {LOG_INFO, LOG_FORMAT_LOGFMT, PTHREAD_MUTEX_INITIALIZER, {0}, {{0}}, 0, false};

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

/* A line of the log; the caller looks at `failed`. */
static void
render(StrBuf *line, LogLevel level, const char *message, const LogField *fields, size_t count)
{
    char now[CLOCK_TEXT_BYTES];
    clock_format(clock_now_us(clock_system()), now);
    if (sink.format == LOG_FORMAT_JSON)
        strbuf_add_char(line, '{');
    const LogField head[] = {LOG_STR("time", now), LOG_STR("level", level_names[level]),
                             LOG_STR("msg", message)};
    for (size_t i = 0; i < ARRAY_LEN(head); i++)
        add_field(line, &head[i]);
    for (size_t i = 0; i < count; i++)
        add_field(line, &fields[i]);
    strbuf_add_text(line, sink.format == LOG_FORMAT_JSON ? "}\n" : "\n");
}

/* A pipe that poll calls writable takes PIPE_BUF bytes at once. A socket says itself when it is
 * full. */
static ssize_t
write_piece(const char *piece, size_t length)
{
    const ssize_t sent = send(STDERR_FILENO, piece, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 && errno == ENOTSOCK ? write(STDERR_FILENO, piece, length) : sent;
}

static bool
is_writable(int patience_ms)
{
    struct pollfd log = {.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    int ready;
    do
        ready = poll(&log, 1, patience_ms);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/* A log that cannot be written for another reason has no better place to say so, and counts as
 * written. */
static bool
write_text(const char *text, size_t length, int patience_ms)
{
    size_t done = 0;
    while (done < length) {
        const size_t left = length - done;
        if (!is_writable(patience_ms))
            break;
        const ssize_t written = write_piece(text + done, left < PIPE_BUF ? left : PIPE_BUF);
        if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (written <= 0)
            return true;
        done += (size_t)written;
    }
    sink.was_cut = done > 0 && done < length;
    return done == length;
}

/* Tells what was lost, when the reader goes on. */
static bool
write_lost(void)
{
    CLEANUP(strbuf_done) StrBuf line = {0};
    const LogField lost = LOG_INT("lines", sink.lost);
    if (sink.was_cut)
        strbuf_add_char(&line, '\n');
    CLEANUP(strbuf_done) StrBuf told = {0};
    render(&told, LOG_WARN, "lines of the log were lost, because its reader stood still", &lost, 1);
    strbuf_add_text(&line, strbuf_text(&told));
    if (line.failed || told.failed || !write_text(line.data, line.length, 0))
        return false;
    sink.lost = 0;
    return true;
}

/* One lock and short pieces keep lines of several threads whole. A reader that stands still, as a
 * container's log driver may, must not stop the worker with it: a line that finds no room is lost,
 * after a pause that only the first one makes. */
static void
write_line(const StrBuf *line)
{
    (void)pthread_mutex_lock(&sink.lock);
    const bool stands_still = sink.lost > 0 && !write_lost();
    if (stands_still || !write_text(line->data, line->length, READER_PATIENCE_MS))
        sink.lost++;
    (void)pthread_mutex_unlock(&sink.lock);
}

void
log_event(LogLevel level, const char *message, const LogField *fields, size_t count)
{
    if (!log_enabled(level))
        return;
    CLEANUP(strbuf_done) StrBuf line = {0};
    render(&line, level, message, fields, count);
    if (!line.failed)
        write_line(&line);
}
