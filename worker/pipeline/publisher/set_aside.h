/*
 * set_aside: the outcomes that cannot be written now, so that all others can go on.
 *
 * Owns:      its outcomes, until they are taken, released or dropped; how long each topic that is
 *            out of order, and each outcome that failed by itself, has to wait for its next try.
 * Threads:   the publisher's.
 * Invariant: what is in it does not count as busy, so that no rebalance and no drain waits for it;
 *            outcomes of a dead lane leave it undelivered. A topic is tried with one outcome alone.
 */
#ifndef WORKER_PIPELINE_PUBLISHER_SET_ASIDE_H
#define WORKER_PIPELINE_PUBLISHER_SET_ASIDE_H

#include "common/clock.h"
#include "common/log_limit.h"
#include "worker/pipeline/publisher/delivery.h"

/* A topic that takes nothing at present. */
typedef struct SetAsideTopic {
    bool blocked;
    bool trying; /* an outcome is on its way to find out */
    int tries;
    int64_t not_before_ms;
    LogLimit news;
} SetAsideTopic;

typedef struct SetAside {
    const PipelineSettings *settings;
    const Clock *clock;
    DeliveryHooks hooks;
    OutgoingList items;
    SetAsideTopic topics[OUTGOING_PARTS];
    int64_t look_ms; /* when to look at them the next time */
    int64_t rest_ms; /* no try before */
    LogLimit news;   /* of single outcomes */
    unsigned seed;
} SetAside;

/* What was found to be at fault. */
typedef struct SetAsideBlame {
    const OutgoingPart *part; /* the record that failed */
    size_t bytes;             /* its size */
    const Error *cause;
} SetAsideBlame;

void set_aside_init(SetAside *aside, const PipelineSettings *settings, const Clock *clock,
                    const DeliveryHooks *hooks);

/* Whether a record failed for its topic, and any other would have. */
bool set_aside_is_the_topics(const Error *failure);

/* The topic of the part takes no record at all: nothing for it goes, but for a try now and then. */
void set_aside_block_topic(SetAside *aside, const SetAsideBlame *blame);

/* The outcome is at fault itself: its next try is after 5 s, and later and later, up to 60 s. Warns
 * once a minute. */
void set_aside_blame(SetAside *aside, const SetAsideBlame *blame);

/* Whether the outcome must not be sent with others now. */
bool set_aside_holds(const SetAside *aside, const Outgoing *item);

/* Takes the outcome over. A progress is dropped: the next one is as good. */
void set_aside_add(SetAside *aside, Outgoing *item);

/* Drops what belongs to dead lanes, and gives one outcome whose try is due, to be sent alone; NULL
 * when none is. */
Outgoing *set_aside_take_due(SetAside *aside) MUST_CHECK;

/* The topic whose try the outcome is: one of its parts, or OUTGOING_PARTS when it is tried for its
 * own sake. */
int set_aside_topic_of(const SetAside *aside, const Outgoing *item);

/* The try came to nothing, and nothing was at fault: another one may be made at once. */
void set_aside_try_again(SetAside *aside, Outgoing *item);

/* After a try that took so long: the next one only when the others have had ten times as much. */
void set_aside_rest(SetAside *aside, int64_t took_ms);

/* The record was written: what waits for its topic is moved to `released`. */
void set_aside_topic_works(SetAside *aside, int topic, OutgoingList *released);

/* Gives everything back, undelivered. */
void set_aside_done(SetAside *aside);

#endif
