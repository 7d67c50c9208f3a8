#include "tests/support/look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

void
look_init(Look *look)
{
    *look = (Look){.settings = postgres_settings()};
}

void
look_done(Look *look)
{
    findings_done(&look->findings);
    for (int i = 0; i < look->value_count; i++)
        free(look->values[i]);
}

void
look_walk(Look *look)
{
    Error err = {0};
    const CatalogNeeds needs = {.is_start = true};
    CLEANUP(database_freep) Database *database = postgres_open(&look->settings);
    findings_done(&look->findings);
    ASSERT_OK(catalog_walk(database, &needs, &look->findings, &err), &err);
}

static size_t
count_amiss(const Findings *findings)
{
    return findings_count(findings, FINDING_WARN) + findings_count(findings, FINDING_FAIL);
}

const Finding *
look_find_among(Look *look, FindingLevel level, const char *code, const char *text)
{
    look_walk(look);
    for (size_t i = 0; i < look->findings.count; i++) {
        const Finding *finding = &look->findings.list[i];
        if (finding->level == level && strcmp(finding->code, code) == 0 &&
            strstr(finding->what, text) != NULL)
            return finding;
    }
    findings_print(&look->findings, FINDING_UNKNOWN, stdout);
    fail_msg("no %s %s says \"%s\"", finding_level_name(level), code, text);
    return NULL;
}

const Finding *
look_find(Look *look, FindingLevel level, const char *code, const char *text)
{
    const Finding *finding = look_find_among(look, level, code, text);
    if (count_amiss(&look->findings) != 1) {
        findings_print(&look->findings, FINDING_UNKNOWN, stdout);
        fail_msg("more than \"%s\" is amiss", text);
    }
    return finding;
}

static const char **
option_of(DatabaseTables *tables, const char *key)
{
    const struct {
        const char *key;
        const char **value;
    } options[] = {
        {"session_references", &tables->session_references},
        {"time_zone", &tables->time_zone},
        {"message_sender_user", &tables->message_sender_user},
        {"message_sender_others", &tables->message_sender_others},
        {"booking_status_pending", &tables->booking_status_pending},
        {"booking_status_expired", &tables->booking_status_expired},
    };
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (strcmp(options[i].key, key) == 0)
            return options[i].value;
    }
    fail_msg("there is no option tables.%s", key);
    return NULL;
}

/* A quote within quotes is written '\'' for the shell. */
static void
take_quotes_off(char *value)
{
    for (char *at = strstr(value, "'\\''"); at != NULL; at = strstr(at + 1, "'\\''"))
        memmove(at + 1, at + 4, strlen(at + 4) + 1);
}

/* -o 'tables.key=value' */
static void
apply_option(Look *look, char *line)
{
    char *key = strstr(line, "tables.");
    assert_non_null(key);
    key += strlen("tables.");
    char *value = strchr(key, '=');
    if (value == NULL) {
        fail_msg("%s sets nothing", key);
        return;
    }
    *value++ = '\0';
    assert_int_equal(value[strlen(value) - 1], '\'');
    value[strlen(value) - 1] = '\0';
    assert_true(look->value_count < LOOK_VALUES_MAX);
    take_quotes_off(value);
    look->values[look->value_count] = strdup(value);
    const char **option = option_of(&look->settings.tables, key);
    if (option != NULL)
        *option = look->values[look->value_count++];
}

void
look_apply(Look *look, PgConn *app, const Finding *finding)
{
    assert_non_null(finding->mend);
    CLEANUP(autofree) char *mend = strdup(finding->mend);
    char *rest = NULL;
    for (char *line = strtok_r(mend, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "-o ", 3) == 0)
            apply_option(look, line);
        else
            postgres_exec(app, "%s", line);
    }
}

void
look_passes(Look *look)
{
    look_walk(look);
    const size_t unknown = look->blind ? 0 : findings_count(&look->findings, FINDING_UNKNOWN);
    if (count_amiss(&look->findings) + unknown == 0)
        return;
    findings_print(&look->findings, FINDING_UNKNOWN, stdout);
    fail_msg("something is amiss");
}

void
look_mends(Look *look, PgConn *app, const char *code, const char *text)
{
    look_apply(look, app, look_find(look, FINDING_FAIL, code, text));
    look_passes(look);
}
