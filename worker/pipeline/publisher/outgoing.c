#include "worker/pipeline/publisher/outgoing.h"

#include "worker/message/dead_letter.h"
#include "worker/message/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    DEAD_LETTER_LEAST_BYTES = 4096,
    HEADERS_ABOUT_BYTES = 1024,
};

/* Copies id and key; the lane is referred to as the kind wants. */
static Outgoing *
outgoing_new(OutgoingKind kind, Lane *lane, const char *command_id, const char *key)
{
    Outgoing *item = calloc(1, sizeof(*item));
    if (item == NULL)
        return NULL;
    item->kind = kind;
    item->lane = kind == OUTGOING_OUTCOME ? lane_ref_busy(lane) : lane_ref(lane);
    memcpy(item->command_id, command_id, sizeof(item->command_id));
    memcpy(item->event_id, key, COMMAND_ID_MAX + 1);
    return item;
}

static char *
take_text(char **text)
{
    char *taken = *text;
    *text = NULL;
    return taken;
}

static void
take_result(Outgoing *item, char **text)
{
    item->result = take_text(text);
    item->result_size = item->result != NULL ? strlen(item->result) : 0;
}

static void
take_source(Outgoing *item, Record **record)
{
    item->source = *record;
    item->source_size = record_size(item->source);
    *record = NULL;
}

/* The id of the event that this command's id stands for is another one's. */
static void
tell_conflict(Outgoing *item)
{
    const size_t length = strlen(item->event_id);
    (void)snprintf(item->event_id + length, sizeof(item->event_id) - length,
                   "/conflict/%" PRId32 "/%" PRId64, item->source->partition, item->source->offset);
}

Outgoing *
outgoing_from_outcome(Job *job, TaskOutcome *outcome)
{
    Outgoing *item = outgoing_new(OUTGOING_OUTCOME, job->lane, job->command.id, job->command.key);
    if (item == NULL)
        return NULL;
    take_source(item, &job->record);
    if (outcome->id_conflict)
        tell_conflict(item);
    item->replay = outcome->replay;
    item->finished_at_us = outcome->finished_at_us;
    take_result(item, &outcome->result);
    item->dead_letter = outcome->dead_letter;
    item->reason = take_text(&outcome->reason);
    item->attempts = outcome->attempts;
    item->is_urgent = job->shape != TASK_SHAPE_SET;
    return item;
}

Outgoing *
outgoing_from_progress(const Job *job, TaskOutcome *outcome)
{
    Outgoing *item = outgoing_new(OUTGOING_PROGRESS, job->lane, job->command.id, job->command.key);
    if (item == NULL)
        return NULL;
    Record *copy = record_copy(job->record);
    if (copy == NULL) {
        outgoing_free(item);
        return NULL;
    }
    take_source(item, &copy);
    item->progress_number = outcome->progress_number;
    item->finished_at_us = outcome->progress_at_us;
    take_result(item, &outcome->progress);
    return item;
}

Outgoing *
outgoing_from_rejection(Lane *lane, Record **record, Rejection *rejection, const char *result,
                        int64_t finished_at_us)
{
    Outgoing *item = outgoing_new(OUTGOING_OUTCOME, lane, rejection->id, rejection->id);
    if (item == NULL)
        return NULL;
    char *copy = strdup(result);
    if (copy == NULL) {
        outgoing_free(item);
        return NULL;
    }
    take_result(item, &copy);
    take_source(item, record);
    item->finished_at_us = finished_at_us;
    item->dead_letter = true;
    item->reason = take_text(&rejection->message);
    return item;
}

void
outgoing_free(Outgoing *item)
{
    if (item == NULL)
        return;
    if (item->kind == OUTGOING_OUTCOME && !item->resting)
        lane_unref_busy(item->lane);
    else
        lane_unref(item->lane);
    record_free(item->source);
    free(item->result);
    free(item->reason);
    free(item);
}

size_t
outgoing_size(const Outgoing *item)
{
    return sizeof(*item) + item->result_size + item->source_size;
}

void
outgoing_rest(Outgoing *item)
{
    if (item->resting || item->kind != OUTGOING_OUTCOME)
        return;
    (void)lane_ref(item->lane);
    lane_unref_busy(item->lane);
    item->resting = true;
}

int
outgoing_part_index(const OutgoingPart *part)
{
    return (int)(part - part->item->parts);
}

static bool
is_dead_letter(const OutgoingPart *part)
{
    return outgoing_part_index(part) == OUTGOING_DEAD_LETTER;
}

static size_t
dead_letter_limit(size_t max_bytes)
{
    return max_bytes > DEAD_LETTER_LEAST_BYTES ? max_bytes : DEAD_LETTER_LEAST_BYTES;
}

int
outgoing_part_count(const Outgoing *item)
{
    if (item->result == NULL)
        return 0;
    return item->dead_letter ? OUTGOING_PARTS : OUTGOING_DEAD_LETTER;
}

void
outgoing_reset_parts(Outgoing *item)
{
    for (int i = 0; i < OUTGOING_PARTS; i++)
        item->parts[i] = (OutgoingPart){.item = item, .state = OUTGOING_TO_SEND};
}

const char *
outgoing_part_topic(const PipelineSettings *settings, const OutgoingPart *part)
{
    return is_dead_letter(part) ? settings->dead_letters_topic : settings->results_topic;
}

size_t
outgoing_part_size(const Outgoing *item, int part, size_t max_bytes)
{
    if (part != OUTGOING_DEAD_LETTER)
        return strlen(item->result) + HEADERS_ABOUT_BYTES;
    const size_t reason = item->reason != NULL ? strlen(item->reason) : 0;
    const size_t whole = record_size(item->source) + reason + HEADERS_ABOUT_BYTES;
    const size_t limit = dead_letter_limit(max_bytes);
    return whole < limit ? whole : limit;
}

bool
outgoing_part_can_shrink(int part, size_t bytes)
{
    return part == OUTGOING_DEAD_LETTER && bytes > DEAD_LETTER_LEAST_BYTES;
}

Record *
outgoing_render(const PipelineSettings *settings, const OutgoingPart *part, size_t max_bytes)
{
    const Outgoing *item = part->item;
    const EventContent content = {
        .command_id = item->command_id,
        .event_id = item->event_id,
        .worker_id = settings->worker_id,
        .time_us = item->finished_at_us,
        .json = item->result,
    };
    if (item->kind == OUTGOING_PROGRESS)
        return progress_record(settings->results_topic, &content, item->progress_number,
                               item->source);
    if (!is_dead_letter(part))
        return result_record(settings->results_topic, &content, item->replay, item->source);
    const DeadLetterReason reason = {
        .group = settings->kafka.group_id,
        .delivery_count = item->attempts > 0 ? item->attempts : 1,
        .message = item->reason != NULL ? item->reason : "",
    };
    return dead_letter_record(settings->dead_letters_topic, item->source, &reason,
                              dead_letter_limit(max_bytes));
}

void
outgoing_list_init(OutgoingList *list)
{
    STAILQ_INIT(&list->items);
    list->count = 0;
}

void
outgoing_list_add(OutgoingList *list, Outgoing *item)
{
    STAILQ_INSERT_TAIL(&list->items, item, entry);
    list->count++;
}

Outgoing *
outgoing_list_take(OutgoingList *list)
{
    Outgoing *item = STAILQ_FIRST(&list->items);
    if (item == NULL)
        return NULL;
    STAILQ_REMOVE_HEAD(&list->items, entry);
    list->count--;
    return item;
}

void
outgoing_list_append(OutgoingList *list, OutgoingList *tail)
{
    STAILQ_CONCAT(&list->items, &tail->items);
    list->count += tail->count;
    tail->count = 0;
}

void
outgoing_list_prepend(OutgoingList *list, OutgoingList *front)
{
    outgoing_list_append(front, list);
    outgoing_list_append(list, front);
}
