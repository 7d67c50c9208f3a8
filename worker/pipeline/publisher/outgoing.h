/*
 * outgoing: what is to be published of one command, its records, and lists of it.
 *
 * Owns:      its texts and its record; a reference to its lane, which counts as busy while the
 *            command ends with it, unless the outcome rests.
 * Threads:   one at a time: the executor or coordinator that makes it, then the publisher's.
 * Invariant: a command ends with exactly one OUTGOING_OUTCOME of its lane.
 */
#ifndef WORKER_PIPELINE_PUBLISHER_OUTGOING_H
#define WORKER_PIPELINE_PUBLISHER_OUTGOING_H

#include "worker/message/event.h"
#include "worker/pipeline/queue/job.h"
#include "worker/pipeline/settings.h"

typedef struct Outgoing Outgoing;

typedef enum OutgoingPartState {
    OUTGOING_TO_SEND,
    OUTGOING_ON_ITS_WAY,
    OUTGOING_DELIVERED
} OutgoingPartState;

enum { OUTGOING_RESULT, OUTGOING_DEAD_LETTER, OUTGOING_PARTS };

/* One record of an outcome; the delivery's own. */
typedef struct OutgoingPart {
    Outgoing *item;
    OutgoingPartState state;
} OutgoingPart;

typedef enum OutgoingKind {
    OUTGOING_OUTCOME,  /* ends its command */
    OUTGOING_PROGRESS, /* of a long command; ends nothing and is not counted as busy */
} OutgoingKind;

/* The constructors below fill the first block; from then on only its reader's own changes. */
struct Outgoing {
    OutgoingKind kind;
    Lane *lane;     /* a reference */
    Record *source; /* owned */
    size_t source_size;
    char command_id[COMMAND_ID_MAX + 1];
    char event_id[EVENT_ID_BYTES]; /* what the id of its event is, or begins with */
    int replay;
    /* Owned: the result, or the progress. NULL: nothing to publish, only the offset is finished (a
     * duplicate). */
    char *result;
    size_t result_size;
    int64_t progress_number;
    int64_t finished_at_us;
    bool dead_letter;
    char *reason; /* owned, or NULL */
    int attempts;
    bool is_urgent; /* no per-user command's, of which there are many */
    /* The delivery's own. */
    OutgoingPart parts[OUTGOING_PARTS];
    bool send_unbatched; /* was too large for its topic, perhaps only because of its batch */
    int64_t not_before_ms;
    bool deferred; /* no longer counted among the bytes that wait */
    bool suspect;  /* a record of it was not delivered, and perhaps only because of its batch */
    int failures;  /* in a row, all by itself: it is set aside */
    bool resting;  /* its lane does not count it as busy any more */
    STAILQ_ENTRY(Outgoing) entry;
};

/* What ends a job: takes the job's record and the outcome's texts. NULL, and nothing taken, when
 * out of memory. */
Outgoing *outgoing_from_outcome(Job *job, TaskOutcome *outcome) MUST_CHECK;

/* How far a job has come: takes the outcome's progress. NULL, and nothing taken, when out of
 * memory. */
Outgoing *outgoing_from_progress(const Job *job, TaskOutcome *outcome) MUST_CHECK;

/* What ends a record that is no command: takes the record and the rejection's message; the JSON in
 * `result` is copied. NULL, and nothing taken, when out of memory. */
Outgoing *outgoing_from_rejection(Lane *lane, Record **record, Rejection *rejection,
                                  const char *result, int64_t finished_at_us) MUST_CHECK;

void outgoing_free(Outgoing *item); /* NULL is harmless */

size_t outgoing_size(const Outgoing *item);

/* Its lane no longer counts it as busy: a rebalance and a drain do not wait for it. */
void outgoing_rest(Outgoing *item);

/* Its records; from here on the publisher's. */

/* How many records the outcome has: 0, or the first so many of its parts. */
int outgoing_part_count(const Outgoing *item);

/* All of its parts are to be sent, as if none had been. */
void outgoing_reset_parts(Outgoing *item);

/* Which of its outcome's parts it is: OUTGOING_RESULT or OUTGOING_DEAD_LETTER. */
int outgoing_part_index(const OutgoingPart *part);

/* The topic a part goes to; borrowed from the settings. */
const char *outgoing_part_topic(const PipelineSettings *settings, const OutgoingPart *part);

/* About how many bytes the record of a part (OUTGOING_RESULT or OUTGOING_DEAD_LETTER) has, rather
 * too many; a dead letter at most `max_bytes`, or 4 KiB when that is less. */
size_t outgoing_part_size(const Outgoing *item, int part, size_t max_bytes);

/* Whether a part of so many bytes can be made smaller: a dead letter can, down to 4 KiB. */
bool outgoing_part_can_shrink(int part, size_t bytes);

/* Renders a part; a dead letter within `max_bytes`, or 4 KiB when that is less. The caller frees
 * it. NULL when out of memory. */
Record *outgoing_render(const PipelineSettings *settings, const OutgoingPart *part,
                        size_t max_bytes) MUST_CHECK;

/* Lists; each begins with OUTGOING_LIST or outgoing_list_init. */

typedef struct OutgoingList {
    STAILQ_HEAD(OutgoingQueue, Outgoing) items;
    size_t count;
} OutgoingList;

#define OUTGOING_LIST(list)                                                                        \
    {                                                                                              \
        STAILQ_HEAD_INITIALIZER((list).items), 0                                                   \
    }

void outgoing_list_init(OutgoingList *list);
void outgoing_list_add(OutgoingList *list, Outgoing *item);
/* NULL when the list is empty. */
Outgoing *outgoing_list_take(OutgoingList *list) MUST_CHECK;
/* Moves all of `tail` to the end of the list. */
void outgoing_list_append(OutgoingList *list, OutgoingList *tail);
/* Moves all of `front` before the rest of the list. */
void outgoing_list_prepend(OutgoingList *list, OutgoingList *front);

#endif
