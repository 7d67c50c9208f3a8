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

static bool
make_rejected(Intake *intake, Rejection *rejection, Record **record, Lane *lane,
              int64_t received_at_us, Outgoing **ret_rejected, Error *err)
{
    CLEANUP(outgoing_freep) Outgoing *item = calloc(1, sizeof(*item));
    if (item == NULL)
        return error_out_of_memory(err);
    item->finished_at_us = clock_now_us(intake->clock);
    const char *result =
        result_print_rejection(&intake->arena, rejection, *record, intake->worker_id,
                               received_at_us, item->finished_at_us);
    item->result = result != NULL ? strdup(result) : NULL;
    if (item->result == NULL)
        return error_out_of_memory(err);
    memcpy(item->command_id, rejection->id, sizeof(item->command_id));
    item->dead_letter = true;
    item->reason = rejection->message;
    rejection->message = NULL;
    item->lane = lane_ref(lane);
    item->source = *record;
    *record = NULL;
    *ret_rejected = item;
    item = NULL;
    return true;
}

static bool
read_rejection(Intake *intake, Rejection *rejection, Record **record, Lane *lane,
               int64_t received_at_us, Outgoing **ret_rejected, Error *err)
{
    /* Neither the message nor the task's name: both quote what was sent. */
    log_warn("command rejected", LOG_STR("command_id", rejection->id),
             LOG_STR("code", error_code_name(rejection->code)), LOG_STR("topic", (*record)->topic),
             LOG_INT("partition", (*record)->partition), LOG_INT("offset", (*record)->offset));
    const bool made =
        make_rejected(intake, rejection, record, lane, received_at_us, ret_rejected, err);
    rejection_done(rejection);
    arena_reset(&intake->arena);
    return made;
}

bool
intake_read(Intake *intake, Record *record, Lane *lane, Job **ret_job, Outgoing **ret_rejected,
            Error *err)
{
    CLEANUP(record_freep) Record *owned = record;
    const int64_t received_at_us = clock_now_us(intake->clock);
    Command command = {0};
    Rejection rejection = {0};
    *ret_job = NULL;
    *ret_rejected = NULL;
    switch (command_parse(owned, intake->floors, &command, &rejection)) {
    case COMMAND_ACCEPTED:
        warn_old_name(intake, &command);
        *ret_job = job_new(&command, owned, lane);
        if (*ret_job != NULL) {
            owned = NULL;
            return true;
        }
        command_done(&command);
        return error_out_of_memory(err);
    case COMMAND_REJECTED:
        return read_rejection(intake, &rejection, &owned, lane, received_at_us, ret_rejected, err);
    case COMMAND_OUT_OF_MEMORY:
        break;
    }
    return error_out_of_memory(err);
}
