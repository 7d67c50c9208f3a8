#include "worker/pipeline/coordinator/intake.h"

#include "common/log.h"

enum {
    /* Any dotted path is an old name, so senders could make up as many as they like. */
    OLD_NAMES_MAX = 64,
};

struct Intake {
    const CommandFloors *floors;
    const char *worker_id;
    const Clock *clock;
    Arena arena; /* of one record */
    char *old_names[OLD_NAMES_MAX];
    size_t old_name_count;
};

Intake *
intake_new(const CommandFloors *floors, const char *worker_id, const Clock *clock)
{
    Intake *intake = calloc(1, sizeof(*intake));
    if (intake == NULL)
        return NULL;
    intake->floors = floors;
    intake->worker_id = worker_id;
    intake->clock = clock;
    return intake;
}

void
intake_free(Intake *intake)
{
    if (intake == NULL)
        return;
    for (size_t i = 0; i < intake->old_name_count; i++)
        free(intake->old_names[i]);
    arena_done(&intake->arena);
    free(intake);
}

static void
warn_old_name(Intake *intake, const Command *command)
{
    if (command->old_name == NULL || intake->old_name_count == OLD_NAMES_MAX)
        return;
    for (size_t i = 0; i < intake->old_name_count; i++) {
        if (strcmp(intake->old_names[i], command->old_name) == 0)
            return;
    }
    char *copy = strdup(command->old_name);
    if (copy == NULL)
        return;
    intake->old_names[intake->old_name_count++] = copy;
    log_warn("an old task name is in use", LOG_STR("old_name", command->old_name),
             LOG_STR("task", command_task_name(command->task)));
}

/* A record on its way to becoming a job or an outcome. */
typedef struct Reading {
    Record *record; /* owned; NULL once it is part of what it became */
    Lane *lane;
    int64_t received_at_us;
    Command command;
    Rejection rejection;
} Reading;

static bool
make_job(Intake *intake, Reading *reading, Job **ret_job, Error *err)
{
    warn_old_name(intake, &reading->command);
    *ret_job = job_new(&reading->command, reading->record, reading->lane);
    if (*ret_job == NULL) {
        command_done(&reading->command);
        return error_out_of_memory(err);
    }
    reading->record = NULL;
    return true;
}

static Outgoing *
make_rejected(Intake *intake, Reading *reading)
{
    const int64_t finished_at_us = clock_now_us(intake->clock);
    const char *result =
        result_print_rejection(&intake->arena, &reading->rejection, reading->record,
                               intake->worker_id, reading->received_at_us, finished_at_us);
    return result == NULL ? NULL
                          : outgoing_from_rejection(reading->lane, &reading->record,
                                                    &reading->rejection, result, finished_at_us);
}

static bool
reject(Intake *intake, Reading *reading, Outgoing **ret_rejected, Error *err)
{
    /* Neither the message nor the task's name: both quote what was sent. */
    log_warn("command rejected", LOG_STR("command_id", reading->rejection.id),
             LOG_STR("code", error_code_name(reading->rejection.code)),
             LOG_STR("topic", reading->record->topic),
             LOG_INT("partition", reading->record->partition),
             LOG_INT("offset", reading->record->offset));
    *ret_rejected = make_rejected(intake, reading);
    rejection_done(&reading->rejection);
    arena_reset(&intake->arena);
    return *ret_rejected != NULL || error_out_of_memory(err);
}

bool
intake_read(Intake *intake, Record *record, Lane *lane, Job **ret_job, Outgoing **ret_rejected,
            Error *err)
{
    Reading reading = {
        .record = record, .lane = lane, .received_at_us = clock_now_us(intake->clock)};
    bool read = false;
    *ret_job = NULL;
    *ret_rejected = NULL;
    switch (command_parse(record, intake->floors, &reading.command, &reading.rejection)) {
    case COMMAND_ACCEPTED:
        read = make_job(intake, &reading, ret_job, err);
        break;
    case COMMAND_REJECTED:
        read = reject(intake, &reading, ret_rejected, err);
        break;
    case COMMAND_OUT_OF_MEMORY:
        read = error_out_of_memory(err);
        break;
    }
    record_free(reading.record);
    return read;
}
