#include "tests/unit/message/parsing.h"
#include "worker/message/params.h"

#define U "0d0c5b1e-8a51-4d4e-9c66-1f0f3f6f9a01"

static const CommandFloors no_floors = {0, 0};

/* Which params each task takes, as the contract's table has it. */
static const struct {
    CommandTask task;
    const char *takes;
} contract[] = {
    {COMMAND_CLEANUP_INACTIVE_SESSIONS, "inactive_hours dry_run"},
    {COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "user_id inactive_hours dry_run"},
    {COMMAND_GET_INACTIVE_SESSIONS_PREVIEW, "inactive_hours user_id limit"},
    {COMMAND_EXPIRE_PENDING_BOOKINGS, "expiration_minutes dry_run"},
    {COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW, "expiration_minutes limit"},
    {COMMAND_SCHEDULED_CLEANUP, "inactive_hours expiration_minutes dry_run"},
};

static const struct {
    const char *name;
    const char *valid;
} params[] = {
    {"user_id", "\"" U "\""},    {"inactive_hours", "2"},
    {"expiration_minutes", "2"}, {"limit", "2"},
    {"dry_run", "true"},         {"approve_rows", "1"},
    {"preview_token", "\"x\""},  {"Inactive_Hours", "2"},
};

static Record
with_params(char *text, size_t size, CommandTask task, const char *list)
{
    const bool user = task == COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER;
    const bool named = strstr(list, "user_id") != NULL;
    (void)snprintf(text, size, "{\"task\":\"%s\",\"params\":{%s%s%s}}", command_task_name(task),
                   user && !named ? "\"user_id\":\"" U "\"" : "",
                   user && !named && list[0] != '\0' ? "," : "", list);
    return record_of(text);
}

static void
assert_params(const CommandParams *read, const CommandParams *expected)
{
    assert_string_equal(read->user_id, expected->user_id);
    assert_true(read->inactive_hours == expected->inactive_hours);
    assert_true(read->expiration_minutes == expected->expiration_minutes);
    assert_int_equal(read->limit, expected->limit);
    assert_int_equal(read->dry_run, expected->dry_run);
}

static void
test_every_task_takes_exactly_the_params_of_the_contract(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(contract), COMMAND_TASK_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(contract); i++) {
        for (size_t p = 0; p < ARRAY_LEN(params); p++) {
            char list[128];
            char text[512];
            (void)snprintf(list, sizeof(list), "\"%s\":%s", params[p].name, params[p].valid);
            const Record record = with_params(text, sizeof(text), contract[i].task, list);
            if (strstr(contract[i].takes, params[p].name) != NULL) {
                Command command = accept_record(&record, &no_floors);
                command_done(&command);
            } else {
                assert_record_rejected(&record, ERROR_CODE_UNKNOWN_PARAM, params[p].name);
            }
        }
    }
}

static void
test_params_absent_take_the_contracts_defaults(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(contract); i++) {
        char text[512];
        const Record record = with_params(text, sizeof(text), contract[i].task, "");
        Command command = accept_record(&record, &no_floors);
        const CommandParams *read = &command.params;
        const char *takes = contract[i].takes;
        assert_true(read->inactive_hours == (strstr(takes, "inactive_hours") != NULL ? 24.0 : 0.0));
        assert_true(read->expiration_minutes ==
                    (strstr(takes, "expiration_minutes") != NULL ? 15.0 : 0.0));
        assert_int_equal(read->limit, strstr(takes, "limit") != NULL ? 100 : 0);
        assert_false(read->dry_run);
        command_done(&command);
    }
}

static void
test_params_at_the_edges_are_taken(void **state)
{
    (void)state;
    static const struct {
        CommandTask task;
        const char *list;
        CommandParams read;
    } cases[] = {
        {COMMAND_CLEANUP_INACTIVE_SESSIONS, "\"inactive_hours\":87600", {.inactive_hours = 87600}},
        {COMMAND_CLEANUP_INACTIVE_SESSIONS,
         "\"inactive_hours\":1e-3,\"dry_run\":true",
         {.inactive_hours = 0.001, .dry_run = true}},
        {COMMAND_CLEANUP_INACTIVE_SESSIONS,
         "\"inactive_hours\":0.5,\"dry_run\":false",
         {.inactive_hours = 0.5}},
        {COMMAND_EXPIRE_PENDING_BOOKINGS,
         "\"expiration_minutes\":525600",
         {.expiration_minutes = 525600}},
        {COMMAND_EXPIRE_PENDING_BOOKINGS,
         "\"expiration_minutes\":0.1",
         {.expiration_minutes = 0.1}},
        {COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW,
         "\"limit\":1,\"expiration_minutes\":7",
         {.limit = 1, .expiration_minutes = 7}},
        {COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW,
         "\"limit\":1e3",
         {.limit = 1000, .expiration_minutes = 15}},
        {COMMAND_GET_INACTIVE_SESSIONS_PREVIEW,
         "\"limit\":1000.0,\"user_id\":\"0D0C5B1E-8A51-4D4E-9C66-1F0F3F6F9A01\"",
         {.limit = 1000, .inactive_hours = 24, .user_id = U}},
        {COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER,
         "\"user_id\":\"" U "\",\"inactive_hours\":3,\"dry_run\":true",
         {.user_id = U, .inactive_hours = 3, .dry_run = true}},
        {COMMAND_SCHEDULED_CLEANUP,
         "\"expiration_minutes\":2,\"inactive_hours\":3",
         {.inactive_hours = 3, .expiration_minutes = 2}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[512];
        const Record record = with_params(text, sizeof(text), cases[i].task, cases[i].list);
        Command command = accept_record(&record, &no_floors);
        assert_params(&command.params, &cases[i].read);
        command_done(&command);
    }
}

/* Each value, put into each param of a kind, is refused, and the sentence shows it. */
static void
assert_values_refused(CommandTask task, const char *name, const char *const *values, size_t count,
                      const char *takes)
{
    for (size_t i = 0; i < count; i++) {
        char list[256];
        char text[512];
        char part[512];
        (void)snprintf(list, sizeof(list), "\"%s\":%s", name, values[i]);
        (void)snprintf(part, sizeof(part), "%s is %s, but takes %s", name, values[i], takes);
        const Record record = with_params(text, sizeof(text), task, list);
        assert_record_rejected(&record, ERROR_CODE_INVALID_PARAM, part);
    }
}

static void
test_params_of_other_type_or_range_are_refused(void **state)
{
    (void)state;
    static const char *const hours[] = {"0",    "-1",   "87600.5", "\"24\"", "null",
                                        "true", "[24]", "{}",      "\"\""};
    static const char *const minutes[] = {"0", "-0.5", "525600.5", "\"15\"", "null", "false"};
    static const char *const limits[] = {"0", "-1", "1001", "1.5", "\"100\"", "null", "true"};
    static const char *const flags[] = {"0", "1", "\"true\"", "null", "[]"};
    static const char *const ids[] = {"1",
                                      "null",
                                      "\"\"",
                                      "\"0d0c5b1e8a514d4e9c661f0f3f6f9a01\"",
                                      "\"{0d0c5b1e-8a51-4d4e-9c66-1f0f3f6f9a0}\"",
                                      "\"0d0c5b1e-8a51-4d4e-9c66-1f0f3f6f9a0g\"",
                                      "\"0d0c5b1e-8a51-4d4e-9c66-1f0f3f6f9a01 \"",
                                      "\"0d0c5b1e-8a51-4d4e-9c661-f0f3f6f9a01\""};
    assert_values_refused(COMMAND_CLEANUP_INACTIVE_SESSIONS, "inactive_hours", hours,
                          ARRAY_LEN(hours), "a number above 0 and at most 87600");
    assert_values_refused(COMMAND_SCHEDULED_CLEANUP, "expiration_minutes", minutes,
                          ARRAY_LEN(minutes), "a number above 0 and at most 525600");
    assert_values_refused(COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW, "limit", limits, ARRAY_LEN(limits),
                          "a whole number from 1 to 1000");
    assert_values_refused(COMMAND_EXPIRE_PENDING_BOOKINGS, "dry_run", flags, ARRAY_LEN(flags),
                          "true or false");
    assert_values_refused(COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER, "user_id", ids,
                          ARRAY_LEN(ids), "a UUID as a string");
}

static void
test_user_id_absent_is_missing_only_where_required(void **state)
{
    (void)state;
    Record record = record_of("{\"task\":\"cleanup_inactive_sessions_for_user\"}");
    assert_record_rejected(&record, ERROR_CODE_MISSING_PARAM, "user_id");
    record = record_of("{\"task\":\"get_inactive_sessions_preview\"}");
    Command command = accept_record(&record, &no_floors);
    assert_string_equal(command.params.user_id, "");
    command_done(&command);
}

static void
test_params_below_the_floor_are_refused_with_both_numbers(void **state)
{
    (void)state;
    static const CommandFloors floors = {1, 5};
    Record record =
        record_of("{\"task\":\"scheduled_cleanup\",\"params\":{\"inactive_hours\":0.99999999}}");
    Rejection rejection = reject_record(
        &record, &floors, ERROR_CODE_BELOW_FLOOR,
        "inactive_hours is 0.99999999, but limits.min_inactive_hours asks for 1 or more");
    rejection_done(&rejection);
    record =
        record_of("{\"task\":\"expire_pending_bookings\",\"params\":{\"expiration_minutes\":4}}");
    rejection = reject_record(&record, &floors, ERROR_CODE_BELOW_FLOOR, "expiration_minutes is 4,");
    rejection_done(&rejection);
    record = record_of("{\"task\":\"scheduled_cleanup\",\"params\":{\"inactive_hours\":1,"
                       "\"expiration_minutes\":5}}");
    Command command = accept_record(&record, &floors);
    command_done(&command);
}

/* A default, too, is checked: an operator's floor of 48 hours is not passed under by saying
 * nothing. */
static void
test_defaults_below_the_floor_are_refused(void **state)
{
    (void)state;
    static const CommandFloors floors = {48, 0};
    const Record record = record_of("{\"task\":\"cleanup_inactive_sessions\"}");
    Rejection rejection =
        reject_record(&record, &floors, ERROR_CODE_BELOW_FLOOR, "inactive_hours is 24");
    rejection_done(&rejection);
}

static void
test_sentence_about_a_long_value_is_cut_between_characters(void **state)
{
    (void)state;
    char text[1024] = "{\"task\":\"cleanup_inactive_sessions\",\"params\":{\"inactive_hours\":\"";
    for (int i = 0; i < 200; i++)
        strncat(text, "é", sizeof(text) - strlen(text) - 1);
    strncat(text, "\"}}", sizeof(text) - strlen(text) - 1);
    const Record record = record_of(text);
    assert_record_rejected(&record, ERROR_CODE_INVALID_PARAM, "é…, but takes");
}

static void
test_name_lists_what_the_task_takes(void **state)
{
    (void)state;
    assert_string_equal(params_name(COMMAND_EXPIRE_PENDING_BOOKINGS, 0), "expiration_minutes");
    assert_string_equal(params_name(COMMAND_EXPIRE_PENDING_BOOKINGS, 1), "dry_run");
    assert_null(params_name(COMMAND_EXPIRE_PENDING_BOOKINGS, 2));
    assert_string_equal(params_name(COMMAND_GET_INACTIVE_SESSIONS_PREVIEW, 0), "user_id");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_takes_exactly_the_params_of_the_contract),
        cmocka_unit_test(test_params_absent_take_the_contracts_defaults),
        cmocka_unit_test(test_params_at_the_edges_are_taken),
        cmocka_unit_test(test_params_of_other_type_or_range_are_refused),
        cmocka_unit_test(test_user_id_absent_is_missing_only_where_required),
        cmocka_unit_test(test_params_below_the_floor_are_refused_with_both_numbers),
        cmocka_unit_test(test_defaults_below_the_floor_are_refused),
        cmocka_unit_test(test_sentence_about_a_long_value_is_cut_between_characters),
        cmocka_unit_test(test_name_lists_what_the_task_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
