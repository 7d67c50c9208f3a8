#include "worker/pipeline/pipeline.h"

#include "common/log.h"
#include "worker/pipeline/coordinator/coordinator.h"
#include "worker/pipeline/executor/executor.h"

enum {
    CLOSING_MS = 3000, /* without a grace: a statement may just be ending */
    PUBLISH_MS = 500,  /* of that, for the publisher */
};

typedef struct Pipeline {
    PipelineShared shared;
    Executor **executors;
    int executor_count;
    Coordinator *coordinator;
} Pipeline;

static bool
open_consumer(const PipelineSettings *settings, KafkaConsumer **ret_consumer, Error *err)
{
    CLEANUP(kafka_consumer_closep) KafkaConsumer *consumer = NULL;
    const char *const topics[] = {settings->commands_topic, settings->results_topic,
                                  settings->dead_letters_topic};
    const int timeout_ms = pipeline_settings_start_timeout_ms(settings);
    if (!kafka_consumer_open(&settings->kafka, &consumer, err) ||
        !kafka_consumer_wait(consumer, topics, ARRAY_LEN(topics), timeout_ms, err))
        return false;
    *ret_consumer = consumer;
    consumer = NULL;
    return true;
}

static bool
make_shared(PipelineShared *shared, Error *err)
{
    const PipelineSettings *settings = shared->settings;
    shared->batcher = batcher_new(settings->executors, settings->set_commands, shared->clock);
    if (shared->batcher == NULL)
        return error_out_of_memory(err);
    shared->hold = hold_new(shared->batcher, settings->hold_backoff_max_ms, shared->clock);
    shared->lock_wait = lock_wait_new(shared->clock);
    if (shared->hold == NULL || shared->lock_wait == NULL)
        return error_out_of_memory(err);
    return completions_new(&shared->completions, err) &&
           publisher_start(settings, shared->clock, shared->completions, shared->batcher,
                           &shared->publisher, err);
}

static bool
start_executors(Pipeline *pipeline, Error *err)
{
    const int count = pipeline->shared.settings->executors;
    pipeline->executors = calloc((size_t)count + 1, sizeof(Executor *));
    if (pipeline->executors == NULL)
        return error_out_of_memory(err);
    for (int i = 0; i < count; i++) {
        if (!executor_start(&pipeline->shared, i, &pipeline->executors[i], err))
            return false;
        pipeline->executor_count++;
    }
    return true;
}

static bool
pipeline_start(Pipeline *pipeline, int signal_fd, Error *err)
{
    KafkaConsumer *consumer = NULL;
    if (!open_consumer(pipeline->shared.settings, &consumer, err))
        return false;
    /* From here on the coordinator owns the consumer. */
    return coordinator_new(&pipeline->shared, consumer, signal_fd, &pipeline->coordinator, err) &&
           make_shared(&pipeline->shared, err) && start_executors(pipeline, err);
}

/* False when an executor is still inside the database at that time. */
static bool
join_executors(Pipeline *pipeline, int64_t deadline_ms)
{
    bool all = true;
    if (pipeline->shared.batcher != NULL)
        batcher_stop(pipeline->shared.batcher);
    if (pipeline->shared.publisher != NULL)
        publisher_release_waiters(pipeline->shared.publisher);
    for (int i = 0; i < pipeline->executor_count; i++) {
        if (!executor_join(pipeline->executors[i], deadline_ms))
            all = false;
    }
    return all;
}

/* A thread that is still inside a call to a server may use this memory, so it is left until the
 * process ends. The servers roll back, or commit what the ledger knows. */
static bool
stop_threads(Pipeline *pipeline, int64_t deadline_ms)
{
    if (!join_executors(pipeline, deadline_ms - PUBLISH_MS)) {
        log_warn("a unit is still running and is left to the database",
                 LOG_STR("worker_id", pipeline->shared.settings->worker_id));
        return false;
    }
    if (!publisher_stop(pipeline->shared.publisher, deadline_ms)) {
        log_warn("a Kafka transaction is still open and is left to the broker",
                 LOG_STR("worker_id", pipeline->shared.settings->worker_id));
        return false;
    }
    return true;
}

static void
pipeline_stop(Pipeline *pipeline)
{
    const int64_t now_ms = clock_monotonic_ms(clock_system());
    const int left_ms =
        pipeline->coordinator != NULL ? coordinator_grace_left_ms(pipeline->coordinator) : -1;
    coordinator_free(pipeline->coordinator);
    if (!stop_threads(pipeline, now_ms + (left_ms >= 0 ? left_ms : CLOSING_MS)))
        return;
    lock_wait_free(pipeline->shared.lock_wait);
    hold_free(pipeline->shared.hold);
    completions_free(pipeline->shared.completions);
    batcher_free(pipeline->shared.batcher);
    free(pipeline->executors);
    free(pipeline);
}

bool
pipeline_run(const PipelineSettings *settings, const Clock *clock, int signal_fd, Error *err)
{
    Pipeline *pipeline = calloc(1, sizeof(*pipeline));
    if (pipeline == NULL)
        return error_out_of_memory(err);
    pipeline->shared.settings = settings;
    pipeline->shared.clock = clock;
    if (!pipeline_start(pipeline, signal_fd, err)) {
        pipeline_stop(pipeline);
        return false;
    }
    log_info("worker started", LOG_STR("version", CLEANUP_WORKER_VERSION),
             LOG_STR("worker_id", settings->worker_id), LOG_STR("group", settings->kafka.group_id),
             LOG_STR("topic", settings->commands_topic), LOG_INT("executors", settings->executors));
    const bool drained = coordinator_run(pipeline->coordinator, err);
    const CoordinatorCounts counts = coordinator_counts(pipeline->coordinator);
    pipeline_stop(pipeline);
    log_info("worker stopped", LOG_STR("worker_id", settings->worker_id),
             LOG_INT("received", counts.received), LOG_INT("finished", counts.finished),
             LOG_INT("dropped", counts.dropped));
    return drained;
}
