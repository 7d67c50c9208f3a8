#include "worker/pipeline/monitor.h"

#include <time.h>

#define NS_PER_SECOND 1000000000L
#define NS_PER_MS 1000000L

bool
monitor_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    const bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                      pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return made;
}

void
monitor_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t span_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(span_ms / 1000);
    until.tv_nsec += (long)(span_ms % 1000) * NS_PER_MS;
    if (until.tv_nsec >= NS_PER_SECOND) {
        until.tv_sec++;
        until.tv_nsec -= NS_PER_SECOND;
    }
    (void)pthread_cond_timedwait(condition, lock, &until);
}
