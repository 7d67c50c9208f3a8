/* Finding, locking and expiring bookings; previews are in booking_read.c. */
#include "worker/repository/booking_repository.h"

#include "worker/repository/database_private.h"

#include <string.h>

void
booking_batch_done(BookingBatch *batch)
{
    pg_result_free(batch->storage);
    *batch = (BookingBatch){0};
}

bool
booking_find_expired(Database *database, const BookingWindow *window, BookingBatch *ret_batch,
                     Error *err)
{
    PGresult *result = NULL;
    const bool begins = window->after_created_at[0] == '\0';
    const PgParam params[] = {
        pg_param_time(window->cutoff_us),
        pg_param_text(begins ? "-infinity" : window->after_created_at),
        pg_param_text(window->after_booking_id),
        pg_param_int64(window->limit),
    };
    if (!database_exec(database, SQL_BOOKING_FIND_EXPIRED, params, ARRAY_LEN(params), &result, err))
        return false;
    const size_t count = pg_result_rows(result);
    char **ids = arena_alloc(&database->arena, count, sizeof(*ids));
    if (ids == NULL) {
        pg_result_free(result);
        return error_out_of_memory(err);
    }
    for (size_t i = 0; i < count; i++)
        ids[i] = pg_result_text(result, i, 0);
    *ret_batch = (BookingBatch){
        .booking_ids = ids,
        .count = count,
        .last_created_at = count > 0 ? pg_result_text(result, count - 1, 1) : NULL,
        .last_booking_id = count > 0 ? ids[count - 1] : NULL,
        .storage = result,
    };
    return true;
}

static void
flag_rows(const PGresult *result, const size_t *index, bool value, bool *flags)
{
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        const size_t place = (size_t)pg_result_int64(result, row, 0);
        flags[index != NULL ? index[place] : place] = value;
    }
}

/* What could not be locked because it is gone is nothing to wait for. */
static bool
settle_gone(Database *database, const BookingList *bookings, bool *locked, Error *err)
{
    PgArray ids = database_array(database, PG_TEXT);
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    size_t *index = arena_alloc(&database->arena, bookings->count, sizeof(*index));
    size_t picked = 0;
    if (index == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < bookings->count; i++) {
        if (locked[i])
            continue;
        index[picked++] = i;
        pg_array_add(&ids, bookings->booking_ids[i]);
    }
    if (picked == 0)
        return true;
    const PgParam params[] = {pg_param_array(&ids)};
    if (!database_exec(database, SQL_BOOKING_EXISTS, params, 1, &result, err))
        return false;
    for (size_t i = 0; i < picked; i++)
        locked[index[i]] = true;
    flag_rows(result, index, false, locked);
    return true;
}

bool
booking_lock(Database *database, const BookingList *bookings, bool *locked, Error *err)
{
    PgArray ids = database_array(database, PG_TEXT);
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_array(&ids)};
    memset(locked, 0, bookings->count * sizeof(*locked));
    if (bookings->count == 0)
        return true;
    pg_array_add_all(&ids, bookings->booking_ids, bookings->count);
    if (!database_exec(database, SQL_BOOKING_LOCK, params, 1, &result, err))
        return false;
    flag_rows(result, NULL, true, locked);
    return settle_gone(database, bookings, locked, err);
}

/* The locked bookings as a parameter; index[] leads back to their places. */
typedef struct LockedIds {
    PgArray ids;
    size_t *index;
    size_t count;
} LockedIds;

static bool
pick_locked(Database *database, const BookingList *bookings, const bool *locked, LockedIds *picked,
            Error *err)
{
    *picked = (LockedIds){
        .ids = database_array(database, PG_TEXT),
        .index = arena_alloc(&database->arena, bookings->count, sizeof(*picked->index)),
    };
    if (picked->index == NULL)
        return error_out_of_memory(err);
    for (size_t i = 0; i < bookings->count; i++) {
        if (!locked[i])
            continue;
        picked->index[picked->count++] = i;
        pg_array_add(&picked->ids, bookings->booking_ids[i]);
    }
    return true;
}

/* Flags what was updated and stayed so; true when a trigger may have kept something. */
static bool
read_expired(const PGresult *result, const LockedIds *picked, bool *expired)
{
    bool doubtful = pg_result_rows(result) < picked->count;
    for (size_t row = 0; row < pg_result_rows(result); row++) {
        expired[picked->index[pg_result_int64(result, row, 0)]] = pg_result_bool(result, row, 1);
        doubtful |= !pg_result_bool(result, row, 1) || pg_result_bool(result, row, 2);
    }
    return doubtful;
}

static bool
find_kept(Database *database, const LockedIds *picked, int64_t cutoff_us,
          const BookingChange *change, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    const PgParam params[] = {pg_param_array(&picked->ids), pg_param_time(cutoff_us)};
    if (!database_exec(database, SQL_BOOKING_DUE, params, ARRAY_LEN(params), &result, err))
        return false;
    flag_rows(result, picked->index, true, change->kept);
    flag_rows(result, picked->index, false, change->expired);
    return true;
}

bool
booking_expire_locked(Database *database, int64_t cutoff_us, const BookingList *bookings,
                      const bool *locked, const BookingChange *change, Error *err)
{
    LockedIds picked;
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    memset(change->expired, 0, bookings->count * sizeof(*change->expired));
    memset(change->kept, 0, bookings->count * sizeof(*change->kept));
    if (!pick_locked(database, bookings, locked, &picked, err))
        return false;
    if (picked.count == 0)
        return true;
    const PgParam params[] = {pg_param_array(&picked.ids), pg_param_time(cutoff_us),
                              pg_param_text(database_table(database, TABLE_BOOKINGS))};
    if (!database_exec(database, SQL_BOOKING_EXPIRE, params, ARRAY_LEN(params), &result, err))
        return false;
    return !read_expired(result, &picked, change->expired) ||
           find_kept(database, &picked, cutoff_us, change, err);
}
