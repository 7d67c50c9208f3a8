#include "common/pg/pg_sqlstate.h"

#include <string.h>

typedef struct SqlstateRule {
    const char *prefix; /* a whole SQLSTATE, or the beginning that a family shares */
    PgSqlstate meaning;
} SqlstateRule;

#define RETRY                                                                                      \
    {                                                                                              \
        ERROR_RETRY, "database_error", false                                                       \
    }
#define HOLD                                                                                       \
    {                                                                                              \
        ERROR_HOLD, "database_error", false                                                        \
    }
#define LOST                                                                                       \
    {                                                                                              \
        ERROR_HOLD, "connection_lost", true                                                        \
    }

/* The first match counts, so whole states stand before their class. */
static const SqlstateRule rules[] = {
    {"40001", RETRY},                           /* serialization failure */
    {"40P01", RETRY},                           /* deadlock detected */
    {"55P03", RETRY},                           /* lock_timeout */
    {"57014", {ERROR_RETRY, "timeout", false}}, /* statement_timeout or a cancel */
    {"57P", LOST},                              /* shutdown, crash, start-up, database dropped */
    {"25006", LOST},                            /* read only: a standby after a failover */
    {"25P03", LOST},                            /* idle in transaction for too long */
    {"0A000",
     {ERROR_RETRY, "database_error", true}},         /* a prepared plan whose tables were altered */
    {"26", {ERROR_RETRY, "database_error", true}},   /* a pooler lost the prepared statement */
    {"08", LOST},                                    /* connection exceptions */
    {"22", {ERROR_REJECT, "database_error", false}}, /* data exceptions */
    {"28", HOLD},                                    /* login refused */
    {"3D", HOLD},                                    /* no such database */
    {"42", HOLD},                                    /* missing object or privilege */
    {"53", HOLD}, /* disk full, out of memory, too many clients */
    {"58", HOLD}, /* I/O errors of the server */
};

PgSqlstate
pg_sqlstate_classify(const char *sqlstate)
{
    if (sqlstate == NULL || sqlstate[0] == '\0')
        return (PgSqlstate)LOST;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strncmp(sqlstate, rules[i].prefix, strlen(rules[i].prefix)) == 0)
            return rules[i].meaning;
    }
    return (PgSqlstate)RETRY;
}
