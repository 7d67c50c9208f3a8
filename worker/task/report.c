#include "worker/task/report.h"

#include "common/json_write.h"

#include <inttypes.h>
#include <string.h>

#define US_PER_MINUTE (60.0 * 1e6)

int64_t
report_cutoff_us(const CommandParams *params, ReportPart part, int64_t now_us)
{
    const double minutes =
        part == REPORT_SESSIONS ? params->inactive_hours * 60.0 : params->expiration_minutes;
    return now_us - (int64_t)(minutes * US_PER_MINUTE);
}

static void
add_for_user(StrBuf *text, const Report *report)
{
    if (report->part == REPORT_SESSIONS && report->user_id[0] != '\0')
        strbuf_add_format(text, " for user %s", report->user_id);
}

static void
add_failure(StrBuf *text, const Report *report)
{
    strbuf_add_text(text, report->part == REPORT_SESSIONS ? "Error cleaning up inactive sessions"
                                                          : "Error expiring pending bookings");
    add_for_user(text, report);
    strbuf_add_format(text, ": %s", report->failure);
}

static void
add_sessions(StrBuf *text, const Report *report)
{
    if (report->sessions == 0 && report->skipped == 0 && !report->dry_run)
        strbuf_add_text(text, "No inactive sessions found");
    else
        strbuf_add_format(text, "%s %" PRId64 " inactive sessions",
                          report->dry_run ? "Would clean up" : "Successfully cleaned up",
                          report->sessions);
    add_for_user(text, report);
}

static void
add_bookings(StrBuf *text, const Report *report)
{
    if (report->bookings == 0 && report->skipped == 0 && !report->dry_run)
        strbuf_add_text(text, "No expired pending bookings found");
    else
        strbuf_add_format(text, "%s %" PRId64 " bookings as Expired",
                          report->dry_run ? "Would mark" : "Successfully marked", report->bookings);
}

char *
report_message(Arena *arena, const Report *report)
{
    StrBuf text = {.arena = arena};
    if (report->failure != NULL) {
        add_failure(&text, report);
        return strbuf_take(&text);
    }
    if (report->part == REPORT_SESSIONS)
        add_sessions(&text, report);
    else
        add_bookings(&text, report);
    if (report->skipped > 0)
        strbuf_add_format(&text, " (%" PRId64 " skipped: locked)", report->skipped);
    return strbuf_take(&text);
}

static void
add_session_counts(StrBuf *json, const Report *report)
{
    json_add_int64(json, "deleted_sessions", report->sessions);
    json_add_int64(json, "deleted_image_records", report->images);
    json_add_int64(json, "deleted_video_records", report->videos);
    json_add_int64(json, "skipped_sessions", report->skipped);
    json_add_time(json, "cutoff_time", report->cutoff_us);
    if (report->user_id[0] != '\0')
        json_add_text(json, "user_id", report->user_id);
}

/* Adds ids until the list would outgrow the result; returns how many. */
static size_t
add_ids(StrBuf *json, const Report *report)
{
    size_t bytes = 0;
    size_t added = 0;
    for (; added < report->booking_id_count; added++) {
        bytes += strlen(report->booking_ids[added]) + sizeof("\"\",");
        if (bytes > RESULT_LIST_MAX_BYTES)
            break;
        json_add_text(json, NULL, report->booking_ids[added]);
    }
    return added;
}

static void
add_booking_counts(StrBuf *json, const Report *report)
{
    json_add_int64(json, "expired_bookings", report->bookings);
    json_open_array(json, "expired_booking_ids");
    const size_t added = add_ids(json, report);
    json_close_array(json);
    json_add_bool(json, "expired_booking_ids_truncated", (int64_t)added < report->bookings);
    json_add_int64(json, "skipped_bookings", report->skipped);
    json_add_time(json, "cutoff_time", report->cutoff_us);
}

static void
add_counts(StrBuf *json, const Report *report)
{
    if (report->part == REPORT_SESSIONS)
        add_session_counts(json, report);
    else
        add_booking_counts(json, report);
}

/* Ends the data. */
static char *
take_data(StrBuf *json, const char *shared_with)
{
    if (shared_with != NULL)
        json_add_text(json, "shared_with", shared_with);
    json_close_object(json);
    return strbuf_take(json);
}

char *
report_data(Arena *arena, const Report *report, const char *shared_with)
{
    StrBuf json = {.arena = arena};
    json_open_object(&json, NULL);
    add_counts(&json, report);
    return take_data(&json, shared_with);
}

char *
report_message_scheduled(Arena *arena, const Report *sessions, const Report *bookings)
{
    const char *first = report_message(arena, sessions);
    const char *second = report_message(arena, bookings);
    if (first == NULL || second == NULL)
        return NULL;
    StrBuf text = {.arena = arena};
    strbuf_add_format(&text, "Session cleanup: %s; Booking expiration: %s", first, second);
    return strbuf_take(&text);
}

static void
add_half(StrBuf *json, const char *name, const Report *report)
{
    const char *message = report_message(json->arena, report);
    json->failed = json->failed || message == NULL;
    json_open_object(json, name);
    json_add_bool(json, "success", report->failure == NULL);
    json_add_text(json, "message", message);
    add_counts(json, report);
    json_close_object(json);
}

char *
report_data_scheduled(Arena *arena, const Report *sessions, const Report *bookings,
                      const char *shared_with)
{
    StrBuf json = {.arena = arena};
    json_open_object(&json, NULL);
    add_half(&json, "session_cleanup", sessions);
    add_half(&json, "booking_expiration", bookings);
    return take_data(&json, shared_with);
}
