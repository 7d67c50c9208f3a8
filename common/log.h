/*
 * log: one event a line on stderr, as logfmt or as JSON.
 *
 * Owns:      the sink (level, format), the only mutable global of the program.
 * Threads:   log_init once before the others start; log_event from any thread, a line is written
 * whole, and never waits for long: a reader that stands still loses lines, and is told how many.
 * Invariant: no secret, payload or parameter value is ever passed here; callers see to it.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include "common/error.h"

#include <stdint.h>

typedef enum LogLevel { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } LogLevel;
typedef enum LogFormat { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON } LogFormat;

/* One key and its value; a NULL string leaves the field out. */
typedef struct LogField {
    const char *key;
    enum { LOG_FIELD_STRING, LOG_FIELD_INTEGER } type;
    const char *string;
    int64_t integer;
} LogField;

#define LOG_STR(key, value) ((LogField){(key), LOG_FIELD_STRING, (value), 0})
#define LOG_INT(key, value) ((LogField){(key), LOG_FIELD_INTEGER, NULL, (int64_t)(value)})
#define LOG_ERR(err)                                                                               \
    LOG_STR("error", (err)->text), LOG_STR("sqlstate", log_or_null((err)->sqlstate))

void log_init(LogLevel level, LogFormat format);
bool log_enabled(LogLevel level);

/* Writes one line: time, level, message, fields in the order given.
 * Use the macros: log_info("unit committed", LOG_STR("task", name), LOG_INT("commands", n)). */
void log_event(LogLevel level, const char *message, const LogField *fields, size_t count);

/* NULL for an empty string, so that the field is left out. */
const char *log_or_null(const char *text);

#define LOG_EVENT(level, message, ...)                                                             \
    do {                                                                                           \
        if (log_enabled(level)) {                                                                  \
            const LogField log_fields_[] = {LOG_STR(NULL, NULL), ##__VA_ARGS__};                   \
            log_event((level), (message), log_fields_ + 1, ARRAY_LEN(log_fields_) - 1);            \
        }                                                                                          \
    } while (0)

/* True for a key that was not asked for within the last minute, so that what goes on for long is
 * told once a minute. A few keys at a time; from any thread. */
bool log_first_in_a_minute(const char *key);

#define log_debug(message, ...) LOG_EVENT(LOG_DEBUG, message, ##__VA_ARGS__)
#define log_info(message, ...) LOG_EVENT(LOG_INFO, message, ##__VA_ARGS__)
#define log_warn(message, ...) LOG_EVENT(LOG_WARN, message, ##__VA_ARGS__)
#define log_error(message, ...) LOG_EVENT(LOG_ERROR, message, ##__VA_ARGS__)

#endif
