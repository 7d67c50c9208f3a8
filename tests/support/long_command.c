#include "tests/support/long_command.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

void
long_command_init(LongCommand *command, const DatabaseSettings *settings, CommandTask task)
{
    *command = (LongCommand){
        .database = postgres_open(settings),
        .settings = {.worker_id = "w",
                     .max_attempts = 3,
                     .batch_sessions = LONG_COMMAND_WINDOW,
                     .ledger_retention_hours = 360},
        .command = {.id = "long",
                    .task = task,
                    .params = {.inactive_hours = 24, .expiration_minutes = 60}},
        .source = {.topic = "commands",
                   .timestamp_ms = clock_now_us(clock_system()) / CLOCK_US_PER_MS},
        .chain = chain_new(),
    };
    assert_non_null(command->chain);
    command->context = (TaskContext){command->database, &command->settings, clock_system()};
    command->item = (TaskItem){&command->command, &command->source};
}

void
long_command_done(LongCommand *command)
{
    task_outcome_done(&command->outcome);
    chain_free(command->chain);
    database_free(command->database);
}

void
long_command_step(LongCommand *command, int count)
{
    Error err = {0};
    for (int i = 0; i < count; i++, command->steps++) {
        int claim = CHAIN_ALONE;
        while (!chain_claim(command->chain, clock_monotonic_ms(clock_system()), &claim))
            (void)poll(NULL, 0, 1);
        task_outcome_done(&command->outcome);
        ASSERT_OK(task_step_chain(&command->context, &command->item, command->chain, claim, NULL,
                                  &command->outcome, &err),
                  &err);
        if (command->outcome.has_note)
            fail_msg("%s", command->outcome.note.text);
        if (command->outcome.step != TASK_AGAIN)
            return;
    }
}

void
assert_long_command_count(const LongCommand *command, const char *member, int64_t count)
{
    assert_int_equal(command->outcome.step, TASK_FINISHED);
    cJSON *result = cJSON_Parse(command->outcome.result);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(result, "data");
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(data, member);
    if (!cJSON_IsNumber(found) || (int64_t)found->valuedouble != count)
        fail_msg("expected %s %lld: %s", member, (long long)count, command->outcome.result);
    cJSON_Delete(result);
}
