/* What the coordinator's files share: its clock, its phase, its lanes and what it logs about the
 * consumer. */
#include "worker/pipeline/coordinator/coordinator_private.h"

#include "common/bug.h"
#include "common/log.h"

int64_t
coordinator_now_ms(const Coordinator *self)
{
    return clock_monotonic_ms(self->shared->clock);
}

static const char *
phase_name(Phase phase)
{
    switch (phase) {
    case PHASE_RUNNING:
        return "running";
    case PHASE_ASSIGNING:
        return "assigning";
    case PHASE_FINISHING:
        return "finishing";
    case PHASE_COMMITTING:
        return "committing";
    case PHASE_STOPPED:
        return "stopped";
    }
    return "?";
}

/* The coordinator stops after a signal only, and a signal brings it into PHASE_FINISHING. */
static bool
phase_may_follow(Phase from, Phase to)
{
    switch (from) {
    case PHASE_RUNNING:
        return to == PHASE_ASSIGNING || to == PHASE_FINISHING;
    case PHASE_ASSIGNING:
        return to == PHASE_RUNNING || to == PHASE_FINISHING;
    case PHASE_FINISHING:
        return to == PHASE_COMMITTING || to == PHASE_RUNNING || to == PHASE_STOPPED;
    case PHASE_COMMITTING:
        return to == PHASE_RUNNING || to == PHASE_STOPPED;
    case PHASE_STOPPED:
        return false;
    }
    return false;
}

void
coordinator_set_phase(Coordinator *self, Phase phase)
{
    if (!phase_may_follow(self->phase, phase))
        bug_transition("coordinator", phase_name(self->phase), phase_name(phase));
    self->phase = phase;
}

void
coordinator_tell_consumer_error(Coordinator *self, const Error *err)
{
    if (err->reason == REASON_ASSIGNOR_DIFFERS) {
        self->kept_out = *err;
        return;
    }
    if (log_limit_allows(&self->error_news, coordinator_now_ms(self)))
        log_warn("Kafka reports an error", LOG_STR("code", err->code), LOG_ERR(err));
}

void
coordinator_tell_kept_out(Coordinator *self)
{
    if (self->kept_out.kind != ERROR_NONE &&
        log_limit_allows(&self->kept_out_news, coordinator_now_ms(self)))
        log_warn("the group does not take this worker in", LOG_STR("code", self->kept_out.code),
                 LOG_ERR(&self->kept_out));
}

void
coordinator_drop_lanes(Coordinator *self)
{
    self->counts.dropped += (int64_t)assignment_end(&self->assignment, self->shared->batcher);
}

void
coordinator_note_assigned(Coordinator *self, size_t count)
{
    self->topic.look_ms = coordinator_now_ms(self) + COORDINATOR_LOOK_EVERY_MS;
    if (count == 0)
        return;
    self->topic = (TopicWatch){.look_ms = self->topic.look_ms};
}
