/*
 * booking_repository: bookings that stay Pending.
 *
 * Threads: that of its Database; every function runs inside the caller's transaction.
 */
#ifndef WORKER_REPOSITORY_BOOKING_REPOSITORY_H
#define WORKER_REPOSITORY_BOOKING_REPOSITORY_H

#include "worker/repository/database.h"
#include "worker/repository/preview.h"

typedef struct BookingBatch {
    char **booking_ids; /* of the window, in order of (created_at, booking_id) */
    size_t count;
    char *last_created_at; /* the cursor after the window; NULL at the end */
    char *last_booking_id;
    void *storage; /* private */
} BookingBatch;

void booking_batch_done(BookingBatch *batch);

/* The next `limit` bookings after a cursor; "" as cursor = from the beginning. */
typedef struct BookingWindow {
    int64_t cutoff_us;
    const char *after_created_at;
    const char *after_booking_id;
    int limit;
} BookingWindow;

/* find-expired: Pending bookings created before the cutoff, no lock. */
bool booking_find_expired(Database *database, const BookingWindow *window, BookingBatch *ret_batch,
                          Error *err) MUST_CHECK;

typedef struct BookingList {
    const char *const *booking_ids;
    size_t count;
} BookingList;

/* Locks the bookings FOR UPDATE SKIP LOCKED in order of id; locked[i] also for one that is gone. */
bool booking_lock(Database *database, const BookingList *bookings, bool *locked,
                  Error *err) MUST_CHECK;

/* What became of each of the bookings, when they were to expire. */
typedef struct BookingChange {
    bool *expired;
    bool *kept; /* a trigger has kept it as it was */
} BookingChange;

/* update-status: Pending → Expired for the locked ones, with the whole condition stated again
 * (status and cutoff). *change has room for all of them. */
bool booking_expire_locked(Database *database, int64_t cutoff_us, const BookingList *bookings,
                           const bool *locked, const BookingChange *change, Error *err) MUST_CHECK;

/* The preview's data; minutes_old counts up to now_us. */
bool booking_preview(Database *database, int64_t cutoff_us, int64_t now_us, int limit,
                     Preview *ret_preview, Error *err) MUST_CHECK;

/* About how many bookings are Pending, from the catalog alone; 0 = unknown. */
bool booking_estimate(Database *database, int64_t *ret_rows, Error *err) MUST_CHECK;

/* How many would expire, and the first 1,000 of them, in the transaction's memory. */
bool booking_count(Database *database, int64_t cutoff_us, int64_t *ret_total,
                   BookingList *ret_listed, Error *err) MUST_CHECK;

#endif
