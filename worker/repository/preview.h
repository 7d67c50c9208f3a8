/*
 * preview: what a preview finds.
 *
 * Threads: any.
 */
#ifndef WORKER_REPOSITORY_PREVIEW_H
#define WORKER_REPOSITORY_PREVIEW_H

#include <stdint.h>

typedef struct Preview {
    char *data; /* a JSON object, in the transaction's memory */
    int64_t total;
} Preview;

#endif
