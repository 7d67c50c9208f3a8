/*
 * coordinator_private: the inside of the coordinator, for coordinator.c, membership.c,
 * position.c, topic_watch.c and, below them, rebalance.c, and below that state.c.
 *
 * Threads:   the coordinator's.
 * Invariant: the phase changes in coordinator_set_phase only; while it is PHASE_RUNNING, every lane
 *            is open and no signal has come.
 */
#ifndef WORKER_PIPELINE_COORDINATOR_COORDINATOR_PRIVATE_H
#define WORKER_PIPELINE_COORDINATOR_COORDINATOR_PRIVATE_H

#include "common/log_limit.h"
#include "worker/pipeline/coordinator/assignment.h"
#include "worker/pipeline/coordinator/coordinator.h"
#include "worker/pipeline/coordinator/intake.h"
#include "worker/pipeline/coordinator/offset_fetch.h"
#include "worker/pipeline/fencing.h"

typedef enum Phase {
    PHASE_RUNNING,
    PHASE_ASSIGNING,  /* waits to learn what the group has committed */
    PHASE_FINISHING,  /* revoke or drain: waits for running units to be published */
    PHASE_COMMITTING, /* then for their offsets to be committed */
    PHASE_STOPPED,
} Phase;

enum {
    COORDINATOR_LOOK_EVERY_MS = 5000, /* for the commands topic */
};

/* What the coordinator knows of the commands topic; begins as {0}. */
typedef struct TopicWatch {
    bool missed; /* librdkafka has missed it since the partitions were assigned */
    bool away;   /* the brokers do not know it */
    int64_t look_ms;
    LogLimit news;
} TopicWatch;

struct Coordinator {
    const PipelineShared *shared;
    KafkaConsumer *consumer;
    Intake *intake;
    int signal_fd;
    Assignment assignment;
    OffsetFetch offset_fetch;
    Phase phase;
    bool draining;
    int64_t drain_deadline_ms;
    int64_t phase_deadline_ms;
    bool more_to_poll;
    bool uncommitted;
    LogLimit error_news;
    Error kept_out; /* ERROR_NONE unless the group does not take this worker in */
    LogLimit kept_out_news;
    TopicWatch topic;
    Fencing fencing;
    CoordinatorCounts counts;
};

/* state.c */

int64_t coordinator_now_ms(const Coordinator *self);

/* A phase that cannot follow the one it is in is a bug, which ends the process. */
void coordinator_set_phase(Coordinator *self, Phase phase);

/* Logs an error of the consumer, at most one a minute: such errors pass by themselves, and come
 * again and again until then. */
void coordinator_tell_consumer_error(Coordinator *self, const Error *err);

/* Logs once a minute why the group does not take this worker in: librdkafka tries again and again,
 * but tells it once. It ends with an assignment. */
void coordinator_tell_kept_out(Coordinator *self);

/* Ends the lanes; what they have under way will be dropped. */
void coordinator_drop_lanes(Coordinator *self);

/* The group has just given this worker so many partitions: what was known of the topic is over. */
void coordinator_note_assigned(Coordinator *self, size_t count);

/* topic_watch.c */

/* Looks whether the topic is there, when librdkafka has missed it, and now and then while there are
 * no lanes. Begins anew when the lanes are of a topic that is gone, or when the group has given no
 * member a partition of a topic that is there. */
void coordinator_watch_topic(Coordinator *self);

/* position.c */

/* For a record that does not continue its lane: whether the broker has reset the position. A lane
 * that was set back begins anew there. Returns the record's lane; NULL when out of memory. */
Lane *coordinator_follow_position(Coordinator *self, Lane *lane, const Record *record) MUST_CHECK;

/* membership.c */

bool coordinator_join(Coordinator *self, Error *err) MUST_CHECK;

/* After `reason` "instance_id_in_use": as a new member, with nothing of what it had. False when
 * another worker has this one's id ("worker_id_in_use"), or without memory. */
bool coordinator_rejoin(Coordinator *self, const Error *reason, Error *err) MUST_CHECK;

/* rebalance.c */

/* The group has taken everything away already. */
void coordinator_lose_partitions(Coordinator *self);

/* A signal has come: from here on only what runs is finished. */
void coordinator_begin_drain(Coordinator *self);

/* Looks at the oldest rebalance without an answer. False only without memory. */
bool coordinator_serve_rebalance(Coordinator *self, Error *err) MUST_CHECK;

/* Goes on when what the phase waits for is there, or its time is over. */
void coordinator_advance_phase(Coordinator *self);

#endif
