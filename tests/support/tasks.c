#include "tests/support/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

enum {
    STEPS_MAX = 100000,
    SET_MAX = 500,
    NAME_BYTES = 64,
};

static int64_t
now_us(void *state)
{
    const TestWorker *worker = state;
    return clock_now_us(clock_system()) + worker->skew_us;
}

static int64_t
monotonic_ms(void *state)
{
    const TestWorker *worker = state;
    return worker->monotonic_ms;
}

void
worker_open(TestWorker *worker, const DatabaseSettings *settings, const char *worker_id)
{
    *worker = (TestWorker){
        .settings = {.worker_id = worker_id,
                     .max_attempts = 5,
                     .lock_wait_ms = 0,
                     .preview_timeout_ms = 10000,
                     .first_batch_rows = 1000000,
                     .batch_sessions = 100,
                     .ledger_retention_hours = TASKS_RETENTION_HOURS,
                     .retry_backoff_ms = 100,
                     .retry_backoff_max_ms = 1000},
        .monotonic_ms = 1,
        .clock = {now_us, monotonic_ms, worker},
    };
    worker->context = (TaskContext){.database = postgres_open(settings),
                                    .settings = &worker->settings,
                                    .clock = &worker->clock};
}

void
worker_done(TestWorker *worker)
{
    database_free(worker->context.database);
}

void
worker_run_set(TestWorker *worker, const SentCommand *const *sent, size_t count,
               TaskOutcome *outcomes)
{
    Error err = {0};
    TaskItem items[SET_MAX];
    assert_in_range(count, 1, SET_MAX);
    for (size_t i = 0; i < count; i++)
        items[i] = sent_item(sent[i]);
    ASSERT_OK(task_run_set(&worker->context, items, count, 1, outcomes, &err), &err);
}

void
worker_run(TestWorker *worker, const SentCommand *sent, TaskOutcome *ret_outcome)
{
    Error err = {0};
    CLEANUP(long_command_freep) LongCommand *long_command = long_command_new();
    const TaskItem item = sent_item(sent);
    assert_non_null(long_command);
    task_outcome_done(ret_outcome);
    switch (task_shape(&sent->command)) {
    case TASK_SHAPE_SET:
        worker_run_set(worker, &sent, 1, ret_outcome);
        break;
    case TASK_SHAPE_READ:
        ASSERT_OK(task_run_read(&worker->context, &item, 1, ret_outcome, &err), &err);
        break;
    case TASK_SHAPE_LONG_COMMAND:
        worker_finish_long_command(worker, sent, long_command, ret_outcome);
        break;
    }
}

int
worker_claim(TestWorker *worker, LongCommand *long_command)
{
    int claim = CLAIM_EXCLUSIVE;
    while (!long_command_claim(long_command, worker->monotonic_ms, &claim)) {
        const int64_t next_ms = long_command_next_ms(long_command);
        assert_true(next_ms > worker->monotonic_ms && next_ms < INT64_MAX);
        worker->monotonic_ms = next_ms;
    }
    return claim;
}

TaskStep
worker_step(TestWorker *worker, const SentCommand *sent, LongCommand *long_command,
            TaskOutcome *ret_outcome)
{
    Error err = {0};
    const TaskItem item = sent_item(sent);
    task_outcome_done(ret_outcome);
    const int claim = worker_claim(worker, long_command);
    ASSERT_OK(task_step_long_command(&worker->context, &item,
                                     &(TaskTurn){long_command, claim, NULL}, ret_outcome, &err),
              &err);
    return ret_outcome->step;
}

void
worker_finish_long_command(TestWorker *worker, const SentCommand *sent, LongCommand *long_command,
                           TaskOutcome *ret_outcome)
{
    for (int i = 0; i < STEPS_MAX; i++) {
        if (worker_step(worker, sent, long_command, ret_outcome) != TASK_REQUEUE)
            return;
    }
    fail_msg("%s never ends", sent->command.id);
}

/* The caller deletes the whole of it. */
static cJSON *
find_member(const TaskOutcome *outcome, const char *path, const cJSON **ret_member)
{
    assert_non_null(outcome->result);
    cJSON *result = cJSON_Parse(outcome->result);
    const cJSON *member = result;
    while (member != NULL && *path != '\0') {
        char name[NAME_BYTES];
        const size_t length = strcspn(path, ".");
        (void)snprintf(name, sizeof(name), "%.*s", (int)length, path);
        member = cJSON_GetObjectItemCaseSensitive(member, name);
        path += length + (path[length] == '.');
    }
    if (member == NULL)
        fail_msg("%s is not in %s", path, outcome->result);
    *ret_member = member;
    return result;
}

int64_t
outcome_number(const TaskOutcome *outcome, const char *path)
{
    const cJSON *member;
    cJSON *result = find_member(outcome, path, &member);
    assert_true(cJSON_IsNumber(member));
    const int64_t number = (int64_t)member->valuedouble;
    cJSON_Delete(result);
    return number;
}

bool
outcome_is_null(const TaskOutcome *outcome, const char *path)
{
    const cJSON *member;
    cJSON *result = find_member(outcome, path, &member);
    const bool is_null = cJSON_IsNull(member);
    cJSON_Delete(result);
    return is_null;
}

void
assert_outcome_text(const TaskOutcome *outcome, const char *path, const char *expected)
{
    const cJSON *member;
    cJSON *result = find_member(outcome, path, &member);
    assert_true(cJSON_IsString(member));
    assert_string_equal(member->valuestring, expected);
    cJSON_Delete(result);
}

static void
assert_stored(PgConn *conn, const char *command_id, const TaskOutcome *outcome)
{
    Error err = {0};
    PGresult *rows = NULL;
    const PgParam params[] = {pg_param_text(command_id)};
    ASSERT_OK(pg_conn_exec_params(conn,
                                  "SELECT encode(result, 'hex') FROM "
                                  "cleanup_worker.ledger WHERE command_id = $1",
                                  params, 1, &rows, &err),
              &err);
    assert_int_equal(pg_result_rows(rows), 1);
    assert_string_equal(pg_result_hex(rows, 0, 0), outcome->result);
    pg_result_free(rows);
}

void
assert_finished(PgConn *conn, const SentCommand *sent, const TaskOutcome *outcome,
                const char *status)
{
    assert_int_equal(outcome->step, TASK_FINISHED);
    assert_string_equal(outcome->status, status);
    assert_outcome_text(outcome, "status", status);
    assert_int_equal(ledger_count(conn, sent->command.key, status), 1);
    assert_stored(conn, sent->command.key, outcome);
}

void
assert_published_again(const TaskOutcome *outcome, const TaskOutcome *first)
{
    assert_int_equal(outcome->step, TASK_FINISHED);
    assert_string_equal(outcome->result, first->result);
    assert_string_equal(outcome->status, first->status);
    assert_int_equal(outcome->finished_at_us, first->finished_at_us);
    assert_int_equal(outcome->attempts, first->attempts);
    assert_int_equal(outcome->dead_letter, first->dead_letter);
    if (first->dead_letter)
        assert_string_equal(outcome->reason, first->reason);
}

int64_t
ledger_count(PgConn *conn, const char *command_id, const char *state)
{
    return postgres_number(conn,
                           "SELECT count(*) FROM cleanup_worker.ledger "
                           "WHERE command_id = '%s' AND state = '%s'",
                           command_id, state);
}
