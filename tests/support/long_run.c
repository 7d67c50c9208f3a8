#include "tests/support/long_run.h"

#include "worker/message/identity.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

void
long_run_init(LongRun *command, const DatabaseSettings *settings, CommandTask task)
{
    *command = (LongRun){
        .database = postgres_open(settings),
        .settings = {.worker_id = "w",
                     .max_attempts = 3,
                     .first_batch_rows = LONG_RUN_WINDOW,
                     .batch_sessions = LONG_RUN_WINDOW,
                     .ledger_retention_hours = 360},
        .command = {.id = "long",
                    .key = "long",
                    .task = task,
                    .params = {.inactive_hours = 24, .expiration_minutes = 60}},
        .source = {.topic = "commands",
                   .timestamp_ms = clock_now_us(clock_system()) / CLOCK_US_PER_MS},
        .long_command = long_command_new(),
    };
    assert_non_null(command->long_command);
    identity_of_content(task, &command->command.params, command->command.content);
    command->context = (TaskContext){
        .database = command->database, .settings = &command->settings, .clock = clock_system()};
    command->item = (TaskItem){&command->command, &command->source};
}

void
long_run_done(LongRun *command)
{
    task_outcome_done(&command->outcome);
    long_command_free(command->long_command);
    database_free(command->database);
}

void
long_run_step(LongRun *command, int count)
{
    Error err = {0};
    for (int i = 0; i < count; i++, command->steps++) {
        int claim = CLAIM_EXCLUSIVE;
        while (
            !long_command_claim(command->long_command, clock_monotonic_ms(clock_system()), &claim))
            (void)poll(NULL, 0, 1);
        task_outcome_done(&command->outcome);
        ASSERT_OK(task_step_long_command(&command->context, &command->item,
                                         &(TaskTurn){command->long_command, claim, NULL},
                                         &command->outcome, &err),
                  &err);
        if (command->outcome.note != NULL)
            fail_msg("%s", command->outcome.note->text);
        if (command->outcome.step != TASK_REQUEUE)
            return;
    }
}

void
assert_long_run_count(const LongRun *command, const char *member, int64_t count)
{
    assert_int_equal(command->outcome.step, TASK_FINISHED);
    cJSON *result = cJSON_Parse(command->outcome.result);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(result, "data");
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(data, member);
    if (!cJSON_IsNumber(found) || (int64_t)found->valuedouble != count)
        fail_msg("expected %s %lld: %s", member, (long long)count, command->outcome.result);
    cJSON_Delete(result);
}
