/* The whole pipeline on the embedded broker, with tasks that only pretend. */
#include "common/kafka/dev_broker.h"
#include "common/kafka/kafka_producer.h"
#include "common/kafka/kafka_reader.h"
#include "tests/unit/pipeline/pretended_tasks.h"
#include "worker/pipeline/pipeline.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    PARTITIONS = 3,
    COMMANDS = 300,
    EQUALS = 30, /* long commands that could share a run */
    MAX_ATTEMPTS = 3,
    PATIENCE_MS = 60 * 1000,
    IDS_MAX = 1000,
};

static const char *const topics[] = {"commands", "results", "dead-letters"};

/* One worker in a thread of its own; a pipe takes the place of the signalfd. */
typedef struct Worker {
    pthread_t thread;
    int pipe[2];
    PipelineSettings settings;
    TaskSettings task;
    DatabaseSettings database;
    bool stopped;
    Error err;
} Worker;

static DevBroker *broker;
static KafkaSettings kafka;

static void *
worker_main(void *argument)
{
    Worker *worker = argument;
    worker->stopped =
        pipeline_run(&worker->settings, clock_system(), worker->pipe[0], &worker->err);
    return NULL;
}

static void
worker_start_named(Worker *worker, const char *instance_id)
{
    memset(worker, 0, sizeof(*worker));
    assert_int_equal(pipe(worker->pipe), 0);
    worker->task = (TaskSettings){.worker_id = "w",
                                  .max_attempts = MAX_ATTEMPTS,
                                  .retry_backoff_ms = 10,
                                  .retry_backoff_max_ms = 50};
    worker->database = (DatabaseSettings){.dsn = "host=127.0.0.1 port=1"};
    worker->settings = (PipelineSettings){
        .kafka = kafka,
        .commands_topic = topics[0],
        .results_topic = topics[1],
        .dead_letters_topic = topics[2],
        .worker_id = "w",
        .executors = 3,
        .set_commands = 20,
        .queue_commands = 50,
        .queue_kib = 1024,
        .shutdown_grace_ms = PATIENCE_MS,
        .hold_backoff_max_ms = 200,
        .floors = {1, 1},
        .database = &worker->database,
        .task = &worker->task,
    };
    worker->settings.kafka.instance_id = instance_id;
    assert_int_equal(pthread_create(&worker->thread, NULL, worker_main, worker), 0);
}

static void
worker_join(Worker *worker)
{
    assert_int_equal(pthread_join(worker->thread, NULL), 0);
    close(worker->pipe[0]);
    close(worker->pipe[1]);
}

static void
worker_start(Worker *worker)
{
    worker_start_named(worker, NULL);
}

static void
worker_stop(Worker *worker)
{
    const struct signalfd_siginfo info = {.ssi_signo = 15};
    assert_int_equal(write(worker->pipe[1], &info, sizeof(info)), sizeof(info));
    worker_join(worker);
    if (!worker->stopped)
        print_error("%s\n", worker->err.text);
    assert_true(worker->stopped);
}

static int
set_up(void **state)
{
    (void)state;
    Error err = {0};
    /* The embedded broker keeps a member that has left until its session times out, and delays a
     * first assignment by 3 s, which the session has to outlast. */
    static const char *const names[] = {"session.timeout.ms", "heartbeat.interval.ms"};
    static const char *const values[] = {"5000", "1000"};
    if (!dev_broker_start(PARTITIONS, topics, ARRAY_LEN(topics), &broker, &err))
        return -1;
    kafka = (KafkaSettings){.bootstrap_servers = dev_broker_bootstraps(broker),
                            .group_id = "workers",
                            .names = names,
                            .values = values,
                            .property_count = ARRAY_LEN(names)};
    atomic_store(&world.away, false);
    atomic_store(&world.calls, 0);
    atomic_store(&world.fails, 0);
    atomic_store(&world.user_twice, false);
    atomic_store(&world.shared, 0);
    atomic_store(&world.not_alone, false);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    dev_broker_stop(broker);
    assert_false(atomic_load(&world.not_alone));
    return 0;
}

static void
send(KafkaProducer *producer, const char *key, const char *value)
{
    Error err = {0};
    const Record record = {.topic = topics[0],
                           .partition = -1,
                           .offset = -1,
                           .key = BYTES_TEXT(key),
                           .value = BYTES_TEXT(value)};
    assert_int_equal(kafka_producer_send(producer, &record, NULL, &err), KAFKA_SEND_OK);
}

static void
send_command(KafkaProducer *producer, const char *prefix, int number, const char *task)
{
    char text[TEXT_BYTES];
    char key[TEXT_BYTES];
    assert_true(snprintf(key, sizeof(key), "user-%d", number % USERS) > 0);
    const bool with_user = strstr(task, "for_user") != NULL;
    const int user = number % USERS;
    const int written =
        with_user ? snprintf(text, sizeof(text),
                             "{\"command_id\":\"%s-%d\",\"task\":\"%s\",\"params\":{\"user_id\":"
                             "\"00000000-0000-0000-0000-%012d\"}}",
                             prefix, number, task, user)
                  : snprintf(text, sizeof(text), "{\"command_id\":\"%s-%d\",\"task\":\"%s\"}",
                             prefix, number, task);
    assert_in_range(written, 1, TEXT_BYTES - 1);
    send(producer, key, text);
}

static void
open_producer(KafkaProducer **ret_producer)
{
    Error err = {0};
    assert_true(kafka_producer_open(&kafka, 0, NULL, NULL, ret_producer, &err));
}

static void
flush(KafkaProducer *producer)
{
    Error err = {0};
    assert_true(kafka_producer_flush(producer, PATIENCE_MS, &err));
}

/* Reads `count` records of a topic from its beginning; each key must come once. */
static void
expect_once_each(const char *topic, int count)
{
    Error err = {0};
    CLEANUP(kafka_reader_closep) KafkaReader *reader = NULL;
    static char keys[IDS_MAX][COMMAND_ID_MAX + 1];
    int got = 0;
    const int64_t deadline_ms = clock_monotonic_ms(clock_system()) + PATIENCE_MS;
    assert_true(kafka_reader_open(&kafka, topic, 0, PATIENCE_MS, &reader, &err));
    while (got < count) {
        CLEANUP(record_freep) Record *record = NULL;
        assert_true(clock_monotonic_ms(clock_system()) < deadline_ms);
        if (kafka_reader_poll(reader, 100, &record, &err) != KAFKA_POLL_RECORD)
            continue;
        assert_in_range(record->key.size, 1, COMMAND_ID_MAX);
        for (int i = 0; i < got; i++)
            assert_string_not_equal(keys[i], record->key.data);
        memcpy(keys[got++], record->key.data, record->key.size + 1);
    }
}

static void
expect_count(const char *topic, int count)
{
    Error err = {0};
    CLEANUP(kafka_reader_closep) KafkaReader *reader = NULL;
    int got = 0;
    const int64_t deadline_ms = clock_monotonic_ms(clock_system()) + PATIENCE_MS;
    assert_true(kafka_reader_open(&kafka, topic, 0, PATIENCE_MS, &reader, &err));
    for (;;) {
        CLEANUP(record_freep) Record *record = NULL;
        assert_true(clock_monotonic_ms(clock_system()) < deadline_ms);
        const KafkaPoll result = kafka_reader_poll(reader, 100, &record, &err);
        if (result == KAFKA_POLL_END)
            break;
        got += result == KAFKA_POLL_RECORD;
    }
    assert_int_equal(got, count);
}

static void
test_run_every_kind_of_command_gives_one_result_each(void **state)
{
    (void)state;
    Worker worker;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    open_producer(&producer);
    for (int i = 0; i < COMMANDS; i++)
        send_command(producer, "plain", i, "cleanup_inactive_sessions_for_user");
    send_command(producer, "poison", 1, "cleanup_inactive_sessions_for_user");
    send_command(producer, "absorbed", 2, "cleanup_inactive_sessions_for_user");
    send_command(producer, "alone", 3, "cleanup_inactive_sessions_for_user");
    send_command(producer, "preview", 4, "get_inactive_sessions_preview");
    send_command(producer, "long", 5, "scheduled_cleanup");
    for (int i = 0; i < EQUALS; i++)
        send_command(producer, "equal", i, "cleanup_inactive_sessions");
    send(producer, "x", "this is no command");
    flush(producer);
    worker_start(&worker);
    /* All but the absorbed one. */
    expect_once_each(topics[1], COMMANDS + EQUALS + 5);
    worker_stop(&worker);
    expect_count(topics[1], COMMANDS + EQUALS + 5);
    expect_count(topics[2], 2);
    assert_int_equal(atomic_load(&world.fails), 1);
    assert_false(atomic_load(&world.user_twice));

    /* A second worker begins where the first has committed, which is the end. */
    atomic_store(&world.calls, 0);
    worker_start(&worker);
    send_command(producer, "later", 1, "cleanup_inactive_sessions_for_user");
    flush(producer);
    expect_once_each(topics[1], COMMANDS + EQUALS + 6);
    worker_stop(&worker);
    assert_int_equal(atomic_load(&world.calls), 1);
}

static void
wait_for_calls(int count)
{
    const int64_t deadline_ms = clock_monotonic_ms(clock_system()) + PATIENCE_MS;
    const struct timespec pause = {.tv_nsec = 5 * 1000000L};
    while (atomic_load(&world.calls) < count) {
        assert_true(clock_monotonic_ms(clock_system()) < deadline_ms);
        nanosleep(&pause, NULL);
    }
}

static void
test_run_while_database_is_away_keeps_commands_until_it_is_back(void **state)
{
    (void)state;
    Worker worker;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    open_producer(&producer);
    atomic_store(&world.away, true);
    /* The first of its partition, which will be paused when enough commands are held. */
    send(producer, "x", "this is no command");
    for (int i = 0; i < COMMANDS; i++)
        send_command(producer, "plain", i, "cleanup_inactive_sessions_for_user");
    send_command(producer, "long", 1, "cleanup_inactive_sessions");
    flush(producer);
    worker_start(&worker);
    wait_for_calls(5);
    /* What needs no database goes on. */
    expect_once_each(topics[1], 1);
    expect_count(topics[1], 1);
    atomic_store(&world.away, false);
    expect_once_each(topics[1], COMMANDS + 2);
    worker_stop(&worker);
    assert_int_equal(atomic_load(&world.fails), 0);
}

static void
test_stop_during_long_run_leaves_it_to_the_next_worker(void **state)
{
    (void)state;
    Worker worker;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    open_producer(&producer);
    send_command(producer, "endless", 1, "cleanup_inactive_sessions");
    flush(producer);
    worker_start(&worker);
    wait_for_calls(10);
    worker_stop(&worker);
    expect_count(topics[1], 0);
    const int calls = atomic_load(&world.calls);
    worker_start(&worker);
    wait_for_calls(calls + 10);
    worker_stop(&worker);
}

static void
test_stop_while_database_is_away_ends_without_results(void **state)
{
    (void)state;
    Worker worker;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    open_producer(&producer);
    atomic_store(&world.away, true);
    send_command(producer, "plain", 1, "cleanup_inactive_sessions_for_user");
    flush(producer);
    worker_start(&worker);
    wait_for_calls(2);
    worker_stop(&worker);
    expect_count(topics[1], 0);
    expect_count(topics[2], 0);
}

static void
test_second_worker_joining_shares_the_work(void **state)
{
    (void)state;
    Worker first;
    Worker second;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    open_producer(&producer);
    worker_start(&first);
    send_command(producer, "before", 1, "cleanup_inactive_sessions_for_user");
    flush(producer);
    expect_once_each(topics[1], 1);
    worker_start(&second);
    for (int i = 0; i < COMMANDS; i++)
        send_command(producer, "plain", i, "cleanup_inactive_sessions_for_user");
    flush(producer);
    /* Without the ledger that the tasks only pretend, a rebalance may publish some results twice;
     * none may be missing. */
    wait_for_calls(2);
    worker_stop(&first);
    send_command(producer, "after", 1, "cleanup_inactive_sessions_for_user");
    flush(producer);
    const int64_t deadline_ms = clock_monotonic_ms(clock_system()) + PATIENCE_MS;
    Error err = {0};
    CLEANUP(kafka_reader_closep) KafkaReader *reader = NULL;
    assert_true(kafka_reader_open(&kafka, topics[1], 0, PATIENCE_MS, &reader, &err));
    bool seen[COMMANDS] = {false};
    int missing = COMMANDS + 1;
    while (missing > 0) {
        CLEANUP(record_freep) Record *record = NULL;
        assert_true(clock_monotonic_ms(clock_system()) < deadline_ms);
        if (kafka_reader_poll(reader, 100, &record, &err) != KAFKA_POLL_RECORD)
            continue;
        int number = 0;
        if (strcmp(record->key.data, "after-1") == 0) {
            missing--;
        } else if (strncmp(record->key.data, "plain-", 6) == 0) {
            number = (int)strtol(record->key.data + 6, NULL, 10);
            missing -= !seen[number];
            seen[number] = true;
        }
    }
    worker_stop(&second);
}

static void
test_run_while_kafka_is_away_publishes_when_it_is_back(void **state)
{
    (void)state;
    Worker worker;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    open_producer(&producer);
    atomic_store(&world.away, true);
    for (int i = 0; i < USERS; i++)
        send_command(producer, "plain", i, "cleanup_inactive_sessions_for_user");
    flush(producer);
    worker_start(&worker);
    wait_for_calls(1);
    dev_broker_set_reachable(broker, false);
    atomic_store(&world.away, false);
    wait_for_calls(3);
    dev_broker_set_reachable(broker, true);
    expect_once_each(topics[1], USERS);
    worker_stop(&worker);
    assert_int_equal(atomic_load(&world.fails), 0);
}

/* A worker with an id of its own, which has its partitions: it has published a result. */
static void
start_member(Worker *worker, KafkaProducer *producer)
{
    worker_start_named(worker, "w");
    send_command(producer, "before", 1, "cleanup_inactive_sessions_for_user");
    flush(producer);
    expect_once_each(topics[1], 1);
}

static void
test_member_that_is_fenced_once_joins_again(void **state)
{
    (void)state;
    Worker worker;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    open_producer(&producer);
    start_member(&worker, producer);
    /* What it has under way is not its own any more. */
    atomic_store(&world.away, true);
    send_command(producer, "during", 1, "cleanup_inactive_sessions_for_user");
    flush(producer);
    wait_for_calls(atomic_load(&world.calls) + 1);
    dev_broker_fence(broker, 0, 1);
    wait_for_calls(atomic_load(&world.calls) + 5);
    atomic_store(&world.away, false);
    send_command(producer, "after", 1, "cleanup_inactive_sessions_for_user");
    flush(producer);
    expect_once_each(topics[1], 3);
    worker_stop(&worker);
    expect_count(topics[1], 3);
}

static void
test_member_that_is_fenced_again_ends(void **state)
{
    (void)state;
    Worker worker;
    CLEANUP(kafka_producer_closep) KafkaProducer *producer = NULL;
    open_producer(&producer);
    start_member(&worker, producer);
    dev_broker_fence(broker, 1, 1);
    worker_join(&worker);
    assert_false(worker.stopped);
    assert_int_equal(worker.err.kind, ERROR_FATAL);
    assert_string_equal(worker.err.code, "worker_id_in_use");
}

static void
test_run_with_unreachable_kafka_fails_in_time(void **state)
{
    (void)state;
    Error err = {0};
    TaskSettings task = {.worker_id = "w", .max_attempts = 1};
    DatabaseSettings database = {.dsn = ""};
    const PipelineSettings settings = {
        .kafka = {.bootstrap_servers = "127.0.0.1:1", .group_id = "g"},
        .commands_topic = topics[0],
        .results_topic = topics[1],
        .dead_letters_topic = topics[2],
        .worker_id = "w",
        .executors = 1,
        .set_commands = 1,
        .queue_commands = 1,
        .queue_kib = 1,
        .start_timeout_ms = 300,
        .database = &database,
        .task = &task,
    };
    assert_false(pipeline_run(&settings, clock_system(), -1, &err));
    assert_int_equal(err.kind, ERROR_HOLD);
    assert_string_equal(err.code, "kafka_unreachable");
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_run_every_kind_of_command_gives_one_result_each),
        CASE(test_run_while_database_is_away_keeps_commands_until_it_is_back),
        CASE(test_stop_during_long_run_leaves_it_to_the_next_worker),
        CASE(test_stop_while_database_is_away_ends_without_results),
        CASE(test_second_worker_joining_shares_the_work),
        CASE(test_run_while_kafka_is_away_publishes_when_it_is_back),
        CASE(test_member_that_is_fenced_once_joins_again),
        CASE(test_member_that_is_fenced_again_ends),
        cmocka_unit_test(test_run_with_unreachable_kafka_fails_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
