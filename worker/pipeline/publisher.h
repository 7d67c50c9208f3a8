/*
 * publisher: sends results and dead letters, and reports to the coordinator what has arrived.
 *
 * Owns:      the outcomes between an executor and their delivery; through its delivery the
 * producer; one thread. Threads:   publisher_push from any; the rest from the thread that made it.
 * Invariant: an outcome is reported when all of its records were delivered, and never otherwise;
 * one of a dead lane is dropped, because the partition's next owner publishes it from the ledger.
 */
#ifndef WORKER_PIPELINE_PUBLISHER_H
#define WORKER_PIPELINE_PUBLISHER_H

#include "worker/pipeline/inbox.h"
#include "worker/pipeline/pipeline.h"

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
    int64_t not_before_ms;
    bool deferred; /* no longer counted among the bytes that wait */
    PublishItem *next;
};

void publish_item_free(PublishItem *item);
DEFINE_FREEP(PublishItem, publish_item_free)

size_t publish_item_size(const PublishItem *item);

typedef struct Publisher Publisher;

/* Opens the producer and starts the thread. All is borrowed. */
bool publisher_start(const PipelineSettings *settings, const Clock *clock, Inbox *inbox,
                     Publisher **ret_publisher, Error *err) MUST_CHECK;

/* Hands an outcome over; takes ownership. With `may_wait` it blocks while too many bytes wait to be
 * published, but no longer once the publisher is stopping. */
void publisher_push(Publisher *publisher, PublishItem *item, bool may_wait);

/* From that time on (monotonic) no call to Kafka goes on: the grace is over. */
void publisher_set_deadline(Publisher *publisher, int64_t deadline_ms);

/* Nobody waits in publisher_push from here on. */
void publisher_release_waiters(Publisher *publisher);

/* Delivers what it has until shortly before `deadline_ms` (monotonic, of the system's clock), ends
 * the thread, closes the producer, frees all. False when the thread is still inside a call to Kafka
 * at that time: then it, and what it uses, must be left alone. NULL is harmless. */
bool publisher_stop(Publisher *publisher, int64_t deadline_ms) MUST_CHECK;

#endif
