#include "worker/task/report.h"

#include "common/strbuf.h"

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

bool
report_add_cutoff(cJSON *data, int64_t cutoff_us)
{
    char cutoff[CLOCK_TEXT_BYTES];
    clock_format(cutoff_us, cutoff);
    return cJSON_AddStringToObject(data, "cutoff_time", cutoff) != NULL;
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
report_message(const Report *report)
{
    StrBuf text = {0};
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

static bool
add_count(cJSON *data, const char *name, int64_t count)
{
    return cJSON_AddNumberToObject(data, name, (double)count) != NULL;
}

static bool
add_session_counts(cJSON *data, const Report *report)
{
    return add_count(data, "deleted_sessions", report->sessions) &&
           add_count(data, "deleted_image_records", report->images) &&
           add_count(data, "deleted_video_records", report->videos) &&
           add_count(data, "skipped_sessions", report->skipped) &&
           report_add_cutoff(data, report->cutoff_us) &&
           (report->user_id[0] == '\0' ||
            cJSON_AddStringToObject(data, "user_id", report->user_id) != NULL);
}

/* Adds ids until the list would outgrow the result. */
static bool
add_ids(cJSON *list, const Report *report, size_t *ret_added)
{
    size_t bytes = 0;
    size_t added = 0;
    for (; added < report->booking_id_count; added++) {
        bytes += strlen(report->booking_ids[added]) + sizeof("\"\",");
        if (bytes > RESULT_LIST_MAX_BYTES)
            break;
        cJSON *id = cJSON_CreateString(report->booking_ids[added]);
        if (id == NULL || !cJSON_AddItemToArray(list, id)) {
            cJSON_Delete(id);
            return false;
        }
    }
    *ret_added = added;
    return true;
}

static bool
add_booking_counts(cJSON *data, const Report *report)
{
    size_t added = 0;
    if (!add_count(data, "expired_bookings", report->bookings))
        return false;
    cJSON *list = cJSON_AddArrayToObject(data, "expired_booking_ids");
    if (list == NULL || !add_ids(list, report, &added))
        return false;
    const bool truncated = (int64_t)added < report->bookings;
    return cJSON_AddBoolToObject(data, "expired_booking_ids_truncated", truncated) != NULL &&
           add_count(data, "skipped_bookings", report->skipped) &&
           report_add_cutoff(data, report->cutoff_us);
}

static bool
add_counts(cJSON *data, const Report *report)
{
    return report->part == REPORT_SESSIONS ? add_session_counts(data, report)
                                           : add_booking_counts(data, report);
}

cJSON *
report_data(const Report *report)
{
    cJSON *data = cJSON_CreateObject();
    if (data == NULL || !add_counts(data, report)) {
        cJSON_Delete(data);
        return NULL;
    }
    return data;
}

char *
report_message_scheduled(const Report *sessions, const Report *bookings)
{
    CLEANUP(autofree) char *first = report_message(sessions);
    CLEANUP(autofree) char *second = report_message(bookings);
    if (first == NULL || second == NULL)
        return NULL;
    StrBuf text = {0};
    strbuf_add_format(&text, "Session cleanup: %s; Booking expiration: %s", first, second);
    return strbuf_take(&text);
}

static bool
add_half(cJSON *data, const char *name, const Report *report)
{
    CLEANUP(autofree) char *message = report_message(report);
    cJSON *half = cJSON_AddObjectToObject(data, name);
    return message != NULL && half != NULL &&
           cJSON_AddBoolToObject(half, "success", report->failure == NULL) != NULL &&
           cJSON_AddStringToObject(half, "message", message) != NULL && add_counts(half, report);
}

cJSON *
report_data_scheduled(const Report *sessions, const Report *bookings)
{
    cJSON *data = cJSON_CreateObject();
    if (data == NULL || !add_half(data, "session_cleanup", sessions) ||
        !add_half(data, "booking_expiration", bookings)) {
        cJSON_Delete(data);
        return NULL;
    }
    return data;
}
