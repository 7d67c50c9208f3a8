/*
 * pipeline: the worker. Commands come in from Kafka, tasks run in PostgreSQL, results go out to
 * Kafka.
 *
 * Owns:      its threads (executors, publisher), consumer, producer and database connections, while
 * it runs. Threads:   pipeline_run is called once at a time; the calling thread becomes the
 * coordinator. SIGTERM and SIGINT are blocked in it, and so in every thread it starts. Invariant:
 * an offset is committed only when everything below it has been published.
 */
#ifndef WORKER_PIPELINE_PIPELINE_H
#define WORKER_PIPELINE_PIPELINE_H

#include "common/kafka/kafka_consumer.h"
#include "worker/task/task.h"

/* Strings and the two settings behind pointers are borrowed while pipeline_run runs. */
typedef struct PipelineSettings {
    KafkaSettings kafka; /* with group_id */
    const char *commands_topic;
    const char *results_topic;
    const char *dead_letters_topic;
    const char *worker_id;
    bool exactly_once; /* results and offsets in Kafka transactions; else at least once */
    int executors;
    int set_commands;      /* the most commands in one set */
    int queue_commands;    /* a partition with more than this many in hand is paused */
    int queue_kib;         /* the same in KiB of records; also bounds what waits to be published */
    int shutdown_grace_ms; /* how long running units may take after the first signal */
    int hold_backoff_max_ms;
    int start_timeout_ms; /* how long Kafka may take to answer at the start; 0 means 10,000 */
    CommandFloors floors;
    const DatabaseSettings *database;
    const TaskSettings *task;
    /* Told, on the coordinator's or the publisher's thread, of offsets that the group has
     * committed; NULL: nobody is told. */
    KafkaCommitted note_committed;
    void *note_committed_state;
} PipelineSettings;

/* How long Kafka may take to answer at the start. */
int pipeline_start_timeout_ms(const PipelineSettings *settings);

/* Kafka has told that another worker has this worker's id; returns false. */
bool pipeline_id_in_use(const PipelineSettings *settings, Error *err);

/* Runs until a signal arrives on `signal_fd` (a signalfd of SIGTERM and SIGINT) and everything has
 * been drained; a second signal ends the grace at once. True: stopped as asked. False: could not
 * start (ERROR_HOLD "kafka_unreachable" or "kafka_refused", ERROR_REJECT "kafka_config" or
 * "topic_missing") or could not go on (ERROR_FATAL); whatever was not committed then will be
 * delivered again. */
bool pipeline_run(const PipelineSettings *settings, const Clock *clock, int signal_fd,
                  Error *err) MUST_CHECK;

#endif
