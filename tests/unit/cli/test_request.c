#include "worker/cli/request.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/uuid_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include <cmocka.h>

enum { WORDS_MAX = 8 };

static const RequestOptions no_options = {0};

static void
make(const char *const *words, size_t count, const RequestOptions *options, Request *ret_request)
{
    char texts[WORDS_MAX][80];
    char *copies[WORDS_MAX];
    Error err = {0};
    assert_in_range(count, 1, WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "%s", words[i]);
        copies[i] = texts[i];
    }
    if (!request_from_words(copies, count, options, ret_request, &err))
        fail_msg("%s", err.text);
}

static cJSON *
parse(const Request *request)
{
    cJSON *root = NULL;
    size_t position = 0;
    assert_int_equal(json_parse(request->json, strlen(request->json), 4, &root, &position),
                     JSON_FAULT_NONE);
    return root;
}

static const cJSON *
member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *
text_of(const cJSON *object, const char *name)
{
    const char *value = cJSON_GetStringValue(member(object, name));
    return value != NULL ? value : "(absent)";
}

static void
test_from_words_values_are_sent_as_what_they_look_like(void **state)
{
    (void)state;
    static const char *const words[] = {"a_task", "hours=1.5",        "dry_run=true", "name=x y",
                                        "zero=0", "text=007 =x=\"\\", "empty=",       "null=null"};
    CLEANUP(request_done) Request request = {0};
    make(words, ARRAY_LEN(words), &no_options, &request);
    CLEANUP(json_deletep) cJSON *root = parse(&request);
    const cJSON *params = member(root, "params");
    assert_string_equal(text_of(root, "task"), "a_task");
    assert_string_equal(text_of(root, "command_id"), request.id);
    assert_true(cJSON_GetNumberValue(member(params, "hours")) == 1.5);
    assert_true(cJSON_IsTrue(member(params, "dry_run")));
    assert_true(cJSON_IsNumber(member(params, "zero")));
    assert_string_equal(text_of(params, "name"), "x y");
    assert_string_equal(text_of(params, "text"), "007 =x=\"\\");
    assert_string_equal(text_of(params, "empty"), "");
    assert_string_equal(text_of(params, "null"), "null");
    assert_int_equal(cJSON_GetArraySize(params), 7);
    assert_null(member(root, "requested_by"));
    assert_null(member(root, "expires_at"));
    assert_string_equal(request.key, "a_task");
}

static void
test_from_words_makes_up_ids_that_differ(void **state)
{
    (void)state;
    static const char *const words[] = {"a_task"};
    CLEANUP(request_done) Request first = {0};
    CLEANUP(request_done) Request second = {0};
    uuid_t uuid;
    make(words, 1, &no_options, &first);
    make(words, 1, &no_options, &second);
    assert_int_equal(strlen(first.id), UUID_TEXT_LENGTH);
    assert_int_equal(uuid_parse(first.id, uuid), 0);
    assert_string_not_equal(first.id, second.id);
}

static void
test_from_words_options_become_members(void **state)
{
    (void)state;
    static const char *const words[] = {"a_task"};
    const RequestOptions options = {"my-id", "me", true, 60000};
    int64_t asked_us = 0;
    int64_t expires_us = 0;
    CLEANUP(request_done) Request request = {0};
    make(words, 1, &options, &request);
    CLEANUP(json_deletep) cJSON *root = parse(&request);
    assert_string_equal(request.id, "my-id");
    assert_string_equal(text_of(root, "command_id"), "my-id");
    assert_string_equal(text_of(root, "requested_by"), "me");
    assert_true(clock_parse(text_of(root, "requested_at"), &asked_us));
    assert_true(clock_parse(text_of(root, "expires_at"), &expires_us));
    assert_true(expires_us - asked_us == 60000 * CLOCK_US_PER_MS);
}

static void
test_from_words_user_is_the_key(void **state)
{
    (void)state;
    static const char *const words[] = {"a_task", "user_id=u-1"};
    static const char *const number[] = {"a_task", "user_id=1"};
    CLEANUP(request_done) Request request = {0};
    CLEANUP(request_done) Request other = {0};
    make(words, 2, &no_options, &request);
    assert_string_equal(request.key, "u-1");
    make(number, 2, &no_options, &other);
    assert_string_equal(other.key, "a_task");
}

static void
test_from_words_word_that_is_no_param_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        const char *complaint;
    } cases[] = {
        {"hours", "a param is written name=value, not \"hours\""},
        {"=5", "a param is written name=value, not \"=5\""},
        {"given=2", "param given is given twice"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char task[] = "a_task";
        char given[] = "given=1";
        char word[16];
        char *words[] = {task, given, word};
        Request request = {0};
        Error err = {0};
        (void)snprintf(word, sizeof(word), "%s", cases[i].word);
        assert_false(request_from_words(words, 3, &no_options, &request, &err));
        assert_int_equal(err.kind, ERROR_REJECT);
        assert_string_equal(err.text, cases[i].complaint);
        assert_null(request.id);
    }
}

static void
assert_raw(const char *raw, const char *option_id, const char *id, const char *key)
{
    const RequestOptions options = {.id = option_id};
    CLEANUP(request_done) Request request = {0};
    Error err = {0};
    assert_true(request_from_raw(raw, &options, &request, &err));
    assert_string_equal(request.json, raw);
    if (id == NULL)
        assert_null(request.id);
    else
        assert_string_equal(request.id, id);
    if (key == NULL)
        assert_null(request.key);
    else
        assert_string_equal(request.key, key);
}

static void
test_from_raw_bytes_stay_and_tell_id_and_key(void **state)
{
    (void)state;
    assert_raw("{\"task\": \"t\", \"command_id\":\"c\"}", NULL, "c", "t");
    assert_raw("{\"task\":\"t\",\"params\":{\"user_id\":\"u\"}}", NULL, NULL, "u");
    assert_raw("{\"task\":\"t\",\"command_id\":\"c\"}", "mine", "mine", "t");
    assert_raw("{\"command_id\":5}", NULL, NULL, NULL);
    assert_raw("no json", NULL, NULL, NULL);
    assert_raw("no json", "mine", "mine", NULL);
    assert_raw("", NULL, NULL, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_words_values_are_sent_as_what_they_look_like),
        cmocka_unit_test(test_from_words_makes_up_ids_that_differ),
        cmocka_unit_test(test_from_words_options_become_members),
        cmocka_unit_test(test_from_words_user_is_the_key),
        cmocka_unit_test(test_from_words_word_that_is_no_param_is_refused),
        cmocka_unit_test(test_from_raw_bytes_stay_and_tell_id_and_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
