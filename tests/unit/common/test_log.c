#include "common/log.h"

#include "common/clock.h"
#include "common/json.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    THREADS = 4,
    LINES = 200,
    TEXT_BYTES = 200000,
    FLOOD = 2000,
    LONG_LINE = 9001, /* more than a pipe takes at once */
};

static int real_stderr;
static FILE *captured;
static char text[TEXT_BYTES];

static void
begin_capture(LogLevel level, LogFormat format)
{
    captured = tmpfile();
    assert_non_null(captured);
    real_stderr = dup(STDERR_FILENO);
    assert_true(dup2(fileno(captured), STDERR_FILENO) >= 0);
    log_init(level, format);
}

/* What was logged since. */
static const char *
end_capture(void)
{
    assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
    (void)close(real_stderr);
    rewind(captured);
    const size_t length = fread(text, 1, sizeof(text) - 1, captured);
    text[length] = '\0';
    (void)fclose(captured);
    return text;
}

static void
assert_logged(const char *logged, const char *part)
{
    if (strstr(logged, part) == NULL)
        fail_msg("no \"%s\" in %s", part, logged);
}

static void
test_event_below_the_level_is_not_logged(void **state)
{
    (void)state;
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (LogLevel least = LOG_DEBUG; least <= LOG_ERROR; least++) {
        begin_capture(least, LOG_FORMAT_LOGFMT);
        log_debug("a", LOG_INT("n", 1));
        log_info("a", LOG_INT("n", 1));
        log_warn("a", LOG_INT("n", 1));
        log_error("a", LOG_INT("n", 1));
        const char *logged = end_capture();
        for (LogLevel level = LOG_DEBUG; level <= LOG_ERROR; level++) {
            char part[16];
            (void)snprintf(part, sizeof(part), "level=%s ", names[level]);
            assert_int_equal(strstr(logged, part) != NULL, level >= least);
            assert_int_equal(log_enabled(level), level >= least);
        }
    }
}

static int
count_up(int *count)
{
    return ++*count;
}

static void
test_event_below_the_level_evaluates_nothing(void **state)
{
    (void)state;
    int count = 0;
    begin_capture(LOG_WARN, LOG_FORMAT_LOGFMT);
    log_info("a", LOG_INT("n", count_up(&count)));
    log_warn("a", LOG_INT("n", count_up(&count)));
    assert_logged(end_capture(), " n=1\n");
    assert_int_equal(count, 1);
}

/* The time at the start, then the rest as given. */
static void
assert_line(const char *logged, const char *rest)
{
    int64_t time_us = 0;
    char time[CLOCK_TEXT_BYTES] = "";
    assert_int_equal(sscanf(logged, "time=%31s", time), 1);
    assert_true(clock_parse(time, &time_us));
    assert_string_equal(logged + strlen("time=") + strlen(time), rest);
}

static void
test_logfmt_quotes_what_is_no_bare_word(void **state)
{
    (void)state;
    begin_capture(LOG_INFO, LOG_FORMAT_LOGFMT);
    log_info("two words", LOG_STR("bare", "a/b-c.d"), LOG_STR("space", "a b"), LOG_STR("empty", ""),
             LOG_STR("equals", "a=b"), LOG_STR("quote", "a\"b"), LOG_STR("slash", "a\\b"),
             LOG_STR("line", "a\nb"), LOG_STR("delete", "a\x7f"), LOG_STR("umlaut", "ä"));
    assert_line(
        end_capture(),
        " level=info msg=\"two words\" bare=a/b-c.d space=\"a b\" empty=\"\" equals=\"a=b\" "
        "quote=\"a\\\"b\" slash=\"a\\\\b\" line=\"a\\nb\" delete=\"a\x7f\" umlaut=\"ä\"\n");
}

static void
test_logfmt_writes_whole_numbers_and_leaves_out_null(void **state)
{
    (void)state;
    const char *absent = NULL;
    begin_capture(LOG_INFO, LOG_FORMAT_LOGFMT);
    log_info("m", LOG_INT("least", INT64_MIN), LOG_STR("absent", absent), LOG_INT("zero", 0));
    assert_line(end_capture(), " level=info msg=m least=-9223372036854775808 zero=0\n");
}

static const char *
text_of(const cJSON *root, const char *name)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, name));
    return value != NULL ? value : "(absent)";
}

static void
test_json_is_one_strict_object_a_line(void **state)
{
    (void)state;
    static const char odd[] = "a \"b\" \\ \n\t\x01 ä =";
    const char *absent = NULL;
    begin_capture(LOG_DEBUG, LOG_FORMAT_JSON);
    log_error("it failed", LOG_STR("odd", odd), LOG_INT("n", -5), LOG_STR("absent", absent),
              LOG_STR("empty", ""));
    log_debug("again", LOG_STR("absent", absent));
    const char *logged = end_capture();
    const char *end = strchr(logged, '\n');
    assert_non_null(end);
    CLEANUP(json_deletep) cJSON *root = NULL;
    size_t position = 0;
    assert_int_equal(json_parse(logged, (size_t)(end - logged), 1, &root, &position),
                     JSON_FAULT_NONE);
    int64_t time_us = 0;
    assert_true(clock_parse(text_of(root, "time"), &time_us));
    assert_string_equal(text_of(root, "level"), "error");
    assert_string_equal(text_of(root, "msg"), "it failed");
    assert_string_equal(text_of(root, "odd"), odd);
    assert_string_equal(text_of(root, "empty"), "");
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(root, "n")) == -5);
    assert_int_equal(cJSON_GetArraySize(root), 6);
    assert_memory_equal(end + 1, "{\"time\":", 8);
    assert_logged(end + 1, "\"level\":\"debug\",\"msg\":\"again\"}\n");
}

static void
test_error_is_logged_with_its_sqlstate_if_it_has_one(void **state)
{
    (void)state;
    Error err = {0};
    begin_capture(LOG_INFO, LOG_FORMAT_LOGFMT);
    (void)error_set(&err, REASON_CONFLICT, "the cause");
    (void)error_wrap(&err, "try");
    log_warn("m", LOG_ERR(&err));
    (void)error_set_sqlstate(&err, REASON_CONFLICT, "40001", "other");
    log_warn("m", LOG_ERR(&err));
    const char *logged = end_capture();
    assert_logged(logged, " msg=m error=\"try: the cause\"\n");
    assert_logged(logged, " msg=m error=other sqlstate=40001\n");
    assert_null(log_or_null(NULL));
    assert_null(log_or_null(""));
    assert_string_equal(log_or_null("a"), "a");
}

static void *
log_lines(void *state)
{
    for (int i = 0; i < LINES; i++)
        log_info("line", LOG_INT("number", i), LOG_STR("of", state));
    return NULL;
}

static void
test_lines_of_several_threads_stay_whole(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    static char names[THREADS][8] = {"first", "second", "third", "fourth"};
    begin_capture(LOG_INFO, LOG_FORMAT_LOGFMT);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_lines, names[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    const char *logged = end_capture();
    int lines = 0;
    for (const char *line = logged; *line != '\0'; line = strchr(line, '\n') + 1) {
        char time[CLOCK_TEXT_BYTES];
        char name[8];
        char after = 0;
        int number = -1;
        assert_int_equal(sscanf(line, "time=%31s level=info msg=line number=%d of=%7[a-z]%c", time,
                                &number, name, &after),
                         4);
        assert_int_equal(after, '\n');
        assert_in_range(number, 0, LINES - 1);
        lines++;
    }
    assert_int_equal(lines, THREADS * LINES);
}

/* What stands in the pipe now, without waiting for more. */
static size_t
drain(int pipe_fd)
{
    size_t length = 0;
    for (;;) {
        struct pollfd readable = {.fd = pipe_fd, .events = POLLIN, .revents = 0};
        if (length >= sizeof(text) - 1 || poll(&readable, 1, 0) <= 0)
            break;
        const ssize_t count = read(pipe_fd, text + length, sizeof(text) - 1 - length);
        if (count <= 0)
            break;
        length += (size_t)count;
    }
    text[length] = '\0';
    return length;
}

static int
count_lines(const char *logged, const char *part)
{
    int lines = 0;
    for (const char *at = logged; (at = strstr(at, part)) != NULL; at += strlen(part))
        lines++;
    return lines;
}

/* Where a write waits for the reader this test ends by its alarm. */
static void
lose_lines(int ends[2], LogFormat format, const char *filler)
{
    assert_int_equal(pipe(ends), 0);
    real_stderr = dup(STDERR_FILENO);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    log_init(LOG_INFO, format);
    (void)alarm(60);
    for (int i = 0; i < FLOOD; i++)
        log_info("flood", LOG_INT("number", i), LOG_STR("filler", filler));
}

static void
end_loss(const int ends[2])
{
    (void)alarm(0);
    assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
    (void)close(real_stderr);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void
test_reader_that_stands_still_loses_lines_and_is_told_how_many(void **state)
{
    (void)state;
    int ends[2];
    char lost[64];
    lose_lines(ends, LOG_FORMAT_LOGFMT, "something to fill the pipe with");
    drain(ends[0]);
    const int kept = count_lines(text, "msg=flood");
    assert_in_range(kept, 1, FLOOD - 1);
    log_info("again", LOG_INT("n", 1));
    drain(ends[0]);
    end_loss(ends);
    (void)snprintf(lost, sizeof(lost), "reader stood still\" lines=%d\n", FLOOD - kept);
    assert_logged(text, lost);
    assert_logged(text, " msg=again n=1\n");
    assert_int_equal(count_lines(text, "\n"), 2);
}

static void
test_line_that_was_cut_does_not_spoil_the_next_one(void **state)
{
    (void)state;
    static char filler[LONG_LINE];
    int ends[2];
    memset(filler, 'x', sizeof(filler) - 1);
    lose_lines(ends, LOG_FORMAT_JSON, filler);
    drain(ends[0]);
    log_info("again", LOG_INT("n", 1));
    drain(ends[0]);
    end_loss(ends);
    assert_true(text[0] == '{' || strncmp(text, "\n{", 2) == 0);
    assert_logged(text, "\"msg\":\"lines of the log were lost");
    assert_logged(text, "}\n{");
    assert_logged(text, "\"msg\":\"again\",\"n\":1}\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_below_the_level_is_not_logged),
        cmocka_unit_test(test_event_below_the_level_evaluates_nothing),
        cmocka_unit_test(test_logfmt_quotes_what_is_no_bare_word),
        cmocka_unit_test(test_logfmt_writes_whole_numbers_and_leaves_out_null),
        cmocka_unit_test(test_json_is_one_strict_object_a_line),
        cmocka_unit_test(test_error_is_logged_with_its_sqlstate_if_it_has_one),
        cmocka_unit_test(test_lines_of_several_threads_stay_whole),
        cmocka_unit_test(test_reader_that_stands_still_loses_lines_and_is_told_how_many),
        cmocka_unit_test(test_line_that_was_cut_does_not_spoil_the_next_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
