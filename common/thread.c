#include "common/thread.h"

#include "common/clock.h"

#include <time.h>

#define NS_PER_SECOND 1000000000L
#define NS_PER_MS 1000000L

bool
thread_cond_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    const bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                      pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return made;
}

/* The moment `span_ms` after the clock's now. */
static struct timespec
time_after(clockid_t clock, int64_t span_ms)
{
    struct timespec until;
    clock_gettime(clock, &until);
    until.tv_sec += (time_t)(span_ms / 1000);
    until.tv_nsec += (long)(span_ms % 1000) * NS_PER_MS;
    if (until.tv_nsec >= NS_PER_SECOND) {
        until.tv_sec++;
        until.tv_nsec -= NS_PER_SECOND;
    }
    return until;
}

/* pthread_timedjoin_np counts in time of day. */
bool
thread_join(pthread_t thread, int64_t deadline_ms)
{
    const int64_t left_ms = deadline_ms - clock_monotonic_ms(clock_system());
    const struct timespec until = time_after(CLOCK_REALTIME, left_ms > 0 ? left_ms : 0);
    return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

void
thread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t span_ms)
{
    const struct timespec until = time_after(CLOCK_MONOTONIC, span_ms);
    (void)pthread_cond_timedwait(condition, lock, &until);
}
