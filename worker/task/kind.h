/*
 * kind: what each task is, in one table.
 *
 * Threads: any.
 */
#ifndef WORKER_TASK_KIND_H
#define WORKER_TASK_KIND_H

#include "worker/task/target.h"

enum {
    TASK_TARGETS_MAX = 2,
};

typedef struct TaskKind {
    TaskShape shape; /* unless it is a dry run */
    /* What it works on, one after the other. */
    const Target *targets[TASK_TARGETS_MAX];
    size_t target_count;
    const char *failure; /* how the message of one that failed begins */
} TaskKind;

/* The kind of the command's task; static. */
const TaskKind *task_kind(const Command *command);

#endif
