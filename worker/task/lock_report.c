#include "worker/task/lock_report.h"

#include "common/log.h"
#include "worker/repository/lock_holder.h"

static void
log_holder(const LockHolder *holder, int64_t waited_ms)
{
    log_warn("commands wait for a lock that another transaction holds on a table",
             LOG_STR("table", holder->table), LOG_INT("pid", holder->pid),
             LOG_STR("application", holder->application), LOG_STR("statement", holder->statement),
             LOG_INT("transaction_seconds", holder->seconds), LOG_INT("waited_ms", waited_ms));
}

void
task_report_lock(const TaskContext *context, int64_t waited_ms)
{
    int64_t now_us;
    Error err = {0};
    LockHolder holder = {0};
    if (!database_begin(context->database, DATABASE_READ, 0, &now_us, &err) ||
        !lock_holder_find(context->database, &holder, &err))
        log_warn("who holds a lock on a table cannot be told", LOG_INT("waited_ms", waited_ms),
                 LOG_ERR(&err));
    else if (holder.pid != 0)
        log_holder(&holder, waited_ms);
    else
        log_warn("commands wait for a lock on a table that nobody holds any more",
                 LOG_INT("waited_ms", waited_ms));
    database_rollback(context->database);
}
