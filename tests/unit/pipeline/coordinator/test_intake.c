#include "worker/pipeline/coordinator/intake.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const CommandFloors floors = {1, 1};

typedef struct Read {
    Job *job;
    Outgoing *rejected;
} Read;

static Read
read_text(const char *text, Lane *lane)
{
    Error err = {0};
    Read result = {0};
    Intake *intake = intake_new(&floors, "worker-1", clock_system());
    assert_non_null(intake);
    const Record source = {.topic = "cleanup.commands",
                           .partition = 2,
                           .offset = 7,
                           .timestamp_ms = 1000,
                           .value = BYTES_TEXT(text)};
    Record *record = record_copy(&source);
    assert_non_null(record);
    assert_true(intake_read(intake, record, lane, &result.job, &result.rejected, &err));
    intake_free(intake);
    return result;
}

static void
test_read_valid_command_makes_job(void **state)
{
    (void)state;
    Lane *lane = lane_new(2, NULL);
    const Read result = read_text("{\"command_id\":\"a\",\"task\":\"scheduled_cleanup\"}", lane);
    assert_null(result.rejected);
    assert_non_null(result.job);
    assert_string_equal(result.job->command.id, "a");
    assert_int_equal(result.job->shape, TASK_SHAPE_LONG_COMMAND);
    assert_ptr_equal(result.job->lane, lane);
    assert_int_equal(result.job->record->offset, 7);
    job_free(result.job);
    lane_unref(lane);
}

static void
test_read_unknown_param_makes_rejected_outcome(void **state)
{
    (void)state;
    Lane *lane = lane_new(2, NULL);
    const Read result = read_text(
        "{\"command_id\":\"a\",\"task\":\"scheduled_cleanup\",\"params\":{\"hours\":1}}", lane);
    assert_null(result.job);
    assert_non_null(result.rejected);
    assert_string_equal(result.rejected->command_id, "a");
    assert_true(result.rejected->dead_letter);
    assert_non_null(result.rejected->reason);
    assert_non_null(strstr(result.rejected->result, "\"rejected\""));
    assert_non_null(strstr(result.rejected->result, "unknown_param"));
    outgoing_free(result.rejected);
    lane_unref(lane);
}

static void
test_read_empty_record_makes_rejected_outcome(void **state)
{
    (void)state;
    Lane *lane = lane_new(2, NULL);
    const Read result = read_text("", lane);
    assert_null(result.job);
    assert_non_null(result.rejected);
    assert_true(strlen(result.rejected->command_id) > 0);
    outgoing_free(result.rejected);
    lane_unref(lane);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_valid_command_makes_job),
        cmocka_unit_test(test_read_unknown_param_makes_rejected_outcome),
        cmocka_unit_test(test_read_empty_record_makes_rejected_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
