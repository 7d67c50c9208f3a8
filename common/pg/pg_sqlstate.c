#include "common/pg/pg_sqlstate.h"

#include <ctype.h>
#include <string.h>

typedef struct SqlstateRule {
    const char *prefix; /* a whole SQLSTATE, or the beginning that a family shares */
    ErrorReason reason;
    bool loses; /* the connection is of no use any more */
} SqlstateRule;

/* The first match counts, so whole states stand before their class. */
static const SqlstateRule rules[] = {
    {"08", REASON_CONNECTION_LOST, true},
    {"0A000", REASON_PLAN_STALE, true}, /* a prepared plan whose tables were altered */
    {"22", REASON_DATA_INVALID, false},
    {"23503", REASON_STILL_REFERENCED, false}, /* foreign key */
    {"25006", REASON_CONNECTION_LOST, true},   /* read only: a standby after a failover */
    {"25P03", REASON_CONNECTION_LOST, true},   /* idle in transaction for too long */
    {"25", REASON_SERVER_STATE, false},
    {"26", REASON_STATEMENT_LOST, false}, /* a pooler lost the prepared statement */
    {"28", REASON_LOGIN_REFUSED, false},
    {"3D", REASON_LOGIN_REFUSED, false}, /* no such database */
    {"40001", REASON_CONFLICT, false},   /* serialization failure */
    {"40P01", REASON_CONFLICT, false},   /* deadlock detected */
    {"42501", REASON_PRIVILEGE_MISSING, false},
    {"42P05", REASON_STATEMENT_LOST, false}, /* it is another client's of the pooler */
    {"42P", REASON_OBJECT_MISSING, false},
    {"42", REASON_OBJECT_UNFIT, false},    /* such as a missing column */
    {"53", REASON_RESOURCES_SHORT, false}, /* disk full, out of memory, too many clients */
    {"55P03", REASON_TABLE_LOCKED, false}, /* lock_timeout */
    {"57014", REASON_TIMEOUT, false},      /* statement_timeout or a cancel */
    {"57P", REASON_CONNECTION_LOST, true}, /* shutdown, crash, start-up, database dropped */
    {"57", REASON_SERVER_STATE, false},
    {"58", REASON_SERVER_IO, false},
};

/* The same where a context says that a trigger or a function met the error: a connection, an object
 * or a privilege of its own. */
static const char *const of_application[] = {"08", "0A", "23", "26", "28", "3D", "42"};

static const SqlstateRule no_sqlstate = {"", REASON_CONNECTION_LOST, true};
static const SqlstateRule other = {"", REASON_WORK_REFUSED, false};

static const SqlstateRule *
find_rule(const char *sqlstate)
{
    if (sqlstate == NULL || sqlstate[0] == '\0')
        return &no_sqlstate;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strncmp(sqlstate, rules[i].prefix, strlen(rules[i].prefix)) == 0)
            return &rules[i];
    }
    return &other;
}

bool
pg_sqlstate_is_out_of_ids(const char *sqlstate, const char *function)
{
    return sqlstate != NULL && strcmp(sqlstate, "54000") == 0 && function != NULL &&
           (strcmp(function, "GetNewTransactionId") == 0 ||
            strcmp(function, "GetNewMultiXactId") == 0);
}

/* In every language the server names a row by its place, as in "while locking tuple (0,1) in
 * relation": only who waits for a row says so, at the innermost place. */
static bool
names_row(const char *context)
{
    const char *end = context + strcspn(context, "\n");
    for (const char *c = context; c < end; c++) {
        if (*c != '(' || !isdigit((unsigned char)c[1]))
            continue;
        c += 1 + strspn(c + 1, "0123456789");
        if (*c != ',')
            continue;
        const size_t digits = strspn(c + 1, "0123456789");
        if (digits > 0 && c[1 + digits] == ')')
            return true;
    }
    return false;
}

static bool
is_of_application(const char *sqlstate)
{
    for (size_t i = 0; i < ARRAY_LEN(of_application); i++) {
        if (strncmp(sqlstate, of_application[i], strlen(of_application[i])) == 0)
            return true;
    }
    return false;
}

/* A context besides the line that a COPY adds to it. */
static bool
has_context(const PgReport *report)
{
    return report->context != NULL && report->context[0] != '\0' &&
           (!report->copies || strchr(report->context, '\n') != NULL);
}

static const SqlstateRule *
find_rule_without_context(const PgReport *report)
{
    static const SqlstateRule exists = {"", REASON_ROW_EXISTS, false};
    const bool is_unique = report->sqlstate != NULL && strcmp(report->sqlstate, "23505") == 0;
    return report->copies && is_unique ? &exists : find_rule(report->sqlstate);
}

static const SqlstateRule *
find_rule_in_context(const PgReport *report)
{
    static const SqlstateRule row = {"", REASON_ROW_LOCKED, false};
    const SqlstateRule *rule = find_rule(report->sqlstate);
    if (!has_context(report))
        return find_rule_without_context(report);
    if (rule->reason == REASON_TABLE_LOCKED || rule->reason == REASON_TIMEOUT)
        return names_row(report->context) ? &row : rule;
    return rule != &no_sqlstate && is_of_application(report->sqlstate) ? &other : rule;
}

bool
pg_sqlstate_fill(Error *err, const PgReport *report)
{
    const SqlstateRule *rule = find_rule_in_context(report);
    (void)error_set_sqlstate(err, report->connected ? rule->reason : REASON_CONNECTION_LOST,
                             report->sqlstate, "%s", report->message);
    /* A command that takes its server process down with it concerns no other command. */
    err->scope = error_meaning(rule->reason).scope;
    return rule->loses || !report->connected;
}
