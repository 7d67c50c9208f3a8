#include "common/log.h"
#include "worker/check/check.h"
#include "worker/cli/cli.h"
#include "worker/cli/client_settings.h"
#include "worker/cli/commands.h"
#include "worker/cli/signals.h"
#include "worker/pipeline/pipeline.h"
#include "worker/upkeep/upkeep.h"

#include <malloc.h>
#include <signal.h>
#include <unistd.h>

enum {
    TRANSACTIONAL_ID_BYTES = 256, /* the prefix and the id take 192 at most */
    UPKEEP_INTERVAL_MS = 60000,
    MMAP_BYTES = 64 * 1024,
    FIRST_BATCH_ROWS = 50,
};

static void
log_warnings(const Findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const Finding *finding = &findings->list[i];
        if (finding->level == FINDING_WARN)
            log_warn(finding->what, LOG_STR("code", finding->code),
                     LOG_STR("subject", finding->subject), LOG_STR("why", finding->why),
                     LOG_STR("mend", finding->mend));
    }
}

/* Prints all that is to be mended first, and says what to exit with then. */
static int
look_around(const char *name, CheckContext *context, Findings *findings)
{
    Error err = {0};
    if (!check_walk_all(context, findings, &err))
        return cli_fail(name, &err);
    log_warnings(findings);
    const size_t failed = findings_count(findings, FINDING_FAIL);
    if (failed == 0)
        return CLI_DONE;
    findings_print(findings, FINDING_FAIL, stderr);
    (void)fprintf(stderr,
                  "cleanup-worker run: %zu finding%s above must be mended before it starts\n",
                  failed, failed == 1 ? "" : "s");
    return context->unreachable ? CLI_UNREACHABLE : CLI_FAILED;
}

static void
fill_task_settings(const Settings *settings, TaskSettings *ret_task)
{
    *ret_task = (TaskSettings){
        .worker_id = settings->worker.id,
        .max_attempts = settings->worker.max_attempts,
        .lock_wait_ms = settings->worker.lock_wait_ms,
        .max_row_errors = settings->limits.max_row_errors,
        .preview_timeout_ms = settings->worker.preview_timeout_ms,
        .first_batch_rows = FIRST_BATCH_ROWS,
        .batch_sessions = settings->worker.batch_sessions,
        .executors = settings->worker.executors,
        .ledger_retention_hours = settings->worker.ledger_retention_hours,
        .retry_backoff_ms = settings->worker.retry_backoff_ms,
        .retry_backoff_max_ms = settings->worker.retry_backoff_max_ms,
        .progress_interval_ms = settings->worker.progress_interval_ms,
    };
}

static void
fill_pipeline_settings(const Settings *settings, const DatabaseSettings *database,
                       const TaskSettings *task, PipelineSettings *ret_pipeline)
{
    *ret_pipeline = (PipelineSettings){
        .commands_topic = settings->topics.commands,
        .results_topic = settings->topics.results,
        .dead_letters_topic = settings->topics.dead_letters,
        .worker_id = settings->worker.id,
        .exactly_once = settings->worker.delivery == DELIVERY_EXACTLY_ONCE,
        .executors = settings->worker.executors,
        .set_commands = settings->worker.set_commands,
        .queue_commands = settings->worker.queue_commands,
        .queue_kib = settings->worker.queue_kib,
        .shutdown_grace_ms = settings->worker.shutdown_grace_ms,
        .hold_backoff_max_ms = settings->worker.hold_backoff_max_ms,
        .start_timeout_ms = CLIENT_TIMEOUT_MS,
        .floors =
            {
                .min_inactive_hours = settings->limits.min_inactive_hours,
                .min_expiration_minutes = settings->limits.min_expiration_minutes,
            },
        .database = database,
        .task = task,
    };
    client_settings_kafka(settings, &ret_pipeline->kafka);
    ret_pipeline->kafka.instance_id = settings->worker.id_is_given ? settings->worker.id : NULL;
}

static void
note_committed(void *state, int32_t partition, int64_t offset)
{
    upkeep_note_committed(state, partition, offset);
}

/* The pipeline with the ledger's upkeep beside it. */
static bool
run_with_upkeep(const Settings *settings, PipelineSettings *pipeline, int signal_fd, Error *err)
{
    const UpkeepSettings upkeep_settings = {
        .database = pipeline->database,
        .commands_topic = settings->topics.commands,
        .retention_hours = settings->worker.ledger_retention_hours,
        .interval_ms = UPKEEP_INTERVAL_MS,
        .catalog = pipeline->task->catalog,
    };
    Upkeep *upkeep = NULL;
    if (!upkeep_start(&upkeep_settings, clock_system(), &upkeep, err))
        return false;
    pipeline->note_committed = note_committed;
    pipeline->note_committed_state = upkeep;
    const bool done = pipeline_run(pipeline, clock_system(), signal_fd, err);
    upkeep_stop(upkeep);
    return done;
}

/* What one thread allocates another frees, and in an arena for each thread that leaves holes. Large
 * blocks, such as the answers to Fetch and what is sent to PostgreSQL, go back to the system; else
 * malloc keeps ever larger ones in its heap. */
static void
bound_malloc(void)
{
#ifdef M_ARENA_MAX
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
#endif
}

/* Runs on what the look around has found good enough. */
static bool
run_watched(const Settings *settings, const Findings *start, PipelineSettings *pipeline,
            TaskSettings *task, int signal_fd, Error *err)
{
    CatalogWatch *watch = NULL;
    if (!catalog_watch_new(start, clock_system(), &watch, err))
        return false;
    task->catalog = watch;
    const bool done = run_with_upkeep(settings, pipeline, signal_fd, err);
    catalog_watch_free(watch);
    return done;
}

static int
run_worker(const char *name, const Settings *settings)
{
    CLEANUP(findings_done) Findings findings = {0};
    atomic_bool statements_lost = false;
    DatabaseSettings database;
    TaskSettings task;
    PipelineSettings pipeline;
    Error err = {0};
    client_settings_database(settings, &database);
    database.statements_lost = &statements_lost;
    fill_task_settings(settings, &task);
    fill_pipeline_settings(settings, &database, &task, &pipeline);
    char transactional_id[TRANSACTIONAL_ID_BYTES];
    (void)snprintf(transactional_id, sizeof(transactional_id), "%s%s",
                   settings->worker.transactional_id_prefix, settings->worker.id);
    pipeline.transactional_id = transactional_id;
    CheckContext context = {
        .settings = settings, .database = &database, .kafka = &pipeline.kafka, .is_start = true};

    bound_malloc();
    (void)signal(SIGPIPE, SIG_IGN);
    int signal_fd = signals_open(&err);
    if (signal_fd < 0)
        return cli_fail(name, &err);
    pipeline.kafka.interrupt = (KafkaInterrupt){signals_arrived_at, &signal_fd};
    int exit_code = look_around(name, &context, &findings);
    if (exit_code == CLI_DONE &&
        !run_watched(settings, &findings, &pipeline, &task, signal_fd, &err))
        exit_code = cli_fail(name, &err);
    (void)close(signal_fd);
    return exit_code;
}

static int
run(const CliSpec *spec, const CliLine *line, const Settings *settings)
{
    Error err;
    (void)line;
    if (!settings_need_database(settings, &err))
        return cli_fail_usage(spec->name, "%s", err.text);
    log_info("cleanup-worker starts", LOG_STR("version", CLEANUP_WORKER_VERSION),
             LOG_STR("worker_id", settings->worker.id), LOG_STR("group", settings->kafka.group_id));
    const int exit_code = run_worker(spec->name, settings);
    if (exit_code == CLI_DONE)
        log_info("cleanup-worker ends", LOG_STR("worker_id", settings->worker.id));
    return exit_code;
}

static const CliSpec spec = {
    .name = "run",
    .arguments = "",
    .about =
        "Executes commands until SIGTERM, SIGINT or SIGHUP, then finishes what runs, publishes, "
        "commits and ends with 0.\n"
        "Ends with 1 and all that `check` finds amiss when that has to be mended first, with 3 "
        "when Kafka or\n"
        "PostgreSQL cannot be reached at start; later it waits for them.",
    .lists_settings = true,
    .log = CLI_LOG_SERVER,
    .run = run,
};

int
command_run(int argc, char **argv)
{
    return cli_run(&spec, argc, argv);
}
