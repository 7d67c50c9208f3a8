#include "worker/cli/result_view.h"

#include "common/strbuf.h"
#include "worker/message/progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUNNING "running"
#define ROW_FORMAT "%-20s  %s%-9s%s  %-34s  %-50s  %10s  %-20s  %s\n"

/* What a count is called in a row; those that say nothing when 0 are left out then. */
static const struct {
    const char *member;
    const char *text;
    bool only_above_zero;
} counts[] = {
    {"deleted_sessions", "sessions", false},
    {"deleted_image_records", "images", false},
    {"deleted_video_records", "videos", false},
    {"expired_bookings", "bookings", false},
    {"total", "found", false},
    {"skipped_sessions", "skipped", true},
    {"skipped_bookings", "skipped", true},
};

static const char *
member_text(const cJSON *object, const char *name, const char *otherwise)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text != NULL ? text : otherwise;
}

/* Control characters in strings become "?"; the JSON is ours alone, so it may be changed. */
static void
defuse(cJSON *json)
{
    for (cJSON *item = json; item != NULL; item = item->next) {
        char *const texts[] = {item->valuestring, item->string};
        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
            for (char *at = texts[i]; at != NULL && *at != '\0'; at++) {
                if ((unsigned char)*at < 0x20 || *at == 0x7f)
                    *at = '?';
            }
        }
        if (item->child != NULL)
            defuse(item->child); /* as deep as cJSON parses at most */
    }
}

/* `status` NULL: the record's own; without one it is no result. */
static bool
read_view(const Record *record, const char *status, ResultView *ret_view)
{
    if (record->value.data == NULL)
        return false;
    cJSON *json = cJSON_ParseWithLength(record->value.data, record->value.size);
    const char *id = member_text(json, "command_id", NULL);
    if (status == NULL)
        status = member_text(json, "status", NULL);
    if (id == NULL || status == NULL) {
        cJSON_Delete(json);
        return false;
    }
    defuse(json);
    *ret_view = (ResultView){
        .json = json,
        .command_id = id,
        .status = status,
        .succeeded = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "success")),
    };
    return true;
}

bool
result_view_read(const Record *record, ResultView *ret_view)
{
    return !progress_is_record(record) && read_view(record, NULL, ret_view);
}

bool
result_view_read_progress(const Record *record, ResultView *ret_view)
{
    return progress_is_record(record) && read_view(record, RUNNING, ret_view);
}

void
result_view_done(ResultView *view)
{
    cJSON_Delete(view->json);
    *view = (ResultView){0};
}

static void
add_counts(StrBuf *text, const cJSON *data)
{
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        const cJSON *count = cJSON_GetObjectItemCaseSensitive(data, counts[i].member);
        if (!cJSON_IsNumber(count) || (counts[i].only_above_zero && count->valuedouble <= 0))
            continue;
        strbuf_add_format(text, "%s%s %.0f", text->length > 0 ? " " : "", counts[i].text,
                          count->valuedouble);
    }
}

/* "151000 of 10000000 rows, 10067/s" */
static void
add_progress(StrBuf *text, const cJSON *json)
{
    const cJSON *done = cJSON_GetObjectItemCaseSensitive(json, "rows_done");
    const cJSON *total = cJSON_GetObjectItemCaseSensitive(json, "rows_total");
    const cJSON *rate = cJSON_GetObjectItemCaseSensitive(json, "rows_per_second");
    if (!cJSON_IsNumber(done))
        return;
    strbuf_add_format(text, "%.0f", done->valuedouble);
    if (cJSON_IsNumber(total))
        strbuf_add_format(text, " of %.0f", total->valuedouble);
    strbuf_add_text(text, " rows");
    if (cJSON_IsNumber(rate))
        strbuf_add_format(text, ", %.0f/s", rate->valuedouble);
}

static void
describe(const ResultView *view, StrBuf *ret_text)
{
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(view->json, "data");
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(view->json, "error");
    if (cJSON_IsObject(error))
        strbuf_add_text(ret_text, member_text(error, "code", "error"));
    else if (strncmp(member_text(view->json, "message", ""), "Would ", 6) == 0)
        strbuf_add_text(ret_text, "dry run:");
    add_progress(ret_text, view->json);
    add_counts(ret_text, data);
    add_counts(ret_text, cJSON_GetObjectItemCaseSensitive(data, "session_cleanup"));
    add_counts(ret_text, cJSON_GetObjectItemCaseSensitive(data, "booking_expiration"));
}

static const char *
status_color(const ResultView *view, bool color)
{
    if (!color || strcmp(view->status, RUNNING) == 0)
        return "";
    if (view->succeeded)
        return "\033[32m";
    return strcmp(view->status, "expired") == 0 ? "\033[33m" : "\033[31m";
}

static void
format_duration(const cJSON *json, char *text, size_t size)
{
    const cJSON *duration = cJSON_GetObjectItemCaseSensitive(json, "duration_ms");
    if (!cJSON_IsNumber(duration))
        (void)snprintf(text, size, "-");
    else if (duration->valuedouble < 10000)
        (void)snprintf(text, size, "%.1f ms", duration->valuedouble);
    else
        (void)snprintf(text, size, "%.1f s", duration->valuedouble / 1000);
}

void
result_view_print_header(FILE *out, bool color)
{
    if (color)
        (void)fputs("\033[1m", out);
    (void)fprintf(out, ROW_FORMAT, "TIME", "", "STATUS", "", "TASK", "WHAT", "DURATION", "WORKER",
                  "ID");
    if (color)
        (void)fputs("\033[0m", out);
}

void
result_view_print_row(FILE *out, const ResultView *view, bool color)
{
    CLEANUP(strbuf_done) StrBuf what = {0};
    char duration[32];
    char time[24];
    describe(view, &what);
    format_duration(view->json, duration, sizeof(duration));
    /* Whole seconds are enough in a table: 2026-11-22T02:00:00Z */
    const char *updated = member_text(view->json, "updated_at", "-");
    (void)snprintf(time, sizeof(time), "%.19sZ", member_text(view->json, "finished_at", updated));
    (void)fprintf(out, ROW_FORMAT, time, status_color(view, color), view->status,
                  color ? "\033[0m" : "", member_text(view->json, "task", "-"), strbuf_text(&what),
                  duration, member_text(view->json, "worker_id", "-"), view->command_id);
}

static void
print_value(FILE *out, const cJSON *value)
{
    const char *text = cJSON_GetStringValue(value);
    if (text != NULL) {
        (void)fputs(text, out);
        return;
    }
    char *printed = cJSON_PrintUnformatted(value);
    if (printed != NULL)
        (void)fputs(printed, out);
    cJSON_free(printed);
}

static void
print_entry(FILE *out, const cJSON *entry)
{
    const cJSON *member = NULL;
    (void)fputs("   ", out);
    if (!cJSON_IsObject(entry)) {
        (void)fputc(' ', out);
        print_value(out, entry);
    } else {
        cJSON_ArrayForEach(member, entry)
        {
            (void)fprintf(out, " %s=", member->string);
            print_value(out, member);
        }
    }
    (void)fputc('\n', out);
}

void
result_view_print_summary(FILE *out, const ResultView *view, bool color)
{
    const cJSON *member = NULL;
    (void)fprintf(out, "%s%s%s  %s  %s\n%s\n", status_color(view, color), view->status,
                  color ? "\033[0m" : "", member_text(view->json, "task", "-"), view->command_id,
                  member_text(view->json, "message", ""));
    cJSON_ArrayForEach(member, cJSON_GetObjectItemCaseSensitive(view->json, "data"))
    {
        const bool nested = cJSON_IsArray(member) || cJSON_IsObject(member);
        const cJSON *entry = NULL;
        (void)fprintf(out, nested ? "  %s:" : "  %s: ", member->string);
        if (!nested)
            print_value(out, member);
        (void)fputc('\n', out);
        if (cJSON_IsObject(member))
            print_entry(out, member);
        if (!cJSON_IsArray(member))
            continue;
        cJSON_ArrayForEach(entry, member) print_entry(out, entry);
    }
}

bool
result_view_wants_color(FILE *out)
{
    const char *no_color = getenv("NO_COLOR");
    return (no_color == NULL || no_color[0] == '\0') && isatty(fileno(out)) == 1;
}
