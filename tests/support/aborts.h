/*
 * aborts: whether a step ends its process as a bug does (common/bug.h).
 *
 * Threads: a test program with one thread.
 */
#ifndef TESTS_SUPPORT_ABORTS_H
#define TESTS_SUPPORT_ABORTS_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    ABORTS_TEXT_BYTES = 4096,
};

typedef void AbortsStep(void *state);

/* In the child: takes the step with its stderr in the pipe, and leaves no core. */
static inline void
aborts_child(AbortsStep *step, void *state, int stderr_fd)
{
    const struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(SIGABRT, SIG_DFL);
    if (dup2(stderr_fd, STDERR_FILENO) == STDERR_FILENO)
        step(state);
    _exit(0);
}

static inline void
aborts_read(int fd, char text[ABORTS_TEXT_BYTES])
{
    size_t length = 0;
    ssize_t got = 0;
    while ((got = read(fd, text + length, ABORTS_TEXT_BYTES - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
}

/* Takes the step in a child: true when that died by SIGABRT and its stderr names both states. */
static inline bool
aborts_between(AbortsStep *step, void *state, const char *from, const char *to)
{
    int ends[2];
    int status = 0;
    char text[ABORTS_TEXT_BYTES];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        aborts_child(step, state, ends[1]);
    close(ends[1]);
    aborts_read(ends[0], text);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(text, from) != NULL &&
           strstr(text, to) != NULL;
}

#endif
