/*
 * Every folder of tests/golden is one command in and one result out, compared byte for byte.
 * conflict.txt is the sentence under which a command that was accepted is rejected after all.
 * CLEANUP_TEST_UPDATE_GOLDENS=1 writes the results anew; read the difference before committing it.
 */
#include "common/clock.h"
#include "common/json.h"
#include "tests/support/test_arena.h"
#include "worker/message/result.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    FILE_MAX = 200000,
    HEADERS_MAX = 16,
};

static const CommandFloors floors = {1, 1};

static bool
read_file(const char *folder, const char *name, char **ret_text, size_t *ret_size)
{
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/tests/golden/%s/%s", SOURCE_DIR, folder, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    *ret_text = calloc(1, FILE_MAX);
    assert_non_null(*ret_text);
    *ret_size = fread(*ret_text, 1, FILE_MAX - 1, file);
    (void)fclose(file);
    return true;
}

static void
write_result(const char *folder, const char *result)
{
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/tests/golden/%s/result.json", SOURCE_DIR, folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "%s\n", result) > 0);
    assert_int_equal(fclose(file), 0);
}

static const char *
text_of(const cJSON *object, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(member) ? member->valuestring : NULL;
}

static ErrorCode
code_of(const char *name)
{
    for (int code = 0; code < ERROR_CODE_COUNT; code++) {
        if (strcmp(error_code_name((ErrorCode)code), name) == 0)
            return (ErrorCode)code;
    }
    fail_msg("there is no error code %s", name);
    return ERROR_CODE_COUNT;
}

static ResultStatus
status_of(const char *name)
{
    for (int status = RESULT_SUCCEEDED; status <= RESULT_CANCELLED; status++) {
        if (strcmp(result_status_name((ResultStatus)status), name) == 0)
            return (ResultStatus)status;
    }
    fail_msg("there is no status %s", name);
    return RESULT_FAILED;
}

static char *
print_outcome(const char *folder, const Command *command, const Record *source)
{
    CLEANUP(autofree) char *text = NULL;
    size_t size;
    if (!read_file(folder, "outcome.json", &text, &size))
        fail_msg("%s was accepted, but has no outcome.json", folder);
    CLEANUP(json_deletep) cJSON *outcome = cJSON_Parse(text);
    assert_non_null(outcome);
    Result result = {0};
    result_from_command(command, source, "host-1", &result);
    result.status = status_of(text_of(outcome, "status"));
    result.message = text_of(outcome, "message");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(outcome, "data");
    CLEANUP(autofree) char *printed = cJSON_IsNull(data) ? NULL : cJSON_PrintUnformatted(data);
    result.data = printed;
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(outcome, "error");
    if (cJSON_IsObject(error)) {
        result.has_error = true;
        result.error_code = code_of(text_of(error, "code"));
        result.error_message = text_of(error, "message");
        result.error_sqlstate = text_of(error, "sqlstate");
    }
    result.attempts = cJSON_GetObjectItemCaseSensitive(outcome, "attempts")->valueint;
    const char *started = text_of(outcome, "started_at");
    result.has_started_at = started != NULL && clock_parse(started, &result.started_at_us);
    assert_true(clock_parse(text_of(outcome, "finished_at"), &result.finished_at_us));
    return result_print(&arena, &result);
}

static char *
answer(const char *folder, const Record *source)
{
    Command command;
    Rejection rejection;
    switch (command_parse(source, &floors, &command, &rejection)) {
    case COMMAND_ACCEPTED: {
        CLEANUP(autofree) char *conflict = NULL;
        size_t size;
        if (read_file(folder, "conflict.txt", &conflict, &size)) {
            conflict[strcspn(conflict, "\n")] = '\0';
            rejection_of_command(&command, ERROR_CODE_ID_CONFLICT, conflict, &rejection);
            char *printed = result_print_rejection(&arena, &rejection, source, "host-1",
                                                   1763863200000000, 1763863200000100);
            command_done(&command);
            return printed;
        }
        char *printed = print_outcome(folder, &command, source);
        command_done(&command);
        return printed;
    }
    case COMMAND_REJECTED: {
        const char *dash = strchr(folder, '-');
        assert_non_null(dash);
        assert_true(strncmp(folder, "rejected-", 9) == 0);
        const char *code = error_code_name(rejection.code);
        assert_memory_equal(folder + 9, code, strlen(code));
        char *printed = result_print_rejection(&arena, &rejection, source, "host-1",
                                               1763863200000000, 1763863200000100);
        rejection_done(&rejection);
        return printed;
    }
    case COMMAND_OUT_OF_MEMORY:
        break;
    }
    fail_msg("out of memory");
    return NULL;
}

static size_t
read_headers(const cJSON *object, RecordHeader *headers)
{
    size_t count = 0;
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        assert_true(count < HEADERS_MAX);
        headers[count++] = (RecordHeader){member->string, BYTES_TEXT(member->valuestring)};
    }
    return count;
}

static void
check_case(const char *folder)
{
    CLEANUP(autofree) char *value = NULL;
    CLEANUP(autofree) char *header_text = NULL;
    CLEANUP(autofree) char *expected = NULL;
    size_t size = 0;
    size_t ignored;
    if (!read_file(folder, "command.json", &value, &size))
        assert_true(read_file(folder, "command.bin", &value, &size));
    CLEANUP(json_deletep) cJSON *header_object = NULL;
    if (read_file(folder, "headers.json", &header_text, &ignored))
        header_object = cJSON_Parse(header_text);
    RecordHeader headers[HEADERS_MAX];
    const Record source = {.topic = "cleanup.commands",
                           .partition = 3,
                           .offset = 1741,
                           .timestamp_ms = 1763863200000,
                           .value = {value, size},
                           .headers = headers,
                           .header_count = read_headers(header_object, headers)};
    const char *printed = answer(folder, &source);
    assert_non_null(printed);
    if (getenv("CLEANUP_TEST_UPDATE_GOLDENS") != NULL)
        write_result(folder, printed);
    if (!read_file(folder, "result.json", &expected, &ignored))
        fail_msg("%s has no result.json", folder);
    expected[strcspn(expected, "\n")] = '\0';
    if (strcmp(expected, printed) != 0)
        fail_msg("%s:\nexpected %s\nprinted  %s", folder, expected, printed);
}

static void
test_print_every_golden_is_byte_for_byte(void **state)
{
    (void)state;
    DIR *folders = opendir(SOURCE_DIR "/tests/golden");
    assert_non_null(folders);
    int cases = 0;
    bool code_seen[ERROR_CODE_COUNT] = {false};
    for (const struct dirent *entry = readdir(folders); entry != NULL; entry = readdir(folders)) {
        if (entry->d_name[0] == '.')
            continue;
        check_case(entry->d_name);
        for (int code = 0; code < ERROR_CODE_COUNT; code++) {
            const char *name = error_code_name((ErrorCode)code);
            code_seen[code] |= strncmp(entry->d_name, "rejected-", 9) == 0 &&
                               strncmp(entry->d_name + 9, name, strlen(name)) == 0;
        }
        cases++;
    }
    closedir(folders);
    assert_true(cases > 30);
    for (int code = 0; code < ERROR_CODE_EXPIRED; code++) {
        if (!code_seen[code])
            fail_msg("no golden is rejected for %s", error_code_name((ErrorCode)code));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_print_every_golden_is_byte_for_byte)};
    return cmocka_run_group_tests(tests, NULL, test_arena_tear_down);
}
