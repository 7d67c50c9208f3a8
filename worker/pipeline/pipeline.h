/*
 * pipeline: the worker. Commands come in from Kafka, tasks run in PostgreSQL, results go out to
 * Kafka.
 *
 * Owns:      its threads (executors, publisher), consumer, producer and database connections, while
 *            it runs.
 * Threads:   pipeline_run is called once at a time; the calling thread becomes the coordinator.
 *            SIGTERM and SIGINT are blocked in it, and so in every thread it starts.
 * Invariant: an offset is committed only when everything below it has been published.
 */
#ifndef WORKER_PIPELINE_PIPELINE_H
#define WORKER_PIPELINE_PIPELINE_H

#include "worker/pipeline/settings.h"

/* Runs until a signal arrives on `signal_fd` (a signalfd of SIGTERM and SIGINT) and everything has
 * been drained; a second signal ends the grace at once. True: stopped as asked. False: could not
 * start (ERROR_HOLD "kafka_unreachable" or "kafka_refused", ERROR_REJECT "kafka_config" or
 * "topic_missing") or could not go on (ERROR_FATAL); what was not committed then will be
 * delivered again. */
bool pipeline_run(const PipelineSettings *settings, const Clock *clock, int signal_fd,
                  Error *err) MUST_CHECK;

#endif
