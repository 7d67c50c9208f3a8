/* Into which ranges a long command is divided. Decided once and for all when it begins: whoever
 * takes it over goes on with the ranges there are. */
#include "worker/repository/booking_repository.h"
#include "worker/repository/session_repository.h"
#include "worker/task/long_command/long_command.h"

#include <string.h>

static void
add_range(const TaskContext *context, LongCommand *long_command, LedgerRange *ranges,
          ReportPart kind, int range_no)
{
    const int i = long_command->part_count++;
    ranges[i] = (LedgerRange){
        .part = long_command_part_name(kind),
        .range_no = range_no,
        .owner_epoch = long_command->epoch,
        .state = RANGE_RUNNING,
    };
    long_command->parts[i] = (LongCommandPart){
        .kind = kind,
        .range_no = range_no,
        .batch_rows = context->settings->batch_sessions,
        .seed = (unsigned)clock_now_us(context->clock) + (unsigned)i,
    };
}

_Static_assert(sizeof(((SessionBound *)0)->user_id) == RANGE_BOUND_BYTES, "both hold a UUID");

/* The greatest UUID below `bound`, which is not the lowest one. */
static void
step_back(const SessionBound *bound, char ret_below[RANGE_BOUND_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    memcpy(ret_below, bound->user_id, RANGE_BOUND_BYTES);
    for (size_t i = strlen(ret_below); i > 0; i--) {
        char *digit = &ret_below[i - 1];
        const char *found = strchr(digits, *digit);
        if (found == NULL)
            continue;
        *digit = found > digits ? found[-1] : 'f';
        if (found > digits)
            return;
    }
}

/* About as many as there are executors, but none so small that it is not worth its transactions. */
static int
wanted_ranges(const TaskContext *context, int64_t rows)
{
    const int64_t most = rows / LONG_COMMAND_RANGE_ROWS_MIN;
    int wanted = context->settings->executors;
    if (wanted > LONG_COMMAND_RANGES_MAX)
        wanted = LONG_COMMAND_RANGES_MAX;
    if (wanted > most)
        wanted = (int)most;
    return wanted > 1 ? wanted : 1;
}

static void
add_session_ranges(const TaskContext *context, LongCommand *long_command, LedgerRange *ranges,
                   int64_t rows, const SessionBound *bounds, int bound_count)
{
    const int count = bound_count + 1;
    for (int i = 0; i < count; i++) {
        add_range(context, long_command, ranges, REPORT_SESSIONS, i);
        ranges[i].rows_total = rows / count + (i < rows % count);
        if (i > 0)
            memcpy(ranges[i].bound_low, bounds[i - 1].user_id, sizeof(ranges[i].bound_low));
        if (i < bound_count)
            step_back(&bounds[i], ranges[i].bound_high);
    }
    long_command->skipped_kept_max = LONG_COMMAND_SKIPPED_KEPT_MAX / count;
}

/* All of it comes from the catalog alone: a table that is locked or gone is no reason not to begin,
 * for the other part may do without it. Order and bounds never change: a cursor of one order means
 * nothing in the other, and the next owner may find another index. */
static bool
plan_sessions(const TaskContext *context, const Command *command, LongCommand *long_command,
              LedgerRange *ranges, Error *err)
{
    SessionBound bounds[LONG_COMMAND_RANGES_MAX];
    int64_t rows = 0;
    int bound_count = 0;
    bool indexed = true;
    const bool whole_table = command->params.user_id[0] == '\0';
    if (whole_table && (!session_has_user_index(context->database, &indexed, err) ||
                        !session_estimate(context->database, &rows, err)))
        return false;
    const int wanted = whole_table && indexed ? wanted_ranges(context, rows) : 1;
    if (wanted > 1 && !session_find_bounds(context->database, wanted, bounds, &bound_count, err))
        return false;
    add_session_ranges(context, long_command, ranges, rows, bounds, bound_count);
    ranges[0].by_id = !indexed;
    return true;
}

/* One range: an expiration is a fraction of what a session with its records costs. */
static bool
plan_bookings(const TaskContext *context, LongCommand *long_command, LedgerRange *ranges,
              Error *err)
{
    add_range(context, long_command, ranges, REPORT_BOOKINGS, 0);
    return booking_estimate(context->database, &ranges[long_command->part_count - 1].rows_total,
                            err);
}

bool
long_command_plan(const TaskContext *context, const Command *command, LongCommand *long_command,
                  LedgerRange *ranges, Error *err)
{
    const bool bookings_alone = command->task == COMMAND_EXPIRE_PENDING_BOOKINGS;
    const bool bookings_too = command->task == COMMAND_SCHEDULED_CLEANUP;
    long_command->part_count = 0;
    if (!bookings_alone && !plan_sessions(context, command, long_command, ranges, err))
        return false;
    if ((bookings_alone || bookings_too) && !plan_bookings(context, long_command, ranges, err))
        return false;
    for (int i = 0; i < long_command->part_count; i++)
        long_command->parts[i].rows_total = ranges[i].rows_total;
    return true;
}

void
long_command_adopt(const TaskContext *context, LongCommand *long_command, const LedgerRange *ranges,
                   size_t count)
{
    int sessions = 0;
    long_command->part_count = (int)count;
    for (size_t i = 0; i < count; i++) {
        const LedgerRange *range = &ranges[i];
        const bool is_sessions = strcmp(range->part, long_command_part_name(REPORT_SESSIONS)) == 0;
        sessions += is_sessions;
        long_command->parts[i] = (LongCommandPart){
            .kind = is_sessions ? REPORT_SESSIONS : REPORT_BOOKINGS,
            .range_no = range->range_no,
            .done = range->state == RANGE_DONE || range->state == RANGE_FAILED,
            .batch_rows = context->settings->batch_sessions,
            .seed = (unsigned)clock_now_us(context->clock) + (unsigned)i,
            .rows_done = range->rows_done,
            .rows_total = range->rows_total,
        };
    }
    long_command->skipped_kept_max = LONG_COMMAND_SKIPPED_KEPT_MAX / (sessions > 0 ? sessions : 1);
}
