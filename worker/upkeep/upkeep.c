#include "worker/upkeep/upkeep.h"

#include "common/log.h"
#include "common/thread.h"

#include <pthread.h>
#include <string.h>

enum {
    ROWS_PER_TRANSACTION = 1000,
    STOP_MS = 500, /* for a transaction to end */
};

typedef struct Committed {
    int32_t partition;
    int64_t offset;
} Committed;

struct Upkeep {
    UpkeepSettings settings;
    const Clock *clock;
    Database *database;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stopping;
    Committed *committed;
    size_t count;
};

bool
upkeep_round(Database *database, const LedgerExpiry *expiry, int64_t *ret_deleted, Error *err)
{
    int64_t total = 0;
    int64_t deleted = ROWS_PER_TRANSACTION;
    while (deleted == ROWS_PER_TRANSACTION) {
        int64_t now_us;
        if (!database_begin(database, DATABASE_WRITE, 0, &now_us, err) ||
            !ledger_expire(database, expiry, ROWS_PER_TRANSACTION, &deleted, err) ||
            !database_commit(database, err)) {
            database_rollback(database);
            return error_wrap(err, "delete old rows of the ledger");
        }
        total += deleted;
    }
    *ret_deleted = total;
    return true;
}

/* A copy, so that no lock is held while PostgreSQL works. */
static Committed *
copy_committed(Upkeep *upkeep, size_t *ret_count)
{
    pthread_mutex_lock(&upkeep->mutex);
    Committed *copy = calloc(upkeep->count + 1, sizeof(*copy));
    *ret_count = copy != NULL ? upkeep->count : 0;
    if (copy != NULL && upkeep->count > 0)
        memcpy(copy, upkeep->committed, upkeep->count * sizeof(*copy));
    pthread_mutex_unlock(&upkeep->mutex);
    return copy;
}

static void
run_rounds(Upkeep *upkeep)
{
    const int64_t before_us =
        clock_now_us(upkeep->clock) -
        (int64_t)upkeep->settings.retention_hours * 3600 * CLOCK_US_PER_SECOND;
    size_t count;
    CLEANUP(autofree) Committed *committed = copy_committed(upkeep, &count);
    for (size_t i = 0; i < count; i++) {
        Error err = {0};
        int64_t deleted = 0;
        const LedgerExpiry expiry = {upkeep->settings.commands_topic, committed[i].partition,
                                     committed[i].offset, before_us};
        if (!upkeep_round(upkeep->database, &expiry, &deleted, &err)) {
            log_warn("upkeep failed, tried again later", LOG_ERR(&err));
            return;
        }
        if (deleted > 0)
            log_info("ledger cleaned", LOG_INT("partition", committed[i].partition),
                     LOG_INT("rows", deleted));
    }
}

/* What holds the worker's commands is told here, too, because none may be there to be held. */
static void
look_at_catalog(Upkeep *upkeep)
{
    Error err = {0};
    Error first = {0};
    bool news = false;
    if (upkeep->settings.catalog == NULL)
        return;
    if (!catalog_watch_look(upkeep->settings.catalog, upkeep->database, &news, &first, &err))
        log_warn("the database's catalog could not be read", LOG_ERR(&err));
    else if (news && first.kind == ERROR_HOLD)
        log_warn("the database has changed, commands wait until this is mended",
                 LOG_STR("code", first.code), LOG_ERR(&first));
    else if (news)
        log_info("the database is as the worker needs it again",
                 LOG_STR("topic", upkeep->settings.commands_topic));
}

/* Waits for the next round; false when it is time to end. */
static bool
wait_interval(Upkeep *upkeep)
{
    const int64_t until_ms = clock_monotonic_ms(clock_system()) + upkeep->settings.interval_ms;
    int64_t left_ms = upkeep->settings.interval_ms;
    pthread_mutex_lock(&upkeep->mutex);
    while (!upkeep->stopping && left_ms > 0) {
        thread_cond_wait(&upkeep->wake, &upkeep->mutex, left_ms);
        left_ms = until_ms - clock_monotonic_ms(clock_system());
    }
    const bool go_on = !upkeep->stopping;
    pthread_mutex_unlock(&upkeep->mutex);
    return go_on;
}

static void *
upkeep_main(void *argument)
{
    Upkeep *upkeep = argument;
    while (wait_interval(upkeep)) {
        look_at_catalog(upkeep);
        run_rounds(upkeep);
    }
    return NULL;
}

static void
upkeep_free(Upkeep *upkeep)
{
    database_free(upkeep->database);
    pthread_cond_destroy(&upkeep->wake);
    pthread_mutex_destroy(&upkeep->mutex);
    free(upkeep->committed);
    free(upkeep);
}

bool
upkeep_start(const UpkeepSettings *settings, const Clock *clock, Upkeep **ret_upkeep, Error *err)
{
    Upkeep *upkeep = calloc(1, sizeof(*upkeep));
    if (upkeep == NULL)
        return error_out_of_memory(err);
    upkeep->settings = *settings;
    upkeep->clock = clock;
    pthread_mutex_init(&upkeep->mutex, NULL);
    if (!thread_cond_init(&upkeep->wake)) {
        pthread_mutex_destroy(&upkeep->mutex);
        free(upkeep);
        return error_out_of_memory(err);
    }
    upkeep->database = database_new(settings->database, clock);
    if (upkeep->database == NULL) {
        upkeep_free(upkeep);
        return error_out_of_memory(err);
    }
    const int failure = pthread_create(&upkeep->thread, NULL, upkeep_main, upkeep);
    if (failure != 0) {
        upkeep_free(upkeep);
        return error_set(err, REASON_THREAD, "cannot start a thread: %s", strerror(failure));
    }
    *ret_upkeep = upkeep;
    return true;
}

static Committed *
find_or_add(Upkeep *upkeep, int32_t partition)
{
    for (size_t i = 0; i < upkeep->count; i++) {
        if (upkeep->committed[i].partition == partition)
            return &upkeep->committed[i];
    }
    Committed *grown = realloc(upkeep->committed, (upkeep->count + 1) * sizeof(*upkeep->committed));
    if (grown == NULL)
        return NULL;
    upkeep->committed = grown;
    upkeep->committed[upkeep->count] = (Committed){partition, 0};
    return &upkeep->committed[upkeep->count++];
}

void
upkeep_note_committed(Upkeep *upkeep, int32_t partition, int64_t offset)
{
    pthread_mutex_lock(&upkeep->mutex);
    Committed *committed = find_or_add(upkeep, partition);
    if (committed != NULL)
        committed->offset = offset;
    pthread_mutex_unlock(&upkeep->mutex);
}

void
upkeep_stop(Upkeep *upkeep)
{
    if (upkeep == NULL)
        return;
    pthread_mutex_lock(&upkeep->mutex);
    upkeep->stopping = true;
    pthread_cond_signal(&upkeep->wake);
    pthread_mutex_unlock(&upkeep->mutex);
    /* A thread that is still inside the database keeps what it uses, and ends with the process. */
    if (thread_join(upkeep->thread, clock_monotonic_ms(clock_system()) + STOP_MS))
        upkeep_free(upkeep);
}
