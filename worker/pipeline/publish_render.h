/*
 * publish_render: the records of an outcome.
 *
 * Threads: the publisher's.
 */
#ifndef WORKER_PIPELINE_PUBLISH_RENDER_H
#define WORKER_PIPELINE_PUBLISH_RENDER_H

#include "worker/pipeline/publisher.h"

/* How many records the outcome has: 0, or the first so many of its parts. */
int publish_part_count(const PublishItem *item);

/* The topic a part goes to; borrowed from the settings. */
const char *publish_part_topic(const PipelineSettings *settings, const PublishPart *part);

/* Renders a part; a dead letter within the producer's `max_bytes`. The caller frees it. NULL when
 * out of memory. */
Record *publish_render(const PipelineSettings *settings, const PublishPart *part,
                       size_t max_bytes) MUST_CHECK;

/* The broker has refused the part as too large: a dead letter is cut to half of what was tried the
 * next time. False when nothing can be cut: the topic takes too little for a result. */
bool publish_shrink(PublishPart *part, size_t max_bytes) MUST_CHECK;

#endif
