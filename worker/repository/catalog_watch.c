#include "worker/repository/catalog_watch.h"

#include <pthread.h>
#include <string.h>

enum {
    LOOK_EVERY_MS = 1000,
};

struct CatalogWatch {
    pthread_mutex_t lock;
    const Clock *clock;
    Findings start; /* as it was taken for good enough */
    Findings worse;
    int64_t looked_ms; /* monotonic */
    int64_t compared_ms;
    char fingerprint[CATALOG_FINGERPRINT_BYTES];
};

static const char *
text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* The same thing amiss: counts in its words may have changed. */
static bool
is_same(const Finding *one, const Finding *other)
{
    if (!finding_is(one, other->code))
        return false;
    return one->mend != NULL || other->mend != NULL
               ? strcmp(text_or_empty(one->mend), text_or_empty(other->mend)) == 0
               : strcmp(one->what, other->what) == 0;
}

static bool
is_among(const Findings *findings, const Finding *finding)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->list[i].level >= FINDING_WARN && is_same(&findings->list[i], finding))
            return true;
    }
    return false;
}

/* Copies the failures of `from` that are not among `known`. */
static bool
add_worse(Findings *to, const Findings *from, const Findings *known, Error *err)
{
    for (size_t i = 0; i < from->count; i++) {
        const Finding *finding = &from->list[i];
        if (finding->level == FINDING_FAIL && !is_among(known, finding) &&
            !findings_add(to, finding, err))
            return false;
    }
    return true;
}

bool
catalog_watch_new(const Findings *start, const Clock *clock, CatalogWatch **ret_watch, Error *err)
{
    CatalogWatch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return error_out_of_memory(err);
    pthread_mutex_init(&watch->lock, NULL);
    watch->clock = clock;
    for (size_t i = 0; i < start->count; i++) {
        if (!findings_add(&watch->start, &start->list[i], err)) {
            catalog_watch_free(watch);
            return false;
        }
    }
    watch->looked_ms = clock_monotonic_ms(clock);
    *ret_watch = watch;
    return true;
}

void
catalog_watch_free(CatalogWatch *watch)
{
    if (watch == NULL)
        return;
    findings_done(&watch->start);
    findings_done(&watch->worse);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

static void
fill_hold(const Finding *finding, Error *err)
{
    const bool has_mend = finding->mend != NULL;
    error_set(err, finding->concerns != NULL ? REASON_TABLE_CHANGED : REASON_DATABASE_CHANGED,
              "%s%s%s", finding->what, has_mend ? "; run: " : "", text_or_empty(finding->mend));
}

static bool
concerns(const Finding *finding, const char *part)
{
    return finding->concerns == NULL || (part != NULL && strcmp(finding->concerns, part) == 0);
}

/* Takes over what was found; under the lock. */
static void
keep(CatalogWatch *watch, Findings *worse, const char *fingerprint, bool *ret_news,
     Error *ret_first)
{
    bool news = worse->count != watch->worse.count;
    for (size_t i = 0; !news && i < worse->count; i++)
        news = !is_same(&worse->list[i], &watch->worse.list[i]);
    findings_done(&watch->worse);
    watch->worse = *worse;
    *worse = (Findings){0};
    memcpy(watch->fingerprint, fingerprint, sizeof(watch->fingerprint));
    watch->looked_ms = clock_monotonic_ms(watch->clock);
    watch->compared_ms = watch->looked_ms;
    *ret_news = news;
    *ret_first = (Error){0};
    if (watch->worse.count > 0)
        fill_hold(&watch->worse.list[0], ret_first);
}

/* A database whose names cannot be resolved has no fingerprint; the walk says what is wrong. */
static bool
read_once(Database *database, char ret_fingerprint[CATALOG_FINGERPRINT_BYTES], Error *err)
{
    Error cause = {0};
    ret_fingerprint[0] = '\0';
    if (database_connect(database, &cause))
        return catalog_fingerprint(database, ret_fingerprint, err);
    if (cause.scope == ERROR_SCOPE_TARGET)
        return true;
    *err = cause;
    return false;
}

/* A connection that died while idle shows only now, as in database_begin. */
static bool
read_fingerprint(Database *database, char ret_fingerprint[CATALOG_FINGERPRINT_BYTES], Error *err)
{
    return read_once(database, ret_fingerprint, err) ||
           (database_is_lost(database) && read_once(database, ret_fingerprint, err));
}

/* A session keeps what role and database gave it when it began, so only a new one shows whether
 * this is mended. */
static bool
is_of_the_session(const Finding *finding)
{
    return finding_is(finding, "server_read_only") || finding_is(finding, "table_missing");
}

static void
renew_session(CatalogWatch *watch, Database *database)
{
    bool renews = false;
    pthread_mutex_lock(&watch->lock);
    for (size_t i = 0; !renews && i < watch->worse.count; i++)
        renews = is_of_the_session(&watch->worse.list[i]);
    pthread_mutex_unlock(&watch->lock);
    if (renews)
        database_disconnect(database);
}

bool
catalog_watch_look(CatalogWatch *watch, Database *database, bool *ret_news, Error *ret_first,
                   Error *err)
{
    CLEANUP(findings_done) Findings all = {0};
    CLEANUP(findings_done) Findings worse = {0};
    char fingerprint[CATALOG_FINGERPRINT_BYTES];
    const CatalogNeeds needs = {.is_start = false};
    renew_session(watch, database);
    if (!read_fingerprint(database, fingerprint, err) ||
        !catalog_walk(database, &needs, &all, err) || !add_worse(&worse, &all, &watch->start, err))
        return false;
    pthread_mutex_lock(&watch->lock);
    keep(watch, &worse, fingerprint, ret_news, ret_first);
    pthread_mutex_unlock(&watch->lock);
    return true;
}

/* What is to be done before the answer. */
typedef struct Due {
    bool look;
    bool compare;
} Due;

static Due
what_is_due(CatalogWatch *watch, CatalogWatchFor use)
{
    const int64_t now_ms = clock_monotonic_ms(watch->clock);
    pthread_mutex_lock(&watch->lock);
    const bool stale = now_ms - watch->looked_ms >= LOOK_EVERY_MS;
    const Due due = {
        .look = stale && (use == CATALOG_WATCH_BEGIN || watch->worse.count > 0),
        .compare = use != CATALOG_WATCH_SET || now_ms - watch->compared_ms >= LOOK_EVERY_MS,
    };
    pthread_mutex_unlock(&watch->lock);
    return due;
}

static bool
has_changed(CatalogWatch *watch, const char *fingerprint)
{
    pthread_mutex_lock(&watch->lock);
    const bool changed = strcmp(watch->fingerprint, fingerprint) != 0;
    watch->compared_ms = clock_monotonic_ms(watch->clock);
    pthread_mutex_unlock(&watch->lock);
    return changed;
}

static bool
answer(CatalogWatch *watch, const char *part, Error *err)
{
    bool passes = true;
    pthread_mutex_lock(&watch->lock);
    for (size_t i = 0; passes && i < watch->worse.count; i++) {
        if (!concerns(&watch->worse.list[i], part))
            continue;
        fill_hold(&watch->worse.list[i], err);
        passes = false;
    }
    pthread_mutex_unlock(&watch->lock);
    return passes;
}

bool
catalog_watch_check(CatalogWatch *watch, Database *database, const char *part, CatalogWatchFor use,
                    Error *err)
{
    if (watch == NULL)
        return true;
    char fingerprint[CATALOG_FINGERPRINT_BYTES];
    bool news;
    Error first;
    Due due = what_is_due(watch, use);
    if (due.compare && !due.look) {
        if (!read_fingerprint(database, fingerprint, err))
            return false;
        due.look = has_changed(watch, fingerprint);
    }
    if (due.look && !catalog_watch_look(watch, database, &news, &first, err)) {
        if (err->kind != ERROR_RETRY)
            return false;
    }
    return answer(watch, part, err);
}
