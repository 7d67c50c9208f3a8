#include "worker/pipeline/coordinator/coordinator_private.h"

#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    TICK_MS = 100,
    SHORT_TICK_MS = 10, /* while an answer is waited for that does not end a poll */
    POLL_BUDGET = 1000, /* records in a row before completions and signals are looked at */
    AHEAD_MAX = 100000,
    BYTES_PER_KIB = 1024,
};

bool
coordinator_new(const PipelineShared *shared, KafkaConsumer *consumer, int signal_fd,
                Coordinator **ret_coordinator, Error *err)
{
    const PipelineSettings *settings = shared->settings;
    Coordinator *self = calloc(1, sizeof(*self));
    Intake *intake = intake_new(&settings->floors, settings->worker_id, shared->clock);
    if (self == NULL || intake == NULL) {
        free(self);
        intake_free(intake);
        kafka_consumer_close(consumer);
        return error_out_of_memory(err);
    }
    self->shared = shared;
    self->consumer = consumer;
    self->intake = intake;
    self->signal_fd = signal_fd;
    *ret_coordinator = self;
    return true;
}

CoordinatorCounts
coordinator_counts(const Coordinator *self)
{
    return self->counts;
}

void
coordinator_free(Coordinator *self)
{
    if (self == NULL)
        return;
    coordinator_drop_lanes(self);
    offset_fetch_end(&self->offset_fetch);
    /* The rest is for the executors and the publisher. */
    if (self->draining)
        kafka_consumer_leave(self->consumer, coordinator_grace_left_ms(self) / 3);
    kafka_consumer_close(self->consumer);
    intake_free(self->intake);
    free(self);
}

int
coordinator_grace_left_ms(const Coordinator *self)
{
    if (!self->draining)
        return -1;
    const int64_t left_ms = self->drain_deadline_ms - coordinator_now_ms(self);
    return left_ms > 0 ? (int)left_ms : 0;
}

/* The bytes are the worker's: each of its partitions has an equal share. */
static LaneMarks
lane_marks(const Coordinator *self)
{
    const PipelineSettings *settings = self->shared->settings;
    const size_t lanes = self->assignment.count > 0 ? self->assignment.count : 1;
    return (LaneMarks){
        .high_commands = (size_t)settings->queue_commands,
        .high_bytes = (size_t)settings->queue_kib * BYTES_PER_KIB / lanes,
        .high_ahead = AHEAD_MAX,
    };
}

static void
keep_flow(Coordinator *self, Lane *lane)
{
    Error err = {0};
    const LaneMarks marks = lane_marks(self);
    const int32_t partition = lane_partition(lane);
    bool done = true;
    switch (lane_flow(lane, &marks)) {
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
    Outgoing *rejected = NULL;
    self->counts.received++;
    if (!intake_read(self->intake, record, lane, &job, &rejected, err))
        return false;
    if (job != NULL) {
        batcher_add(self->shared->batcher, job);
    } else {
        OutgoingList items = OUTGOING_LIST(items);
        outgoing_list_add(&items, rejected);
        publisher_push(self->shared->publisher, &items, false);
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
    if (record->offset != lane_position(lane) && lane_position(lane) != OFFSET_TRACKER_NONE)
        lane = coordinator_follow_position(self, lane, record);
    if (lane == NULL) {
        record_free(record);
        return error_out_of_memory(err);
    }
    switch (lane_accept(lane, record->offset, job_size(record_size(record)))) {
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

static bool
consumer_failed(Coordinator *self, const Error *reason, Error *err)
{
    self->more_to_poll = false;
    if (reason->reason == REASON_INSTANCE_ID_IN_USE)
        return coordinator_rejoin(self, reason, err);
    *err = *reason;
    return false;
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
            if (reason.reason != REASON_TOPIC_GONE) /* the watch looks for itself */
                coordinator_tell_consumer_error(self, &reason);
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

/* The publisher has finished their offsets; what comes for a lane that has ended is dropped. */
static void
take_completion(Coordinator *self, const Completion *completion)
{
    if (lane_state(completion->lane) == LANE_DEAD)
        return;
    self->counts.finished += (int64_t)completion->commands;
    lane_release(completion->lane, completion->size_bytes);
    if (lane_state(completion->lane) == LANE_OPEN)
        keep_flow(self, completion->lane);
}

static bool
take_completions(Coordinator *self, Error *err)
{
    CompletionList list = STAILQ_HEAD_INITIALIZER(list);
    completions_take(self->shared->completions, &list);
    for (Completion *completion = completion_list_take(&list); completion != NULL;
         completion = completion_list_take(&list)) {
        take_completion(self, completion);
        completion_free(completion);
    }
    return completions_check(self->shared->completions, err);
}

static void
take_signals(Coordinator *self)
{
    struct signalfd_siginfo info;
    if (read(self->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    if (!self->draining) {
        coordinator_begin_drain(self);
        return;
    }
    log_warn("second signal: the grace ends now",
             LOG_INT("running", assignment_busy(&self->assignment)));
    self->drain_deadline_ms = coordinator_now_ms(self);
    publisher_set_deadline(self->shared->publisher, self->drain_deadline_ms);
    self->phase_deadline_ms = self->drain_deadline_ms;
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
        {.fd = completions_fd(self->shared->completions), .events = POLLIN},
        {.fd = self->signal_fd, .events = POLLIN},
    };
    if (poll(fds, ARRAY_LEN(fds), tick_ms(self)) < 0 && errno != EINTR)
        return error_system(err, "poll", errno);
    if ((fds[2].revents & POLLIN) != 0)
        take_signals(self);
    if (!take_completions(self, err) || !poll_records(self, err))
        return false;
    coordinator_watch_topic(self);
    if (!coordinator_serve_rebalance(self, err))
        return false;
    coordinator_tell_kept_out(self);
    coordinator_advance_phase(self);
    return true;
}

bool
coordinator_run(Coordinator *self, Error *err)
{
    bool going = coordinator_join(self, err);
    while (going && self->phase != PHASE_STOPPED)
        going = turn(self, err);
    return going;
}
