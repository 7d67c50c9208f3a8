#include "worker/pipeline/queue/in_work.h"

enum {
    FIRST_ROOM = 64, /* buckets, a power of two */
};

LIST_HEAD(Bucket, JobKey);

typedef struct KeySet {
    struct Bucket *buckets;
    size_t room; /* how many buckets, a power of two */
    size_t count;
} KeySet;

struct InWork {
    KeySet ids;
    KeySet users;
    KeySet runs;
};

static bool
set_begin(KeySet *set)
{
    set->buckets = calloc(FIRST_ROOM, sizeof(*set->buckets));
    set->room = FIRST_ROOM;
    return set->buckets != NULL;
}

InWork *
in_work_new(void)
{
    InWork *in_work = calloc(1, sizeof(*in_work));
    if (in_work == NULL)
        return NULL;
    if (set_begin(&in_work->ids) && set_begin(&in_work->users) && set_begin(&in_work->runs))
        return in_work;
    in_work_free(in_work);
    return NULL;
}

void
in_work_free(InWork *in_work)
{
    if (in_work == NULL)
        return;
    free(in_work->ids.buckets);
    free(in_work->users.buckets);
    free(in_work->runs.buckets);
    free(in_work);
}

/* FNV-1a. */
static uint32_t
hash_of(const char *text)
{
    uint32_t hash = 2166136261U;
    for (const char *at = text; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    return hash;
}

static struct Bucket *
bucket_of(const KeySet *set, uint32_t hash)
{
    return &set->buckets[hash & (set->room - 1)];
}

static bool
set_contains(const KeySet *set, uint32_t hash, const char *text)
{
    const JobKey *key;
    LIST_FOREACH (key, bucket_of(set, hash), entry) {
        if (key->hash == hash && strcmp(key->text, text) == 0)
            return true;
    }
    return false;
}

/* Doubles the buckets. Without memory they stay: the set is then slower, and right. */
static void
set_grow(KeySet *set)
{
    KeySet larger = {.room = set->room * 2, .count = set->count};
    larger.buckets = calloc(larger.room, sizeof(*larger.buckets));
    if (larger.buckets == NULL)
        return;
    for (size_t i = 0; i < set->room; i++) {
        while (!LIST_EMPTY(&set->buckets[i])) {
            JobKey *key = LIST_FIRST(&set->buckets[i]);
            LIST_REMOVE(key, entry);
            LIST_INSERT_HEAD(bucket_of(&larger, key->hash), key, entry);
        }
    }
    free(set->buckets);
    *set = larger;
}

/* True when the job holds the key, be it from before. */
static bool
acquire(KeySet *set, JobKey *key, const char *text)
{
    if (key->held)
        return true;
    const uint32_t hash = hash_of(text);
    if (set_contains(set, hash, text))
        return false;
    if (set->count == set->room)
        set_grow(set);
    key->text = text;
    key->hash = hash;
    key->held = true;
    LIST_INSERT_HEAD(bucket_of(set, hash), key, entry);
    set->count++;
    return true;
}

static void
release(KeySet *set, JobKey *key)
{
    if (!key->held)
        return;
    LIST_REMOVE(key, entry);
    key->held = false;
    set->count--;
}

bool
in_work_needs_user(const Job *job)
{
    return job->shape != TASK_SHAPE_READ && job->command.params.user_id[0] != '\0';
}

bool
in_work_acquire_id(InWork *in_work, Job *job)
{
    return acquire(&in_work->ids, &job->id_key, job->command.key);
}

static bool
acquire_user(InWork *in_work, Job *job)
{
    return !in_work_needs_user(job) ||
           acquire(&in_work->users, &job->user_key, job->command.params.user_id);
}

static bool
acquire_run(InWork *in_work, Job *job)
{
    return job->share_key[0] == '\0' || acquire(&in_work->runs, &job->run_key, job->share_key);
}

bool
in_work_acquire(InWork *in_work, Job *job)
{
    const bool had_id = job->id_key.held;
    const bool had_run = job->run_key.held;
    if (in_work_acquire_id(in_work, job) && acquire_user(in_work, job) && acquire_run(in_work, job))
        return true;
    if (!had_id)
        release(&in_work->ids, &job->id_key);
    if (!had_run)
        release(&in_work->runs, &job->run_key);
    in_work_release_user(in_work, job);
    return false;
}

void
in_work_release_user(InWork *in_work, Job *job)
{
    release(&in_work->users, &job->user_key);
}

void
in_work_release(InWork *in_work, Job *job)
{
    in_work_release_user(in_work, job);
    release(&in_work->ids, &job->id_key);
    release(&in_work->runs, &job->run_key);
}
