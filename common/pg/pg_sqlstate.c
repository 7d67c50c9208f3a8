#include "common/pg/pg_sqlstate.h"

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
    {"25006", REASON_CONNECTION_LOST, true}, /* read only: a standby after a failover */
    {"25P03", REASON_CONNECTION_LOST, true}, /* idle in transaction for too long */
    {"25", REASON_SERVER_STATE, false},
    {"26", REASON_STATEMENT_LOST, true}, /* a pooler lost the prepared statement */
    {"28", REASON_LOGIN_REFUSED, false},
    {"3D", REASON_LOGIN_REFUSED, false}, /* no such database */
    {"40001", REASON_CONFLICT, false},   /* serialization failure */
    {"40P01", REASON_CONFLICT, false},   /* deadlock detected */
    {"42501", REASON_PRIVILEGE_MISSING, false},
    {"42P", REASON_OBJECT_MISSING, false},
    {"42", REASON_OBJECT_UNFIT, false},    /* such as a missing column */
    {"53", REASON_RESOURCES_SHORT, false}, /* disk full, out of memory, too many clients */
    {"55P03", REASON_LOCK_HELD, false},    /* lock_timeout */
    {"57014", REASON_TIMEOUT, false},      /* statement_timeout or a cancel */
    {"57P", REASON_CONNECTION_LOST, true}, /* shutdown, crash, start-up, database dropped */
    {"57", REASON_SERVER_STATE, false},
    {"58", REASON_SERVER_IO, false},
};

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

bool
pg_sqlstate_fill(Error *err, const char *sqlstate, bool connected, const char *message)
{
    const SqlstateRule *rule = find_rule(sqlstate);
    (void)error_set_sqlstate(err, connected ? rule->reason : REASON_CONNECTION_LOST, sqlstate, "%s",
                             message);
    /* A command that takes its server process down with it concerns no other command. */
    err->scope = error_meaning(rule->reason).scope;
    return rule->loses || !connected;
}
