#include "worker/pipeline/queue/hold.h"

#include "common/backoff.h"
#include "common/log.h"
#include "common/log_limit.h"

#include <pthread.h>

enum {
    FIRST_WAIT_MS = 100,
};

struct Hold {
    pthread_mutex_t lock;
    Batcher *batcher;
    const Clock *clock;
    Backoff backoff;
    bool active;
    int64_t began_ms;
    int tries;
    int64_t until_ms;
    LogLimit news;
};

Hold *
hold_new(Batcher *batcher, int backoff_max_ms, const Clock *clock)
{
    Hold *hold = calloc(1, sizeof(*hold));
    if (hold == NULL)
        return NULL;
    pthread_mutex_init(&hold->lock, NULL);
    hold->batcher = batcher;
    hold->clock = clock;
    hold->backoff = (Backoff){FIRST_WAIT_MS, backoff_max_ms};
    return hold;
}

void
hold_free(Hold *hold)
{
    if (hold == NULL)
        return;
    pthread_mutex_destroy(&hold->lock);
    free(hold);
}

void
hold_all(Hold *hold, const Error *cause, unsigned *seed)
{
    pthread_mutex_lock(&hold->lock);
    const int64_t now_ms = clock_monotonic_ms(hold->clock);
    if (!hold->active) {
        hold->active = true;
        hold->began_ms = now_ms;
        hold->tries = 1;
        log_warn("hold begins: commands are kept until this is mended",
                 LOG_STR("code", cause->code), LOG_ERR(cause));
    } else if (now_ms >= hold->until_ms) {
        /* Executors that fail together count as one try. */
        hold->tries++;
    }
    hold->until_ms = now_ms + backoff_wait_ms(&hold->backoff, hold->tries, seed);
    batcher_hold(hold->batcher, hold->until_ms);
    pthread_mutex_unlock(&hold->lock);
}

void
hold_end(Hold *hold)
{
    pthread_mutex_lock(&hold->lock);
    if (hold->active) {
        hold->active = false;
        batcher_hold(hold->batcher, 0);
        log_info("hold ends",
                 LOG_INT("duration_ms", clock_monotonic_ms(hold->clock) - hold->began_ms));
    }
    pthread_mutex_unlock(&hold->lock);
}

bool
hold_one_is_news(Hold *hold)
{
    pthread_mutex_lock(&hold->lock);
    const bool news = log_limit_allows(&hold->news, clock_monotonic_ms(hold->clock));
    pthread_mutex_unlock(&hold->lock);
    return news;
}
