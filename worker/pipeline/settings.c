#include "worker/pipeline/settings.h"

enum {
    START_TIMEOUT_MS = 10 * 1000,
};

int
pipeline_settings_start_timeout_ms(const PipelineSettings *settings)
{
    return settings->start_timeout_ms > 0 ? settings->start_timeout_ms : START_TIMEOUT_MS;
}

bool
pipeline_settings_id_in_use(const PipelineSettings *settings, Error *err)
{
    return error_set(err, REASON_WORKER_ID_IN_USE,
                     "another worker uses worker.id %s: give each an id of its own, or none",
                     settings->worker_id);
}
