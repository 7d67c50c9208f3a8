/* How the coordinator enters the group, and enters it again after it was fenced there. */
#include "worker/pipeline/coordinator/coordinator_private.h"

#include "common/log.h"

bool
coordinator_join(Coordinator *self, Error *err)
{
    const PipelineSettings *settings = self->shared->settings;
    if (settings->note_committed != NULL)
        kafka_consumer_on_committed(self->consumer, settings->note_committed,
                                    settings->note_committed_state);
    coordinator_note_assigned(self, 0);
    return kafka_consumer_subscribe(self->consumer, settings->commands_topic, err);
}

static bool
replace_consumer(Coordinator *self, Error *err)
{
    kafka_consumer_close(self->consumer);
    self->consumer = NULL;
    self->assignment.commits_failed = 0;
    return kafka_consumer_open(&self->shared->settings->kafka, &self->consumer, err);
}

/* A broker that has stood still for longer than the session fences a member for the request to join
 * that it had sent meanwhile, which cannot happen twice within one session. Two workers with one id
 * fence each other at every heartbeat. */
bool
coordinator_rejoin(Coordinator *self, const Error *reason, Error *err)
{
    if (fencing_again(&self->fencing, coordinator_now_ms(self),
                      kafka_consumer_session_ms(self->consumer)))
        return pipeline_settings_id_in_use(self->shared->settings, err);
    log_warn("fenced in the group", LOG_STR("worker_id", self->shared->settings->worker_id),
             LOG_ERR(reason));
    coordinator_lose_partitions(self);
    return self->draining || (replace_consumer(self, err) && coordinator_join(self, err));
}
