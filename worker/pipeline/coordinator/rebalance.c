/* How the coordinator gets lanes and gives them up: rebalances, and the drain at the end. */
#include "worker/pipeline/coordinator/coordinator_private.h"

#include "common/log.h"

enum {
    REVOKE_BOUND_MS = 5000,
    COMMIT_BOUND_MS = 2000,
    CLOSING_MS = 1500, /* of the grace, to leave the group and close everything */
};

static void
begin_finishing(Coordinator *self, int64_t deadline_ms)
{
    if (self->phase == PHASE_RUNNING || self->phase == PHASE_ASSIGNING) {
        coordinator_set_phase(self, PHASE_FINISHING);
        self->phase_deadline_ms = deadline_ms;
        self->counts.dropped += (int64_t)assignment_close(&self->assignment, self->shared->batcher);
    } else if (deadline_ms < self->phase_deadline_ms) {
        self->phase_deadline_ms = deadline_ms;
    }
}

void
coordinator_begin_drain(Coordinator *self)
{
    const int grace_ms = self->shared->settings->shutdown_grace_ms;
    const int closing_ms = grace_ms / 3 < CLOSING_MS ? grace_ms / 3 : CLOSING_MS;
    self->draining = true;
    self->drain_deadline_ms = coordinator_now_ms(self) + grace_ms;
    const int64_t finish_by_ms = self->drain_deadline_ms - closing_ms;
    publisher_set_deadline(self->shared->publisher, finish_by_ms);
    for (size_t i = 0; i < self->assignment.count; i++) {
        Error err = {0};
        if (!kafka_consumer_pause(self->consumer, lane_partition(self->assignment.lanes[i]), &err))
            log_warn("a partition could not be paused", LOG_ERR(&err));
    }
    begin_finishing(self, finish_by_ms);
    log_info("draining", LOG_INT("running", assignment_busy(&self->assignment)),
             LOG_INT("dropped", self->counts.dropped), LOG_INT("grace_ms", grace_ms));
}

/* False only without memory. */
static bool
continue_assigning(Coordinator *self, const KafkaRebalance *rebalance, Error *err)
{
    Error reason = {0};
    const KafkaAnswer answer =
        rebalance->count > 0
            ? offset_fetch_poll(&self->offset_fetch, self->consumer, self->shared->clock, &reason)
            : KAFKA_ANSWER_READY;
    if (answer == KAFKA_ANSWER_FAILED)
        coordinator_tell_consumer_error(self, &reason);
    if (answer != KAFKA_ANSWER_READY)
        return true;
    if (!assignment_begin(&self->assignment, rebalance, self->offset_fetch.lookup, err))
        return false;
    coordinator_note_assigned(self, rebalance->count);
    log_info("partitions assigned", LOG_INT("partitions", rebalance->count),
             LOG_INT("epoch", self->assignment.epoch));
    /* It fails when the group has moved on meanwhile; the next rebalance puts it right. */
    if (!kafka_consumer_assign(self->consumer, self->offset_fetch.lookup, &reason))
        log_warn("assignment failed", LOG_ERR(&reason));
    offset_fetch_end(&self->offset_fetch);
    coordinator_set_phase(self, PHASE_RUNNING);
    return true;
}

static void
end_assignment(Coordinator *self, bool lost)
{
    const size_t count = self->assignment.count;
    const size_t unfinished = assignment_busy(&self->assignment);
    coordinator_drop_lanes(self);
    self->uncommitted = false;
    log_info("partitions revoked", LOG_INT("partitions", count), LOG_INT("unfinished", unfinished),
             LOG_STR("lost", lost ? "yes" : NULL));
}

/* There are no lanes any more. A rebalance may bring that while nothing was begun. */
static void
leave_phase(Coordinator *self)
{
    const Phase next = self->draining ? PHASE_STOPPED : PHASE_RUNNING;
    if (self->phase != next)
        coordinator_set_phase(self, next);
}

static void
answer_unassign(Coordinator *self)
{
    Error reason = {0};
    if (!kafka_consumer_unassign(self->consumer, &reason))
        log_warn("unassign failed", LOG_ERR(&reason));
}

/* False only without memory. */
static bool
serve_assign(Coordinator *self, const KafkaRebalance *rebalance, Error *err)
{
    self->kept_out = (Error){0};
    if (self->draining || rebalance->lost) {
        offset_fetch_end(&self->offset_fetch);
        answer_unassign(self);
        return true;
    }
    if (self->phase == PHASE_RUNNING) {
        coordinator_drop_lanes(self);
        coordinator_set_phase(self, PHASE_ASSIGNING);
    }
    return self->phase != PHASE_ASSIGNING || continue_assigning(self, rebalance, err);
}

void
coordinator_lose_partitions(Coordinator *self)
{
    offset_fetch_end(&self->offset_fetch);
    end_assignment(self, true);
    leave_phase(self);
}

/* Offsets of a topic that is gone must not be committed for the one that is made in its place. */
static void
serve_revoke(Coordinator *self, const KafkaRebalance *rebalance)
{
    if (!rebalance->lost && !self->topic.missed && self->assignment.count > 0) {
        /* Seen again each turn until it is answered; the first bound stays. */
        begin_finishing(self, coordinator_now_ms(self) + REVOKE_BOUND_MS);
        return;
    }
    end_assignment(self, rebalance->lost);
    answer_unassign(self);
    leave_phase(self);
}

bool
coordinator_serve_rebalance(Coordinator *self, Error *err)
{
    const KafkaRebalance *rebalance = kafka_consumer_rebalance(self->consumer);
    if (rebalance == NULL || self->phase == PHASE_STOPPED)
        return true;
    switch (rebalance->kind) {
    case KAFKA_REBALANCE_ASSIGN:
        return serve_assign(self, rebalance, err);
    case KAFKA_REBALANCE_REVOKE:
        serve_revoke(self, rebalance);
        break;
    }
    return true;
}

/* In transactions offsets are committed with the results. */
static bool
commit_offsets(Coordinator *self, bool now)
{
    return self->shared->settings->exactly_once ||
           assignment_commit(&self->assignment, self->consumer, self->shared->clock, now);
}

static void
begin_committing(Coordinator *self)
{
    (void)commit_offsets(self, true);
    coordinator_set_phase(self, PHASE_COMMITTING);
    self->phase_deadline_ms = coordinator_now_ms(self) + COMMIT_BOUND_MS;
    if (self->draining && self->drain_deadline_ms < self->phase_deadline_ms)
        self->phase_deadline_ms = self->drain_deadline_ms;
}

static void
end_phase(Coordinator *self)
{
    end_assignment(self, false);
    if (!self->draining)
        answer_unassign(self);
    leave_phase(self);
}

void
coordinator_advance_phase(Coordinator *self)
{
    const bool late = coordinator_now_ms(self) >= self->phase_deadline_ms;
    switch (self->phase) {
    case PHASE_RUNNING:
        self->uncommitted = !commit_offsets(self, false);
        break;
    case PHASE_ASSIGNING:
        break;
    case PHASE_FINISHING:
        if (assignment_busy(&self->assignment) == 0 || late)
            begin_committing(self);
        break;
    case PHASE_COMMITTING:
        if (kafka_consumer_commits_pending(self->consumer) == 0 || late)
            end_phase(self);
        break;
    case PHASE_STOPPED:
        break;
    }
}
