#include "worker/pipeline/coordinator.h"

#include "common/log.h"
#include "worker/pipeline/assigning.h"
#include "worker/pipeline/assignment.h"
#include "worker/pipeline/intake.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    TICK_MS = 100,
    SHORT_TICK_MS = 10, /* while an answer is waited for that wakes nobody */
    POLL_BUDGET = 1000, /* records in a row before reports and signals are looked at */
    REVOKE_BOUND_MS = 5000,
    COMMIT_BOUND_MS = 2000,
    ERROR_NEWS_EVERY_MS = 60 * 1000,
    AHEAD_MAX = 100000,
    BYTES_PER_KIB = 1024,
};

typedef enum Phase {
    PHASE_RUNNING,
    PHASE_ASSIGNING,  /* waits to learn what the group has committed */
    PHASE_FINISHING,  /* revoke or drain: waits for running units to be published */
    PHASE_COMMITTING, /* then for their offsets to be committed */
    PHASE_STOPPED,
} Phase;

struct Coordinator {
    const Stations *stations;
    KafkaConsumer *consumer;
    Intake *intake;
    int signal_fd;
    LaneMarks marks;
    Assignment assignment;
    Assigning assigning;
    Phase phase;
    bool draining;
    int64_t drain_deadline_ms;
    int64_t phase_deadline_ms;
    bool more_to_poll;
    bool uncommitted;
    int64_t error_news_ms;
    CoordinatorCounts counts;
};

static int64_t
now_ms(const Coordinator *self)
{
    return clock_monotonic_ms(self->stations->clock);
}

bool
coordinator_new(const Stations *stations, KafkaConsumer *consumer, int signal_fd,
                Coordinator **ret_coordinator, Error *err)
{
    const PipelineSettings *settings = stations->settings;
    Coordinator *self = calloc(1, sizeof(*self));
    Intake *intake = intake_new(&settings->floors, settings->worker_id, stations->clock);
    if (self == NULL || intake == NULL) {
        free(self);
        intake_free(intake);
        kafka_consumer_close(consumer);
        return error_out_of_memory(err);
    }
    self->stations = stations;
    self->consumer = consumer;
    self->intake = intake;
    self->signal_fd = signal_fd;
    self->marks = (LaneMarks){
        .high_commands = (size_t)settings->queue_commands,
        .high_bytes = (size_t)settings->queue_kib * BYTES_PER_KIB,
        .high_ahead = AHEAD_MAX,
    };
    self->error_news_ms = now_ms(self) - ERROR_NEWS_EVERY_MS;
    *ret_coordinator = self;
    return true;
}

CoordinatorCounts
coordinator_counts(const Coordinator *self)
{
    return self->counts;
}

static void
drop_lanes(Coordinator *self)
{
    self->counts.dropped += (int64_t)assignment_end(&self->assignment, self->stations->batcher);
}

void
coordinator_free(Coordinator *self)
{
    if (self == NULL)
        return;
    drop_lanes(self);
    assigning_end(&self->assigning);
    kafka_consumer_close(self->consumer);
    intake_free(self->intake);
    free(self);
}

int
coordinator_grace_left_ms(const Coordinator *self)
{
    const int64_t left_ms = self->draining ? self->drain_deadline_ms - now_ms(self) : 0;
    return left_ms > 0 ? (int)left_ms : 0;
}

static bool
phase_may_follow(Phase from, Phase to)
{
    switch (from) {
    case PHASE_RUNNING:
        return to == PHASE_ASSIGNING || to == PHASE_FINISHING || to == PHASE_STOPPED;
    case PHASE_ASSIGNING:
        return to == PHASE_RUNNING || to == PHASE_FINISHING || to == PHASE_STOPPED;
    case PHASE_FINISHING:
        return to == PHASE_COMMITTING || to == PHASE_RUNNING || to == PHASE_STOPPED;
    case PHASE_COMMITTING:
        return to == PHASE_RUNNING || to == PHASE_STOPPED;
    case PHASE_STOPPED:
        return false;
    }
    return false;
}

static void
coordinator_set_phase(Coordinator *self, Phase phase)
{
    if (phase_may_follow(self->phase, phase))
        self->phase = phase;
}

static void
keep_flow(Coordinator *self, Lane *lane)
{
    Error err = {0};
    const int32_t partition = lane_partition(lane);
    bool done = true;
    switch (lane_flow(lane, &self->marks)) {
    case LANE_FLOW_KEEP:
        return;
    case LANE_FLOW_PAUSE:
        done = kafka_consumer_pause(self->consumer, partition, &err);
        log_debug("partition paused", LOG_INT("partition", partition));
        break;
    case LANE_FLOW_RESUME:
        done = kafka_consumer_resume(self->consumer, partition, &err);
        log_debug("partition resumed", LOG_INT("partition", partition));
        break;
    }
    if (!done)
        log_warn("flow control failed", LOG_INT("partition", partition), LOG_ERR(&err));
}

static bool
accept_record(Coordinator *self, Record *record, Lane *lane, Error *err)
{
    Job *job = NULL;
    PublishItem *rejected = NULL;
    self->counts.received++;
    if (!intake_read(self->intake, record, lane, &job, &rejected, err))
        return false;
    if (job != NULL) {
        batcher_add(self->stations->batcher, job);
    } else {
        lane_busy_begin(lane);
        publisher_push(self->stations->publisher, rejected, false);
    }
    keep_flow(self, lane);
    return true;
}

static bool
take_record(Coordinator *self, Record *record, Error *err)
{
    Lane *lane = assignment_lane(&self->assignment, record->partition);
    if (lane == NULL || lane_state(lane) != LANE_OPEN) {
        record_free(record);
        return true;
    }
    switch (lane_accept(lane, record->offset, record_size(record))) {
    case OFFSET_STARTED:
        return accept_record(self, record, lane, err);
    case OFFSET_BELOW:
        log_debug("offset was here before, dropped", LOG_INT("partition", record->partition),
                  LOG_INT("offset", record->offset));
        record_free(record);
        return true;
    case OFFSET_WAS_FINISHED:
        log_debug("finished ahead in an earlier assignment, dropped",
                  LOG_INT("partition", record->partition), LOG_INT("offset", record->offset));
        record_free(record);
        return true;
    case OFFSET_OUT_OF_MEMORY:
        break;
    }
    record_free(record);
    return error_out_of_memory(err);
}

/* Errors of the consumer pass by themselves, and come again and again until then. */
static void
tell_consumer_error(Coordinator *self, const Error *err)
{
    if (now_ms(self) - self->error_news_ms < ERROR_NEWS_EVERY_MS)
        return;
    self->error_news_ms = now_ms(self);
    log_warn("Kafka reports an error", LOG_STR("code", err->code), LOG_ERR(err));
}

static bool
consumer_failed(const Coordinator *self, const Error *reason, Error *err)
{
    *err = *reason;
    return strcmp(reason->code, "instance_id_in_use") == 0 &&
           pipeline_id_in_use(self->stations->settings, err);
}

static bool
poll_records(Coordinator *self, Error *err)
{
    kafka_consumer_fd_clear(self->consumer);
    for (int i = 0; i < POLL_BUDGET; i++) {
        Record *record = NULL;
        Error reason = {0};
        switch (kafka_consumer_poll(self->consumer, 0, &record, &reason)) {
        case KAFKA_POLL_RECORD:
            if (!take_record(self, record, err))
                return false;
            break;
        case KAFKA_POLL_ERROR:
            if (reason.kind == ERROR_FATAL)
                return consumer_failed(self, &reason, err);
            tell_consumer_error(self, &reason);
            break;
        case KAFKA_POLL_NOTHING:
        case KAFKA_POLL_END:
            self->more_to_poll = false;
            return true;
        }
    }
    self->more_to_poll = true;
    return true;
}

static bool
take_report(Coordinator *self, const Report *report, Error *err)
{
    lane_busy_end(report->lane);
    if (lane_state(report->lane) == LANE_DEAD)
        return true;
    self->counts.finished++;
    if (!lane_finish(report->lane, report->offset, err))
        return false;
    lane_release(report->lane, report->size_bytes);
    if (lane_state(report->lane) == LANE_OPEN)
        keep_flow(self, report->lane);
    return true;
}

static bool
take_reports(Coordinator *self, Error *err)
{
    bool taken = true;
    Report *reports = inbox_take(self->stations->inbox);
    while (reports != NULL) {
        Report *report = reports;
        reports = report->next;
        if (taken)
            taken = take_report(self, report, err);
        report_free(report);
    }
    return taken && inbox_check(self->stations->inbox, err);
}

static void
begin_finishing(Coordinator *self, int64_t deadline_ms)
{
    if (self->phase == PHASE_RUNNING || self->phase == PHASE_ASSIGNING) {
        coordinator_set_phase(self, PHASE_FINISHING);
        self->phase_deadline_ms = deadline_ms;
        self->counts.dropped +=
            (int64_t)assignment_close(&self->assignment, self->stations->batcher);
    } else if (deadline_ms < self->phase_deadline_ms) {
        self->phase_deadline_ms = deadline_ms;
    }
}

static void
begin_drain(Coordinator *self)
{
    self->draining = true;
    self->drain_deadline_ms = now_ms(self) + self->stations->settings->shutdown_grace_ms;
    publisher_set_deadline(self->stations->publisher, self->drain_deadline_ms);
    for (size_t i = 0; i < self->assignment.count; i++) {
        Error err = {0};
        if (!kafka_consumer_pause(self->consumer, lane_partition(self->assignment.lanes[i]), &err))
            log_warn("a partition could not be paused", LOG_ERR(&err));
    }
    begin_finishing(self, self->drain_deadline_ms);
    log_info("draining", LOG_INT("running", assignment_busy(&self->assignment)),
             LOG_INT("dropped", self->counts.dropped),
             LOG_INT("grace_ms", self->stations->settings->shutdown_grace_ms));
}

static void
take_signals(Coordinator *self)
{
    struct signalfd_siginfo info;
    if (read(self->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    if (!self->draining) {
        begin_drain(self);
        return;
    }
    log_warn("second signal: the grace ends now",
             LOG_INT("running", assignment_busy(&self->assignment)));
    self->drain_deadline_ms = now_ms(self);
    publisher_set_deadline(self->stations->publisher, self->drain_deadline_ms);
    self->phase_deadline_ms = self->drain_deadline_ms;
}

/* False only without memory. */
static bool
continue_assigning(Coordinator *self, const KafkaRebalance *rebalance, Error *err)
{
    Error reason = {0};
    const KafkaAnswer answer =
        rebalance->count > 0
            ? assigning_poll(&self->assigning, self->consumer, self->stations->clock, &reason)
            : KAFKA_ANSWER_READY;
    if (answer == KAFKA_ANSWER_FAILED)
        tell_consumer_error(self, &reason);
    if (answer != KAFKA_ANSWER_READY)
        return true;
    if (!assignment_begin(&self->assignment, rebalance, self->assigning.lookup, err))
        return false;
    log_info("partitions assigned", LOG_INT("partitions", rebalance->count),
             LOG_INT("epoch", self->assignment.epoch));
    /* It fails when the group has moved on meanwhile; the next rebalance puts it right. */
    if (!kafka_consumer_assign(self->consumer, self->assigning.lookup, &reason))
        log_warn("assignment failed", LOG_ERR(&reason));
    assigning_end(&self->assigning);
    coordinator_set_phase(self, PHASE_RUNNING);
    return true;
}

static void
end_assignment(Coordinator *self, bool lost)
{
    const size_t count = self->assignment.count;
    const size_t unfinished = assignment_busy(&self->assignment);
    drop_lanes(self);
    self->uncommitted = false;
    log_info("partitions revoked", LOG_INT("partitions", count), LOG_INT("unfinished", unfinished),
             LOG_STR("lost", lost ? "yes" : NULL));
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
    if (self->draining || rebalance->lost) {
        assigning_end(&self->assigning);
        answer_unassign(self);
        return true;
    }
    if (self->phase == PHASE_RUNNING) {
        drop_lanes(self);
        coordinator_set_phase(self, PHASE_ASSIGNING);
    }
    return self->phase != PHASE_ASSIGNING || continue_assigning(self, rebalance, err);
}

static void
serve_revoke(Coordinator *self, const KafkaRebalance *rebalance)
{
    if (!rebalance->lost && self->assignment.count > 0) {
        /* Seen again each turn until it is answered; the first bound stays. */
        begin_finishing(self, now_ms(self) + REVOKE_BOUND_MS);
        return;
    }
    end_assignment(self, rebalance->lost);
    answer_unassign(self);
    coordinator_set_phase(self, self->draining ? PHASE_STOPPED : PHASE_RUNNING);
}

/* Looks at the oldest rebalance without an answer. False only without memory. */
static bool
serve_rebalance(Coordinator *self, Error *err)
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
    return self->stations->settings->exactly_once ||
           assignment_commit(&self->assignment, self->consumer, self->stations->clock, now);
}

static void
begin_committing(Coordinator *self)
{
    (void)commit_offsets(self, true);
    coordinator_set_phase(self, PHASE_COMMITTING);
    self->phase_deadline_ms = now_ms(self) + COMMIT_BOUND_MS;
}

static void
end_phase(Coordinator *self)
{
    end_assignment(self, false);
    if (self->draining) {
        coordinator_set_phase(self, PHASE_STOPPED);
        return;
    }
    answer_unassign(self);
    coordinator_set_phase(self, PHASE_RUNNING);
}

static void
advance_phase(Coordinator *self)
{
    const bool late = now_ms(self) >= self->phase_deadline_ms;
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

static int
tick_ms(const Coordinator *self)
{
    if (self->more_to_poll)
        return 0;
    return self->phase != PHASE_RUNNING || self->uncommitted ? SHORT_TICK_MS : TICK_MS;
}

static bool
turn(Coordinator *self, Error *err)
{
    struct pollfd fds[] = {
        {.fd = kafka_consumer_fd(self->consumer), .events = POLLIN},
        {.fd = inbox_fd(self->stations->inbox), .events = POLLIN},
        {.fd = self->signal_fd, .events = POLLIN},
    };
    if (poll(fds, ARRAY_LEN(fds), tick_ms(self)) < 0 && errno != EINTR)
        return error_set(err, ERROR_FATAL, "system", "poll: errno %d", errno);
    if ((fds[2].revents & POLLIN) != 0)
        take_signals(self);
    if (!take_reports(self, err) || !poll_records(self, err) || !serve_rebalance(self, err))
        return false;
    advance_phase(self);
    return true;
}

bool
coordinator_run(Coordinator *self, Error *err)
{
    const PipelineSettings *settings = self->stations->settings;
    if (settings->note_committed != NULL)
        kafka_consumer_on_committed(self->consumer, settings->note_committed,
                                    settings->note_committed_state);
    if (!kafka_consumer_subscribe(self->consumer, settings->commands_topic, err))
        return false;
    bool going = true;
    while (going && self->phase != PHASE_STOPPED)
        going = turn(self, err);
    return going;
}
