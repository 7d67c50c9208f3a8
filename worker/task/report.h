/*
 * report: what one part of a command (session cleanup, booking expiration) did, as message and as
 * data. Pure.
 *
 * Threads: any.
 */
#ifndef WORKER_TASK_REPORT_H
#define WORKER_TASK_REPORT_H

#include "worker/message/result.h"
#include "worker/repository/ledger_repository.h"

typedef enum ReportPart { REPORT_SESSIONS, REPORT_BOOKINGS } ReportPart;

/* Pointers are borrowed. */
typedef struct Report {
    ReportPart part;
    bool dry_run;
    int64_t cutoff_us;
    const char *user_id; /* "" = all */
    int64_t sessions;
    int64_t images;
    int64_t videos;
    int64_t bookings;
    char *const *booking_ids;
    size_t booking_id_count;
    int64_t skipped;
    const char *failure; /* NULL, or why the part failed */
} Report;

/* The span of the command's params before `now_us`. */
int64_t report_cutoff_us(const CommandParams *params, ReportPart part, int64_t now_us);

/* One sentence: what was done, or why it failed. NULL when out of memory. */
char *report_message(Arena *arena, const Report *report) MUST_CHECK;

/* The counts of the part as a JSON object, and, unless NULL, whose execution the command shared.
 * NULL when out of memory. */
char *report_data(Arena *arena, const Report *report, const char *shared_with) MUST_CHECK;

/* Both halves of scheduled_cleanup together. */
char *report_message_scheduled(Arena *arena, const Report *sessions,
                               const Report *bookings) MUST_CHECK;
char *report_data_scheduled(Arena *arena, const Report *sessions, const Report *bookings,
                            const char *shared_with) MUST_CHECK;

#endif
