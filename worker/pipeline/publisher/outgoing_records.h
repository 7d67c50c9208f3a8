/*
 * outgoing_records: the records of an outcome.
 *
 * Threads: the publisher's.
 */
#ifndef WORKER_PIPELINE_PUBLISHER_OUTGOING_RECORDS_H
#define WORKER_PIPELINE_PUBLISHER_OUTGOING_RECORDS_H

#include "worker/pipeline/publisher/outgoing.h"
#include "worker/pipeline/settings.h"

/* How many records the outcome has: 0, or the first so many of its parts. */
int outgoing_part_count(const Outgoing *item);

/* The topic a part goes to; borrowed from the settings. */
const char *outgoing_part_topic(const PipelineSettings *settings, const OutgoingPart *part);

/* Renders a part; a dead letter within the producer's `max_bytes`. The caller frees it. NULL when
 * out of memory. */
Record *outgoing_render(const PipelineSettings *settings, const OutgoingPart *part,
                        size_t max_bytes) MUST_CHECK;

/* The broker has refused the part as too large: a dead letter is cut to half of what was tried the
 * next time. False when nothing can be cut: the topic takes too little for a result. */
bool outgoing_shrink(OutgoingPart *part, size_t max_bytes) MUST_CHECK;

#endif
