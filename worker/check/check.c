#include "worker/check/check.h"

/* In the order in which they are printed. */
static const CheckWalk walks[] = {check_walk_configuration, check_walk_kafka, check_walk_database};

bool
check_walk_all(CheckContext *context, Findings *findings, Error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(walks); i++) {
        if (!walks[i](context, findings, err))
            return false;
    }
    return true;
}
