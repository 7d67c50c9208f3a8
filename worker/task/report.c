#include "worker/task/report.h"

#include "common/digits.h"
#include "common/json_write.h"
#include "worker/message/result.h"

#include <inttypes.h>
#include <string.h>

static void
add_for_user(StrBuf *text, const Report *report)
{
    if (report->user_id[0] == '\0')
        return;
    strbuf_add_text(text, " for user ");
    strbuf_add_text(text, report->user_id);
}

static void
add_failure(StrBuf *text, const Report *report)
{
    strbuf_add_text(text, report->target->words.failure);
    add_for_user(text, report);
    strbuf_add_format(text, ": %s", report->failure);
}

/* Rows whose cause is not listed: locked ones of a version that knew no other, and rare causes. */
static int64_t
unlisted(const Tally *tally)
{
    int64_t rows = tally->skipped;
    for (size_t i = 0; i < tally->reason_count; i++)
        rows -= tally->reasons[i].rows;
    return rows;
}

static bool
has_reason(const Tally *tally, SkipReason reason)
{
    for (size_t i = 0; i < tally->reason_count; i++) {
        if (tally->reasons[i].cause.reason == reason)
            return true;
    }
    return reason == SKIP_LOCKED && tally->reason_count < TALLY_REASONS_MAX && unlisted(tally) > 0;
}

/* " (3 skipped: locked, error)" */
static void
add_skipped(StrBuf *text, const Tally *tally)
{
    const char *before = ": ";
    strbuf_add_format(text, " (%" PRId64 " skipped", tally->skipped);
    for (SkipReason reason = SKIP_LOCKED; reason < SKIP_REASON_COUNT; reason++) {
        if (!has_reason(tally, reason))
            continue;
        strbuf_add_format(text, "%s%s", before, skip_reason_name(reason));
        before = ", ";
    }
    strbuf_add_char(text, ')');
}

/* Without printf: each command of a set has one of these. */
static void
add_done(StrBuf *text, const Report *report)
{
    const TargetWords *words = &report->target->words;
    const int64_t rows = report->tally.counts[0];
    char digits[DIGITS_BYTES];
    if (rows == 0 && report->tally.skipped == 0 && !report->dry_run) {
        strbuf_add_text(text, "No ");
        strbuf_add_text(text, words->due);
        strbuf_add_text(text, " found");
        return;
    }
    strbuf_add_text(text, report->dry_run ? words->would : words->done);
    strbuf_add_char(text, ' ');
    strbuf_add_text(text, digits_of_int64(rows, digits));
    strbuf_add_char(text, ' ');
    strbuf_add_text(text, words->rows);
}

static void
add_sentence(StrBuf *text, const Report *report)
{
    if (report->failure != NULL) {
        add_failure(text, report);
        return;
    }
    add_done(text, report);
    add_for_user(text, report);
    if (report->tally.skipped > 0)
        add_skipped(text, &report->tally);
}

char *
report_message(Arena *arena, const Reports *reports)
{
    StrBuf text = {.arena = arena};
    for (size_t i = 0; i < reports->count; i++) {
        if (reports->count > 1)
            strbuf_add_format(&text, "%s%s: ", i > 0 ? "; " : "",
                              reports->each[i].target->words.heading);
        add_sentence(&text, &reports->each[i]);
    }
    return strbuf_take(&text);
}

/* Adds ids until the list would outgrow the result; returns how many. */
static size_t
add_ids(StrBuf *json, const Tally *tally)
{
    size_t bytes = 0;
    size_t added = 0;
    for (; added < tally->id_count; added++) {
        bytes += strlen(tally->ids[added]) + sizeof("\"\",");
        if (bytes > RESULT_LIST_MAX_BYTES)
            break;
        json_add_text(json, NULL, tally->ids[added]);
    }
    return added;
}

static const char *
text_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static void
add_reason(StrBuf *json, const SkipCount *skipped)
{
    json_open_object(json, NULL);
    json_add_text(json, "reason", skip_reason_name(skipped->cause.reason));
    json_add_int64(json, "count", skipped->rows);
    json_add_text(json, "sqlstate", text_or_null(skipped->cause.sqlstate));
    json_add_text(json, "message", text_or_null(skipped->cause.message));
    json_add_text(json, "example", text_or_null(skipped->example));
    json_close_object(json);
}

static void
add_reasons(StrBuf *json, const Tally *tally)
{
    const SkipCount locked = {{SKIP_LOCKED, "", ""}, unlisted(tally), ""};
    if (tally->skipped == 0)
        return;
    json_open_array(json, "skipped_reasons");
    for (size_t i = 0; i < tally->reason_count; i++)
        add_reason(json, &tally->reasons[i]);
    if (locked.rows > 0 && tally->reason_count < TALLY_REASONS_MAX)
        add_reason(json, &locked);
    json_close_array(json);
}

static void
add_counts(StrBuf *json, const Report *report)
{
    const Target *target = report->target;
    const Tally *tally = &report->tally;
    for (size_t i = 0; i < target->counted; i++)
        json_add_int64(json, target->counts[i], tally->counts[i]);
    if (target->words.ids != NULL) {
        json_open_array(json, target->words.ids);
        const size_t added = add_ids(json, tally);
        json_close_array(json);
        json_add_bool(json, target->words.truncated, (int64_t)added < tally->counts[0]);
    }
    json_add_int64(json, target->words.skipped, tally->skipped);
    add_reasons(json, tally);
    json_add_time(json, "cutoff_time", report->cutoff_us);
    if (report->user_id[0] != '\0')
        json_add_text(json, "user_id", report->user_id);
}

static void
add_section(StrBuf *json, const Report *report)
{
    const Reports alone = {report, 1};
    const char *message = report_message(json->arena, &alone);
    json->failed = json->failed || message == NULL;
    json_open_object(json, report->target->words.section);
    json_add_bool(json, "success", report->failure == NULL);
    json_add_text(json, "message", message);
    add_counts(json, report);
    json_close_object(json);
}

char *
report_data(Arena *arena, const Reports *reports, const char *shared_with)
{
    StrBuf json = {.arena = arena};
    json_open_object(&json, NULL);
    for (size_t i = 0; i < reports->count; i++) {
        if (reports->count > 1)
            add_section(&json, &reports->each[i]);
        else
            add_counts(&json, &reports->each[i]);
    }
    if (shared_with != NULL)
        json_add_text(&json, "shared_with", shared_with);
    json_close_object(&json);
    return strbuf_take(&json);
}
