/*
 * settings: what a pipeline is told at its start.
 *
 * Owns:      nothing; strings and what is behind pointers are borrowed while pipeline_run runs.
 * Threads:   any may read it; no thread changes it.
 */
#ifndef WORKER_PIPELINE_SETTINGS_H
#define WORKER_PIPELINE_SETTINGS_H

#include "common/kafka/kafka_consumer.h"
#include "worker/task/task.h"

typedef struct PipelineSettings {
    KafkaSettings kafka; /* with group_id */
    const char *commands_topic;
    const char *results_topic;
    const char *dead_letters_topic;
    const char *worker_id;
    const char *transactional_id; /* of this worker alone; used in exactly-once delivery */
    bool exactly_once; /* results and offsets in Kafka transactions; else at least once */
    int executors;
    int set_commands;   /* the most commands in one set */
    int queue_commands; /* a partition with more than this many in hand is paused */
    int queue_kib; /* of commands in hand, of all partitions; as much may wait to be published */
    int shutdown_grace_ms; /* how long running units may take after the first signal */
    int hold_backoff_max_ms;
    int start_timeout_ms; /* how long Kafka may take to answer at the start; 0 means 10,000 */
    CommandFloors floors;
    const DatabaseSettings *database;
    const TaskSettings *task;
    /* Told, on the coordinator's or the publisher's thread, of offsets that the group has
     * committed; or NULL. */
    KafkaCommitted note_committed;
    void *note_committed_state;
} PipelineSettings;

/* How long Kafka may take to answer at the start. */
int pipeline_settings_start_timeout_ms(const PipelineSettings *settings);

/* Fills `err` for a worker whose id another worker uses, as Kafka has told; returns false. */
bool pipeline_settings_id_in_use(const PipelineSettings *settings, Error *err);

#endif
