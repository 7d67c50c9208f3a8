/*
 * The database's part of a worker's work and nothing else: executes per-user commands in sets, by
 * the worker's own code, on one connection, without Kafka. What PostgreSQL pays for a command, and
 * how long a transaction takes, show best where nothing else is at work.
 *
 *   bench_sets COMMANDS-FILE SET GAP_MS      the database by CLEANUP_POSTGRES_DSN
 *
 * The file has a command a line. Says "ready" once it is connected, begins at a line on stdin, and
 * prints the microseconds of each set, a line each, then "done". Ends with stdin.
 */
#include "worker/cli/client_settings.h"
#include "worker/message/command.h"
#include "worker/task/task.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    NS_PER_US = 1000,
    NS_PER_MS = 1000000,
    MS_PER_SECOND = 1000,
    US_PER_SECOND = 1000000,
    LINE_BYTES = 64,
    PATIENCE_MS = 60 * 1000,
};

typedef struct Sets {
    FILE *file;
    size_t set;
    long gap_ms;
    TaskContext context;
    Record *records;
    Command *commands;
    TaskItem *items;
    TaskOutcome *outcomes;
    int64_t offset;
} Sets;

static int64_t
now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / NS_PER_US;
}

static void
rest(long gap_ms)
{
    const struct timespec gap = {.tv_sec = gap_ms / MS_PER_SECOND,
                                 .tv_nsec = gap_ms % MS_PER_SECOND * NS_PER_MS};
    (void)nanosleep(&gap, NULL);
}

static bool
line_comes(void)
{
    char line[LINE_BYTES];
    return fgets(line, sizeof(line), stdin) != NULL;
}

static bool
read_command(Sets *sets, const char *line, size_t bytes, size_t index, Error *err)
{
    static const CommandFloors floors = {0};
    Rejection rejection = {0};
    sets->records[index] = (Record){
        .topic = "bench", .offset = sets->offset++, .timestamp_ms = -1, .value = {line, bytes}};
    if (command_parse(&sets->records[index], &floors, &sets->commands[index], &rejection) ==
        COMMAND_ACCEPTED) {
        sets->items[index] = (TaskItem){&sets->commands[index], &sets->records[index]};
        return true;
    }
    rejection_done(&rejection);
    return error_set(err, REASON_USAGE, "no command: %s", line);
}

/* As many commands as there are, up to a set; the text of a command is not needed once it is read.
 */
static bool
read_set(Sets *sets, size_t *ret_count, Error *err)
{
    CLEANUP(autofree) char *line = NULL;
    size_t room = 0;
    size_t count = 0;
    ssize_t bytes = 0;
    while (count < sets->set && (bytes = getline(&line, &room, sets->file)) > 0) {
        if (!read_command(sets, line, (size_t)bytes, count, err))
            return false;
        sets->records[count++].value = (Bytes){0};
    }
    *ret_count = count;
    return true;
}

static bool
run_set(Sets *sets, size_t count, Error *err)
{
    const int64_t began_us = now_us();
    const bool fine = task_run_set(&sets->context, sets->items, count, 1, sets->outcomes, err);
    if (fine)
        (void)printf("%" PRId64 "\n", now_us() - began_us);
    for (size_t i = 0; i < count; i++) {
        if (fine)
            task_outcome_done(&sets->outcomes[i]);
        command_done(&sets->commands[i]);
    }
    return fine;
}

static bool
run_all(Sets *sets, Error *err)
{
    if (!database_connect(sets->context.database, err))
        return false;
    (void)puts("ready");
    (void)fflush(stdout);
    if (!line_comes())
        return true;
    size_t count = 0;
    while (read_set(sets, &count, err)) {
        if (count == 0) {
            (void)puts("done");
            (void)fflush(stdout);
            (void)line_comes();
            return true;
        }
        rest(sets->gap_ms);
        if (!run_set(sets, count, err))
            return false;
    }
    return false;
}

static bool
with_database(Sets *sets, const Settings *settings, Error *err)
{
    atomic_bool statements_lost = false;
    DatabaseSettings database_settings;
    client_settings_database(settings, &database_settings);
    database_settings.statements_lost = &statements_lost;
    database_settings.locked_timeout_ms = PATIENCE_MS; /* a worker would halve the set */
    const TaskSettings task_settings = {
        .worker_id = settings->worker.id,
        .max_attempts = settings->worker.max_attempts,
        .lock_wait_ms = settings->worker.lock_wait_ms,
        .max_row_errors = settings->limits.max_row_errors,
        .batch_sessions = settings->worker.batch_sessions,
        .executors = settings->worker.executors,
        .ledger_retention_hours = settings->worker.ledger_retention_hours,
    };
    CLEANUP(database_freep) Database *database = database_new(&database_settings, clock_system());
    if (database == NULL)
        return error_out_of_memory(err);
    sets->context =
        (TaskContext){.database = database, .settings = &task_settings, .clock = clock_system()};
    return run_all(sets, err);
}

static bool
run(const char *path, size_t set, long gap_ms, Error *err)
{
    CLEANUP(settings_freep) Settings *settings = NULL;
    const SettingsSources sources = {.environment = environ};
    Sets sets = {.file = fopen(path, "r"), .set = set, .gap_ms = gap_ms};
    if (sets.file == NULL)
        return error_set(err, REASON_USAGE, "%s cannot be read", path);
    sets.records = calloc(set, sizeof(*sets.records));
    sets.commands = calloc(set, sizeof(*sets.commands));
    sets.items = calloc(set, sizeof(*sets.items));
    sets.outcomes = calloc(set, sizeof(*sets.outcomes));
    bool fine = sets.records != NULL && sets.commands != NULL && sets.items != NULL &&
                sets.outcomes != NULL;
    if (!fine)
        (void)error_out_of_memory(err);
    fine = fine && settings_load(&sources, &settings, err) && with_database(&sets, settings, err);
    free(sets.records);
    free(sets.commands);
    free(sets.items);
    free(sets.outcomes);
    (void)fclose(sets.file);
    return fine;
}

int
main(int argc, char **argv)
{
    Error err = {0};
    if (argc != 4) {
        (void)fprintf(stderr, "usage: %s COMMANDS-FILE SET GAP_MS\n", argv[0]);
        return 2;
    }
    if (run(argv[1], strtoul(argv[2], NULL, 10), strtol(argv[3], NULL, 10), &err))
        return 0;
    (void)fprintf(stderr, "%s: %s\n", argv[0], err.text);
    return 1;
}
