#include "worker/pipeline/publisher/outgoing_records.h"

#include "worker/message/dead_letter.h"
#include "worker/message/progress.h"

enum {
    DEAD_LETTER_LEAST_BYTES = 4096,
};

static bool
is_dead_letter(const OutgoingPart *part)
{
    return part == &part->item->parts[OUTGOING_DEAD_LETTER];
}

static size_t
dead_letter_limit(const Outgoing *item, size_t max_bytes)
{
    return item->dead_letter_max_bytes > 0 ? item->dead_letter_max_bytes : max_bytes;
}

int
outgoing_part_count(const Outgoing *item)
{
    if (item->result == NULL)
        return 0;
    return item->dead_letter ? OUTGOING_PARTS : OUTGOING_DEAD_LETTER;
}

const char *
outgoing_part_topic(const PipelineSettings *settings, const OutgoingPart *part)
{
    return is_dead_letter(part) ? settings->dead_letters_topic : settings->results_topic;
}

Record *
outgoing_render(const PipelineSettings *settings, const OutgoingPart *part, size_t max_bytes)
{
    const Outgoing *item = part->item;
    const EventContent content = {
        .command_id = item->command_id,
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
                              dead_letter_limit(item, max_bytes));
}

bool
outgoing_shrink(OutgoingPart *part, size_t max_bytes)
{
    Outgoing *item = part->item;
    const size_t tried = dead_letter_limit(item, max_bytes);
    if (!is_dead_letter(part) || tried <= DEAD_LETTER_LEAST_BYTES)
        return false;
    item->dead_letter_max_bytes =
        tried / 2 > DEAD_LETTER_LEAST_BYTES ? tried / 2 : DEAD_LETTER_LEAST_BYTES;
    return true;
}
