/*
 * outgoing: what is to be published of one command, and lists of it.
 *
 * Owns:      its texts and its record; a reference to its lane.
 * Threads:   one at a time: whoever made it, then the publisher's.
 */
#ifndef WORKER_PIPELINE_PUBLISHER_OUTGOING_H
#define WORKER_PIPELINE_PUBLISHER_OUTGOING_H

#include "common/record.h"
#include "worker/message/command.h"
#include "worker/pipeline/queue/lane.h"

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
    OUTGOING_PROGRESS, /* of a long command; finishes nothing and is not counted as busy */
} OutgoingKind;

/* One outcome, or a progress. Whoever makes it fills the first block and counts the lane busy. */
struct Outgoing {
    OutgoingKind kind;
    Lane *lane;     /* a reference */
    Record *source; /* owned */
    char command_id[COMMAND_ID_MAX + 1];
    int replay;
    /* Owned: the result, or the progress. NULL: nothing to publish, only the offset is finished (a
     * duplicate). */
    char *result;
    int64_t progress_number;
    int64_t finished_at_us;
    bool dead_letter;
    char *reason; /* owned, or NULL */
    int attempts;
    /* The delivery's own. */
    OutgoingPart parts[OUTGOING_PARTS];
    size_t dead_letter_max_bytes; /* 0: what the producer takes */
    bool send_unbatched;          /* was too large for its topic, perhaps for its company alone */
    int64_t not_before_ms;
    bool deferred; /* no longer counted among the bytes that wait */
    Outgoing *next;
};

void outgoing_free(Outgoing *item);
DEFINE_FREEP(Outgoing, outgoing_free)

size_t outgoing_size(const Outgoing *item);

typedef struct OutgoingList {
    Outgoing *first;
    Outgoing *last;
    size_t count;
} OutgoingList;

void outgoing_list_add(OutgoingList *list, Outgoing *item);
/* NULL when the list is empty. */
Outgoing *outgoing_list_take(OutgoingList *list);
/* Moves all of `tail` to the end of the list. */
void outgoing_list_append(OutgoingList *list, OutgoingList *tail);

#endif
