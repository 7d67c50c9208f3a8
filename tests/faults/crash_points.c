/*
 * crash_points: kills the worker before or after a named step.
 *
 * Owns:      the table of steps, each a function of the product that is called from another file
 * than its own, and the count of passes.
 * Threads:   any. CLEANUP_TEST_CRASH_AT="before_ledger_insert:3" raises SIGKILL at the third pass
 * of that step; "list" prints the steps and ends.
 */
#include "common/kafka/kafka_consumer.h"
#include "common/kafka/kafka_transaction.h"
#include "worker/pipeline/publisher/publisher.h"
#include "worker/repository/booking_repository.h"
#include "worker/repository/ledger_repository.h"
#include "worker/repository/session_repository.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_NAME_BYTES = 64 };

static struct {
    char step[STEP_NAME_BYTES]; /* "" = nowhere */
    long pass;
    atomic_long passes;
} crash;

static void
pass_step(const char *step)
{
    if (strcmp(step, crash.step) == 0 && atomic_fetch_add(&crash.passes, 1) + 1 == crash.pass)
        (void)raise(SIGKILL);
}

/* Both macros define the wrapper that the linker calls instead of `function`. */
#define STEP(type, function, parameters, arguments)                                                \
    type __real_##function parameters;                                                             \
    type __wrap_##function parameters;                                                             \
    type __wrap_##function parameters                                                              \
    {                                                                                              \
        pass_step("before_" #function);                                                            \
        const type result = __real_##function arguments;                                           \
        pass_step("after_" #function);                                                             \
        return result;                                                                             \
    }
#define STEP_VOID(function, parameters, arguments)                                                 \
    void __real_##function parameters;                                                             \
    void __wrap_##function parameters;                                                             \
    void __wrap_##function parameters                                                              \
    {                                                                                              \
        pass_step("before_" #function);                                                            \
        __real_##function arguments;                                                               \
        pass_step("after_" #function);                                                             \
    }

#include "tests/faults/crash_steps.def"

#undef STEP
#undef STEP_VOID
#define STEP(type, function, parameters, arguments) "before_" #function, "after_" #function,
#define STEP_VOID(function, parameters, arguments) "before_" #function, "after_" #function,

static const char *const step_names[] = {
#include "tests/faults/crash_steps.def"
};

static void
list_steps(void)
{
    for (size_t i = 0; i < ARRAY_LEN(step_names); i++)
        (void)puts(step_names[i]);
    (void)fflush(stdout);
}

static bool
is_step(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(step_names); i++) {
        if (strcmp(step_names[i], name) == 0)
            return true;
    }
    return false;
}

/* A step that does not exist would be a test that cannot fail. */
static bool
read_crash_point(const char *text)
{
    char *end = NULL;
    const size_t length = strcspn(text, ":");
    if (length >= sizeof(crash.step) || text[length] != ':')
        return false;
    memcpy(crash.step, text, length);
    crash.step[length] = '\0';
    errno = 0;
    crash.pass = strtol(text + length + 1, &end, 10);
    return errno == 0 && *end == '\0' && crash.pass > 0 && is_step(crash.step);
}

__attribute__((constructor)) static void
choose_crash_point(void)
{
    const char *text = getenv("CLEANUP_TEST_CRASH_AT");
    if (text == NULL)
        return;
    if (strcmp(text, "list") == 0) {
        list_steps();
        _Exit(0);
    }
    if (!read_crash_point(text)) {
        (void)fprintf(stderr, "CLEANUP_TEST_CRASH_AT=%s: not a step of the list and a pass\n",
                      text);
        _Exit(2);
    }
}
