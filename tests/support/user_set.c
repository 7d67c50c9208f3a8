#include "tests/support/user_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    ID_BYTES = 32,
};

void
user_set_make(UserSet *set, int64_t first_offset, int first_user, size_t count)
{
    *set = (UserSet){
        .sent = calloc(count, sizeof(*set->sent)),
        .items = calloc(count, sizeof(const SentCommand *)),
        .outcomes = calloc(count, sizeof(*set->outcomes)),
        .count = count,
    };
    assert_true(set->sent != NULL && set->items != NULL && set->outcomes != NULL);
    for (size_t i = 0; i < count; i++) {
        const int user = first_user + (int)i;
        char id[ID_BYTES];
        (void)snprintf(id, sizeof(id), "c%d", user);
        sent_make_for_user(&set->sent[i], first_offset + user, id, user);
        set->items[i] = &set->sent[i];
    }
}

void
user_set_run(UserSet *set, TestWorker *worker)
{
    for (size_t i = 0; i < set->count; i++)
        task_outcome_done(&set->outcomes[i]);
    worker_run_set(worker, set->items, set->count, set->outcomes);
}

void
user_set_done(UserSet *set)
{
    for (size_t i = 0; i < set->count; i++) {
        task_outcome_done(&set->outcomes[i]);
        sent_done(&set->sent[i]);
    }
    free(set->sent);
    free(set->items);
    free(set->outcomes);
    *set = (UserSet){0};
}
