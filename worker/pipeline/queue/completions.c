#include "worker/pipeline/queue/completions.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct Completions {
    pthread_mutex_t lock;
    int event_fd;
    CompletionList posted;
    bool failed;
    Error failure;
};

/* One for each lane, so there are few. */
static Completion *
completion_of(CompletionList *list, Lane *lane)
{
    Completion *completion;
    STAILQ_FOREACH (completion, list, entry) {
        if (completion->lane == lane)
            return completion;
    }
    completion = calloc(1, sizeof(*completion));
    if (completion == NULL)
        return NULL;
    completion->lane = lane_ref_busy(lane);
    STAILQ_INSERT_TAIL(list, completion, entry);
    return completion;
}

bool
completion_list_add(CompletionList *list, Lane *lane, size_t size_bytes)
{
    Completion *completion = completion_of(list, lane);
    if (completion == NULL)
        return false;
    completion->commands++;
    completion->size_bytes += size_bytes;
    return true;
}

Completion *
completion_list_take(CompletionList *list)
{
    Completion *completion = STAILQ_FIRST(list);
    if (completion != NULL)
        STAILQ_REMOVE_HEAD(list, entry);
    return completion;
}

void
completion_free(Completion *completion)
{
    if (completion == NULL)
        return;
    lane_unref_busy(completion->lane);
    free(completion);
}

bool
completions_new(Completions **ret_completions, Error *err)
{
    Completions *completions = calloc(1, sizeof(*completions));
    if (completions == NULL)
        return error_out_of_memory(err);
    completions->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (completions->event_fd < 0) {
        free(completions);
        return error_system(err, "make an eventfd", errno);
    }
    pthread_mutex_init(&completions->lock, NULL);
    STAILQ_INIT(&completions->posted);
    *ret_completions = completions;
    return true;
}

void
completions_free(Completions *completions)
{
    if (completions == NULL)
        return;
    while (!STAILQ_EMPTY(&completions->posted))
        completion_free(completion_list_take(&completions->posted));
    close(completions->event_fd);
    pthread_mutex_destroy(&completions->lock);
    free(completions);
}

static void
wake(const Completions *completions)
{
    const uint64_t one = 1;
    const ssize_t written = write(completions->event_fd, &one, sizeof(one));
    (void)written;
}

void
completions_fail(Completions *completions, const Error *err)
{
    pthread_mutex_lock(&completions->lock);
    if (!completions->failed)
        completions->failure = *err;
    completions->failed = true;
    pthread_mutex_unlock(&completions->lock);
    wake(completions);
}

void
completions_post(Completions *completions, CompletionList *list)
{
    if (STAILQ_EMPTY(list))
        return;
    pthread_mutex_lock(&completions->lock);
    STAILQ_CONCAT(&completions->posted, list);
    pthread_mutex_unlock(&completions->lock);
    wake(completions);
}

int
completions_fd(const Completions *completions)
{
    return completions->event_fd;
}

void
completions_take(Completions *completions, CompletionList *list)
{
    uint64_t count;
    const ssize_t got = read(completions->event_fd, &count, sizeof(count));
    (void)got;
    pthread_mutex_lock(&completions->lock);
    STAILQ_CONCAT(list, &completions->posted);
    pthread_mutex_unlock(&completions->lock);
}

bool
completions_check(Completions *completions, Error *err)
{
    pthread_mutex_lock(&completions->lock);
    const bool failed = completions->failed;
    if (failed)
        *err = completions->failure;
    pthread_mutex_unlock(&completions->lock);
    return !failed;
}
