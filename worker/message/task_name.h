/*
 * task_name: canonical names and the old ones that go on working.
 *
 * Threads: any.
 */
#ifndef WORKER_MESSAGE_TASK_NAME_H
#define WORKER_MESSAGE_TASK_NAME_H

#include "worker/message/params.h"

typedef struct TaskName {
    CommandTask task;
    bool is_canonical;
    bool is_deprecated; /* the result names it */
} TaskName;

/* Reads any name a producer may send: canonical, old, or a dotted path that ends in one of these.
 */
bool task_name_read(const char *name, TaskName *ret_name, Fault *fault) MUST_CHECK;

#endif
