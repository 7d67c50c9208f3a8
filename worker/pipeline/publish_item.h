/*
 * publish_item: what is to be published of one command, and lists of it.
 *
 * Owns:      its texts and its record; a reference to its lane.
 * Threads:   one at a time: whoever made it, then the publisher's.
 */
#ifndef WORKER_PIPELINE_PUBLISH_ITEM_H
#define WORKER_PIPELINE_PUBLISH_ITEM_H

#include "common/record.h"
#include "worker/message/command.h"
#include "worker/pipeline/lane.h"

typedef struct PublishItem PublishItem;

typedef enum PublishPartState {
    PUBLISH_TO_SEND,
    PUBLISH_ON_ITS_WAY,
    PUBLISH_DELIVERED
} PublishPartState;

enum { PUBLISH_RESULT, PUBLISH_DEAD_LETTER, PUBLISH_PARTS };

/* One record of an outcome; the delivery's own. */
typedef struct PublishPart {
    PublishItem *item;
    PublishPartState state;
} PublishPart;

typedef enum PublishKind {
    PUBLISH_OUTCOME,  /* ends its command */
    PUBLISH_PROGRESS, /* of a long command; finishes nothing and is not counted as busy */
} PublishKind;

/* One outcome, or a progress. Whoever makes it fills the first block and counts the lane busy. */
struct PublishItem {
    PublishKind kind;
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
    PublishPart parts[PUBLISH_PARTS];
    size_t dead_letter_max_bytes; /* 0: what the producer takes */
    bool goes_alone;              /* was too large for its topic, perhaps for its company alone */
    int64_t not_before_ms;
    bool deferred; /* no longer counted among the bytes that wait */
    PublishItem *next;
};

void publish_item_free(PublishItem *item);
DEFINE_FREEP(PublishItem, publish_item_free)

size_t publish_item_size(const PublishItem *item);

typedef struct PublishList {
    PublishItem *first;
    PublishItem *last;
    size_t count;
} PublishList;

void publish_list_add(PublishList *list, PublishItem *item);
/* NULL when the list is empty. */
PublishItem *publish_list_take(PublishList *list);
/* Moves all of `tail` to the end of the list. */
void publish_list_append(PublishList *list, PublishList *tail);

#endif
