#include "worker/pipeline/inbox.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct Inbox {
    pthread_mutex_t lock;
    int event_fd;
    Report *first;
    Report *last;
    bool failed;
    Error failure;
};

bool
inbox_new(Inbox **ret_inbox, Error *err)
{
    Inbox *inbox = calloc(1, sizeof(*inbox));
    if (inbox == NULL)
        return error_out_of_memory(err);
    inbox->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (inbox->event_fd < 0) {
        free(inbox);
        return error_set(err, ERROR_FATAL, "system", "eventfd: errno %d", errno);
    }
    pthread_mutex_init(&inbox->lock, NULL);
    *ret_inbox = inbox;
    return true;
}

void
report_free(Report *report)
{
    if (report == NULL)
        return;
    lane_unref(report->lane);
    free(report);
}

void
inbox_free(Inbox *inbox)
{
    if (inbox == NULL)
        return;
    while (inbox->first != NULL) {
        Report *report = inbox->first;
        inbox->first = report->next;
        report_free(report);
    }
    close(inbox->event_fd);
    pthread_mutex_destroy(&inbox->lock);
    free(inbox);
}

static void
wake(const Inbox *inbox)
{
    const uint64_t one = 1;
    const ssize_t written = write(inbox->event_fd, &one, sizeof(one));
    (void)written;
}

void
inbox_fail(Inbox *inbox, const Error *err)
{
    pthread_mutex_lock(&inbox->lock);
    if (!inbox->failed)
        inbox->failure = *err;
    inbox->failed = true;
    pthread_mutex_unlock(&inbox->lock);
    wake(inbox);
}

bool
report_list_add(ReportList *list, Lane *lane, int64_t offset, size_t size_bytes)
{
    Report *report = calloc(1, sizeof(*report));
    if (report == NULL)
        return false;
    *report = (Report){.lane = lane_ref(lane), .offset = offset, .size_bytes = size_bytes};
    *(list->last != NULL ? &list->last->next : &list->first) = report;
    list->last = report;
    return true;
}

void
inbox_post(Inbox *inbox, ReportList *list)
{
    if (list->first == NULL)
        return;
    pthread_mutex_lock(&inbox->lock);
    *(inbox->last != NULL ? &inbox->last->next : &inbox->first) = list->first;
    inbox->last = list->last;
    pthread_mutex_unlock(&inbox->lock);
    *list = (ReportList){0};
    wake(inbox);
}

int
inbox_fd(const Inbox *inbox)
{
    return inbox->event_fd;
}

Report *
inbox_take(Inbox *inbox)
{
    uint64_t count;
    const ssize_t got = read(inbox->event_fd, &count, sizeof(count));
    (void)got;
    pthread_mutex_lock(&inbox->lock);
    Report *reports = inbox->first;
    inbox->first = NULL;
    inbox->last = NULL;
    pthread_mutex_unlock(&inbox->lock);
    return reports;
}

bool
inbox_check(Inbox *inbox, Error *err)
{
    pthread_mutex_lock(&inbox->lock);
    const bool failed = inbox->failed;
    if (failed)
        *err = inbox->failure;
    pthread_mutex_unlock(&inbox->lock);
    return !failed;
}
