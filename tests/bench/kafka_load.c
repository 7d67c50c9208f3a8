/*
 * The Kafka part of a worker's load and nothing else: consumes commands and publishes as many
 * results with their offsets in transactions, as fast as it is told to. What it costs is the floor
 * of a worker's own CPU time.
 *
 *   kafka_load BOOTSTRAP COMMANDS RESULTS RESULT_BYTES
 *
 * A line on stdin says how many results there may be in all; each is answered with that number once
 * they are published. Ends with stdin.
 */
#include "tests/bench/member.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
    NAME_BYTES = 64,
    KEY_BYTES = 64,
    LINE_BYTES = 64,
    POLL_MS = 100,
    PARTITIONS_MAX = 64,
};

typedef struct Load {
    Member member;
    const char *results;
    char *value;
    size_t value_bytes;
    int64_t done;
    int64_t next[PARTITIONS_MAX]; /* the offset to commit; 0 where nothing was read */
} Load;

/* Takes the next command and publishes a result for it. */
static bool
answer_one(Load *load, Error *err)
{
    CLEANUP(record_freep) Record *record = NULL;
    char key[KEY_BYTES];
    KafkaPoll polled;
    while ((polled = kafka_consumer_poll(load->member.consumer, POLL_MS, &record, err)) ==
           KAFKA_POLL_NOTHING)
        continue;
    if (polled != KAFKA_POLL_RECORD)
        return false;
    if (record->partition >= PARTITIONS_MAX)
        return error_set(err, REASON_USAGE, "more than %d partitions", PARTITIONS_MAX);
    load->next[record->partition] = record->offset + 1;
    (void)snprintf(key, sizeof(key), "load-%" PRId32 "-%" PRId64, record->partition,
                   record->offset);
    return member_send(&load->member, load->results, BYTES_TEXT(key),
                       (Bytes){load->value, load->value_bytes}, err);
}

static size_t
offsets_of(const Load *load, KafkaOffset *offsets)
{
    size_t count = 0;
    for (int32_t partition = 0; partition < PARTITIONS_MAX; partition++) {
        if (load->next[partition] > 0)
            offsets[count++] =
                (KafkaOffset){.partition = partition, .offset = load->next[partition]};
    }
    return count;
}

/* One transaction, as a worker's publisher makes one of all that has queued up. */
static bool
publish_up_to(Load *load, int64_t target, Error *err)
{
    KafkaOffset offsets[PARTITIONS_MAX];
    if (target <= load->done)
        return true;
    if (kafka_producer_begin(load->member.producer, err) != KAFKA_TXN_OK)
        return false;
    for (; load->done < target; load->done++) {
        if (!answer_one(load, err))
            return false;
    }
    return member_commit(&load->member, offsets, offsets_of(load, offsets), err);
}

static bool
serve(Load *load, Error *err)
{
    char line[LINE_BYTES];
    (void)puts("ready");
    (void)fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (!publish_up_to(load, strtoll(line, NULL, 10), err))
            return false;
        (void)printf("%" PRId64 "\n", load->done);
        (void)fflush(stdout);
    }
    return true;
}

static bool
run(const char *const *arguments, Error *err)
{
    char name[NAME_BYTES];
    Load load = {.results = arguments[2], .value_bytes = strtoul(arguments[3], NULL, 10)};
    CLEANUP(autofree) char *value = calloc(load.value_bytes + 1, 1);
    if (value == NULL)
        return error_out_of_memory(err);
    memset(value, 'x', load.value_bytes);
    load.value = value;
    (void)snprintf(name, sizeof(name), "broker-load-%d", (int)getpid());
    const bool fine =
        member_open(arguments[0], name, arguments[1], &load.member, err) && serve(&load, err);
    member_close(&load.member);
    return fine;
}

int
main(int argc, char **argv)
{
    Error err = {0};
    if (argc != 5) {
        (void)fprintf(stderr, "usage: %s BOOTSTRAP COMMANDS RESULTS RESULT_BYTES\n", argv[0]);
        return 2;
    }
    if (run((const char *const *)(argv + 1), &err))
        return 0;
    (void)fprintf(stderr, "%s: %s\n", argv[0], err.text);
    return 1;
}
