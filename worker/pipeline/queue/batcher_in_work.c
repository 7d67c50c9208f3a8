/* Which users, command ids and shared runs are in work. */
#include "worker/pipeline/queue/batcher_private.h"

#include <stdio.h>

enum {
    KEY_BYTES = 2 + COMMAND_ID_MAX + 1,
};

_Static_assert(TASK_SHARE_KEY_BYTES <= COMMAND_ID_MAX + 1, "a key holds each kind of text");

static const char *
make_key(char kind, const char *text, char key[KEY_BYTES])
{
    const int written = snprintf(key, KEY_BYTES, "%c:%s", kind, text);
    (void)written;
    return key;
}

bool
batcher_needs_user(const Job *job)
{
    return job->shape != TASK_SHAPE_READ && job->command.params.user_id[0] != '\0';
}

/* True when the key is the job's, be it from before. */
static bool
acquire(Batcher *batcher, char kind, const char *text, bool *holds)
{
    char key[KEY_BYTES];
    *holds = *holds || key_set_add(batcher->in_work, make_key(kind, text, key));
    return *holds;
}

static void
release(Batcher *batcher, char kind, const char *text, bool *holds)
{
    char key[KEY_BYTES];
    if (*holds)
        key_set_remove(batcher->in_work, make_key(kind, text, key));
    *holds = false;
}

bool
batcher_keys_acquire_id(Batcher *batcher, Job *job)
{
    return acquire(batcher, 'i', job->command.id, &job->holds_id);
}

bool
batcher_keys_acquire(Batcher *batcher, Job *job)
{
    const bool had_id = job->holds_id;
    const bool had_run = job->holds_run;
    if (batcher_keys_acquire_id(batcher, job) &&
        (!batcher_needs_user(job) ||
         acquire(batcher, 'u', job->command.params.user_id, &job->holds_user)) &&
        (job->share_key[0] == '\0' || acquire(batcher, 'r', job->share_key, &job->holds_run)))
        return true;
    if (!had_id)
        release(batcher, 'i', job->command.id, &job->holds_id);
    if (!had_run)
        release(batcher, 'r', job->share_key, &job->holds_run);
    batcher_keys_release_user(batcher, job);
    return false;
}

void
batcher_keys_release_user(Batcher *batcher, Job *job)
{
    release(batcher, 'u', job->command.params.user_id, &job->holds_user);
}

void
batcher_keys_release(Batcher *batcher, Job *job)
{
    batcher_keys_release_user(batcher, job);
    release(batcher, 'i', job->command.id, &job->holds_id);
    release(batcher, 'r', job->share_key, &job->holds_run);
}
