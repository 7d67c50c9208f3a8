/*
 * session_repository: inactive sessions with their image and video records.
 *
 * Threads:   that of its Database. Every function runs inside the caller's transaction, in the
 * order find → lock → delete; "Deleting safely" in ARCHITECTURE.md is why the delete is a statement
 * of its own, with a fresh snapshot.
 * Invariant: after session_lock nothing here waits for a row of the application.
 */
#ifndef WORKER_REPOSITORY_SESSION_REPOSITORY_H
#define WORKER_REPOSITORY_SESSION_REPOSITORY_H

#include "common/uuid_text.h"
#include "worker/repository/database.h"
#include "worker/repository/preview.h"

/* Sessions that looked inactive, without a lock. Arrays run side by side; what is not in `storage`
 * is in the transaction's memory. */
typedef struct SessionCandidates {
    int *ordinals; /* index of the request it belongs to */
    char **user_ids;
    char **session_ids;
    size_t count;
    size_t window;      /* find_window: rows read, candidates or not */
    char *last_user_id; /* find_window: the cursor after the window; NULL at the end */
    char *last_session_id;
    void *storage; /* private */
} SessionCandidates;

void session_candidates_done(SessionCandidates *candidates);

typedef struct SessionRequest {
    const char *user_id;
    int64_t cutoff_us;
} SessionRequest;

/* The requests that candidates are found for. */
typedef struct SessionRequests {
    const SessionRequest *requests;
    size_t count;
} SessionRequests;

/* First look of a set, per request at most `limit` candidates (ask for one more than fits to see
 * that it is too many), and their locks as session_lock_parents takes them. locked[i], in the
 * transaction's memory, tells whether candidates->…[i] and its user are locked now;
 * session_lock_rest is next. */
bool session_find_and_lock(Database *database, const SessionRequests *requests, int limit,
                           SessionCandidates *ret_candidates, bool **ret_locked,
                           Error *err) MUST_CHECK;

/* Whether the catalog knows an index that leads from users to their sessions, so that
 * session_find_window need not sort the whole table. */
bool session_has_user_index(Database *database, bool *ret_indexed, Error *err) MUST_CHECK;

enum {
    SESSION_BOUND_BYTES = UUID_TEXT_BYTES,
};

typedef struct SessionBound {
    char user_id[SESSION_BOUND_BYTES];
} SessionBound;

/* At most `ranges` - 1 users, in ascending order, that divide the sessions into ranges of about the
 * same size: each is the lowest user of a range but the first. From the catalog alone, or evenly
 * over all UUIDs where it has no statistics. `bounds` has room for them. */
bool session_find_bounds(Database *database, int ranges, SessionBound *bounds, int *ret_count,
                         Error *err) MUST_CHECK;

/* The next `limit` sessions after a cursor; "" as cursor = from the beginning. */
typedef struct SessionWindow {
    int64_t cutoff_us;
    const char *lowest_user; /* both included; "" = no bound */
    const char *highest_user;
    const char *after_user_id;
    const char *after_session_id;
    int limit;
} SessionWindow;

/* First look of a long command, in order of (user_id, id). */
bool session_find_window(Database *database, const SessionWindow *window,
                         SessionCandidates *ret_candidates, Error *err) MUST_CHECK;

/* The same over the sessions of all users in order of id: what the window says of users does not
 * matter. */
bool session_find_window_by_id(Database *database, const SessionWindow *window,
                               SessionCandidates *ret_candidates, Error *err) MUST_CHECK;

/* Sessions, each with its user. */
typedef struct SessionList {
    const char *const *session_ids;
    const char *const *user_ids;
    size_t count;
} SessionList;

/* First look of a last pass: those of these sessions that look inactive. */
bool session_find_listed(Database *database, int64_t cutoff_us, const SessionList *sessions,
                         SessionCandidates *ret_candidates, Error *err) MUST_CHECK;

/* Locks users, then sessions, then children, each FOR UPDATE SKIP LOCKED, never waiting. locked[i]
 * tells whether candidates->…[i] and all it hangs on are locked now (a session that is gone
 * meanwhile counts as locked: there is nothing to wait for). */
bool session_lock(Database *database, const SessionCandidates *candidates, bool *locked,
                  Error *err) MUST_CHECK;

/* The same without the children: session_delete_locked then waits for a child that another
 * transaction holds, and fails with REASON_ROW_LOCKED after 100 ms. Cheaper where that is rare. */
bool session_lock_parents(Database *database, const SessionCandidates *candidates, bool *locked,
                          Error *err) MUST_CHECK;

/* What is left to do after session_find_and_lock: the children, where `with_children`, and what is
 * gone. `locked` comes to say what session_lock says. */
bool session_lock_rest(Database *database, const SessionCandidates *candidates, bool with_children,
                       bool *locked, Error *err) MUST_CHECK;

typedef struct SessionCounts {
    int64_t sessions;
    int64_t images;
    int64_t videos;
    int64_t referenced; /* kept on account of a table in session_references; counted as skipped */
    const char *referenced_example; /* one of those, in the transaction's memory; or NULL */
} SessionCounts;

typedef struct SessionDeletion {
    SessionCounts *counts; /* room for one a request */
    /* Sessions that were due and did not go with all their records, because a trigger kept
     * something. */
    const bool *kept; /* of each candidate, in the transaction's memory; NULL when there is none */
    size_t kept_count;
} SessionDeletion;

/* Second look with a fresh snapshot on the locked candidates, then children, then sessions; counts
 * per request. Where a session is kept the caller rolls back:
 * a session goes with all its records or not at all. */
bool session_delete_locked(Database *database, const SessionCandidates *candidates,
                           const bool *locked, const SessionRequests *requests,
                           SessionDeletion *deletion, Error *err) MUST_CHECK;

/* The preview's data: inactive_sessions, total, truncated, image_records, video_records,
 * cutoff_time. One statement; user_id "" = all. */
bool session_preview(Database *database, const SessionRequest *request, int limit,
                     Preview *ret_preview, Error *err) MUST_CHECK;

/* About how many sessions there are, from the catalog alone; 0 = unknown. */
bool session_estimate(Database *database, int64_t *ret_rows, Error *err) MUST_CHECK;

/* What would go, in one statement. */
bool session_count(Database *database, int64_t cutoff_us, const char *user_id,
                   SessionCounts *ret_counts, Error *err) MUST_CHECK;

#endif
