#include "common/findings.h"

#include "common/json_write.h"

#include <stdint.h>
#include <string.h>

enum {
    WIDTH = 80,
    SUBJECT_COLUMN = 6, /* behind the level */
    WHAT_COLUMN = 27,   /* behind the subject, which may be "cleanup.dead-letters" */
    WHY_COLUMN = 8,
    ROOM_FIRST = 16,
};

const char *
finding_level_name(FindingLevel level)
{
    static const char *const names[] = {
        [FINDING_OK] = "OK",
        [FINDING_UNKNOWN] = "?",
        [FINDING_WARN] = "WARN",
        [FINDING_FAIL] = "FAIL",
    };
    return names[level];
}

static void
free_texts(const Finding *finding)
{
    free((void *)(uintptr_t)finding->subject);
    free((void *)(uintptr_t)finding->what);
    free((void *)(uintptr_t)finding->why);
    free((void *)(uintptr_t)finding->mend);
}

/* NULL stays NULL. */
static bool
copy_text(const char *text, const char **ret_copy)
{
    *ret_copy = text != NULL ? strdup(text) : NULL;
    return text == NULL || *ret_copy != NULL;
}

static bool
grow(Findings *findings)
{
    if (findings->count < findings->room)
        return true;
    const size_t room = findings->room > 0 ? findings->room * 2 : ROOM_FIRST;
    Finding *list = realloc(findings->list, room * sizeof(*list));
    if (list == NULL)
        return false;
    findings->list = list;
    findings->room = room;
    return true;
}

bool
findings_add(Findings *findings, const Finding *finding, Error *err)
{
    Finding copy = {.level = finding->level, .code = finding->code, .concerns = finding->concerns};
    const bool copied = copy_text(finding->subject, &copy.subject) &&
                        copy_text(finding->what, &copy.what) &&
                        copy_text(finding->why, &copy.why) && copy_text(finding->mend, &copy.mend);
    if (!copied || !grow(findings)) {
        free_texts(&copy);
        return error_out_of_memory(err);
    }
    findings->list[findings->count++] = copy;
    return true;
}

bool
finding_is(const Finding *finding, const char *code)
{
    return strcmp(finding->code, code) == 0;
}

size_t
findings_count(const Findings *findings, FindingLevel level)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++)
        count += findings->list[i].level == level;
    return count;
}

const Finding *
findings_first(const Findings *findings, FindingLevel level)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->list[i].level == level)
            return &findings->list[i];
    }
    return NULL;
}

/* How many bytes of the text fit into `width` columns, broken at a blank where there is one. */
static size_t
line_bytes(const char *text, size_t width)
{
    const size_t length = strlen(text);
    if (length <= width)
        return length;
    for (size_t i = width; i > 0; i--) {
        if (text[i] == ' ')
            return i;
    }
    return strcspn(text, " ");
}

/* Prints the text from `column` on; the first line stands at the caller's place already. */
static void
print_wrapped(const char *text, int column, FILE *out)
{
    for (;;) {
        const size_t bytes = line_bytes(text, (size_t)(WIDTH - column));
        (void)fprintf(out, "%.*s\n", (int)bytes, text);
        text += bytes + strspn(text + bytes, " ");
        if (*text == '\0')
            return;
        (void)fprintf(out, "%*s", column, "");
    }
}

static void
print_statements(const char *mend, FILE *out)
{
    while (*mend != '\0') {
        const size_t bytes = strcspn(mend, "\n");
        (void)fprintf(out, "%*s%.*s\n", WHY_COLUMN, "", (int)bytes, mend);
        mend += bytes + (mend[bytes] == '\n');
    }
}

static void
print_finding(const Finding *finding, FILE *out)
{
    const int subject_width = WHAT_COLUMN - SUBJECT_COLUMN - 1;
    (void)fprintf(out, "%-*s%-*s ", SUBJECT_COLUMN, finding_level_name(finding->level),
                  subject_width, finding->subject);
    print_wrapped(finding->what, WHAT_COLUMN, out);
    if (finding->why != NULL) {
        (void)fprintf(out, "%*s", WHY_COLUMN, "");
        print_wrapped(finding->why, WHY_COLUMN, out);
    }
    if (finding->mend != NULL)
        print_statements(finding->mend, out);
}

void
findings_print(const Findings *findings, FindingLevel least, FILE *out)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->list[i].level >= least)
            print_finding(&findings->list[i], out);
    }
}

static void
add_json(StrBuf *json, const Finding *finding)
{
    json_open_object(json, NULL);
    json_add_text(json, "level", finding_level_name(finding->level));
    json_add_text(json, "code", finding->code);
    json_add_text(json, "subject", finding->subject);
    json_add_text(json, "what", finding->what);
    json_add_text(json, "why", finding->why);
    json_add_text(json, "mend", finding->mend);
    json_add_text(json, "concerns", finding->concerns);
    json_close_object(json);
}

bool
findings_print_json(const Findings *findings, FindingLevel least, FILE *out)
{
    for (size_t i = 0; i < findings->count; i++) {
        CLEANUP(strbuf_done) StrBuf json = {0};
        if (findings->list[i].level < least)
            continue;
        add_json(&json, &findings->list[i]);
        if (json.failed)
            return false;
        (void)fprintf(out, "%s\n", strbuf_text(&json));
    }
    return true;
}

void
findings_done(Findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        free_texts(&findings->list[i]);
    free(findings->list);
    *findings = (Findings){0};
}
