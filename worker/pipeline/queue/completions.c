#include "worker/pipeline/queue/completions.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct Completions {
    pthread_mutex_t lock;
    int event_fd;
    Completion *first;
    Completion *last;
    bool failed;
    Error failure;
};

bool
completions_new(Completions **ret_inbox, Error *err)
{
    Completions *completions = calloc(1, sizeof(*completions));
    if (completions == NULL)
        return error_out_of_memory(err);
    completions->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (completions->event_fd < 0) {
        free(completions);
        return error_set(err, REASON_SYSTEM, "eventfd: errno %d", errno);
    }
    pthread_mutex_init(&completions->lock, NULL);
    *ret_inbox = completions;
    return true;
}

void
completion_free(Completion *completion)
{
    if (completion == NULL)
        return;
    lane_unref(completion->lane);
    free(completion);
}

void
completions_free(Completions *completions)
{
    if (completions == NULL)
        return;
    while (completions->first != NULL) {
        Completion *completion = completions->first;
        completions->first = completion->next;
        completion_free(completion);
    }
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

bool
completion_list_add(CompletionList *list, Lane *lane, int64_t offset, size_t size_bytes)
{
    Completion *completion = calloc(1, sizeof(*completion));
    if (completion == NULL)
        return false;
    *completion = (Completion){.lane = lane_ref(lane), .offset = offset, .size_bytes = size_bytes};
    *(list->last != NULL ? &list->last->next : &list->first) = completion;
    list->last = completion;
    return true;
}

void
completions_post(Completions *completions, CompletionList *list)
{
    if (list->first == NULL)
        return;
    pthread_mutex_lock(&completions->lock);
    *(completions->last != NULL ? &completions->last->next : &completions->first) = list->first;
    completions->last = list->last;
    pthread_mutex_unlock(&completions->lock);
    *list = (CompletionList){0};
    wake(completions);
}

int
completions_fd(const Completions *completions)
{
    return completions->event_fd;
}

Completion *
completions_take(Completions *completions)
{
    uint64_t count;
    const ssize_t got = read(completions->event_fd, &count, sizeof(count));
    (void)got;
    pthread_mutex_lock(&completions->lock);
    Completion *all = completions->first;
    completions->first = NULL;
    completions->last = NULL;
    pthread_mutex_unlock(&completions->lock);
    return all;
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
