#include "worker/pipeline/queue/lock_wait.h"

#include <pthread.h>

enum {
    TOLD_AFTER_MS = 10 * 1000,
    TOLD_EVERY_MS = 60 * 1000,
    OVER_AFTER_MS = 5 * 1000,
};

struct LockWait {
    pthread_mutex_t lock;
    const Clock *clock;
    bool waiting;
    bool told;
    int64_t since_ms;
    int64_t last_ms;
    int64_t told_ms;
};

LockWait *
lock_wait_new(const Clock *clock)
{
    LockWait *wait = calloc(1, sizeof(*wait));
    if (wait == NULL)
        return NULL;
    pthread_mutex_init(&wait->lock, NULL);
    wait->clock = clock;
    return wait;
}

void
lock_wait_free(LockWait *wait)
{
    if (wait == NULL)
        return;
    pthread_mutex_destroy(&wait->lock);
    free(wait);
}

bool
lock_wait_note(LockWait *wait, int64_t *ret_waited_ms)
{
    pthread_mutex_lock(&wait->lock);
    const int64_t now_ms = clock_monotonic_ms(wait->clock);
    if (!wait->waiting || now_ms - wait->last_ms > OVER_AFTER_MS)
        wait->since_ms = now_ms;
    wait->waiting = true;
    wait->last_ms = now_ms;
    const int64_t waited_ms = now_ms - wait->since_ms;
    const bool tell =
        waited_ms >= TOLD_AFTER_MS && (!wait->told || now_ms - wait->told_ms >= TOLD_EVERY_MS);
    if (tell) {
        wait->told = true;
        wait->told_ms = now_ms;
    }
    pthread_mutex_unlock(&wait->lock);
    *ret_waited_ms = waited_ms;
    return tell;
}
