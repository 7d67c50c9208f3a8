/*
 * How long a bare Kafka transaction takes: one record, one offset, nothing else. The yardstick of
 * the worker's idle latency, with the same library and the same settings.
 *
 *   kafka_transaction BOOTSTRAP COMMANDS RESULTS COUNT GAP_MS
 *
 * Prints the microseconds from begin to the end of the commit, a line each, GAP_MS apart.
 */
#include "tests/bench/member.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    NAME_BYTES = 64,
    NS_PER_US = 1000,
    NS_PER_MS = 1000000,
    MS_PER_SECOND = 1000,
    US_PER_SECOND = 1000000,
    VALUE_BYTES = 600, /* about a result's */
};

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
run_one(const Member *member, const char *results, int64_t number, int64_t *ret_us, Error *err)
{
    static const char value[VALUE_BYTES];
    const KafkaOffset offset = {.partition = 0, .offset = number + 1};
    const int64_t began_us = now_us();
    if (kafka_producer_begin(member->producer, err) != KAFKA_TXN_OK ||
        !member_send(member, results, BYTES_TEXT("id"), (Bytes){value, sizeof(value)}, err) ||
        !member_commit(member, &offset, 1, err))
        return false;
    *ret_us = now_us() - began_us;
    return true;
}

static bool
run_all(const char *const *arguments, Error *err)
{
    char name[NAME_BYTES];
    Member member = {0};
    const int64_t count = strtoll(arguments[3], NULL, 10);
    const long gap_ms = strtol(arguments[4], NULL, 10);
    bool fine = true;
    (void)snprintf(name, sizeof(name), "bare-transaction-%d", (int)getpid());
    if (!member_open(arguments[0], name, arguments[1], &member, err))
        return false;
    for (int64_t i = 0; i < count && fine; i++) {
        int64_t took_us = 0;
        rest(gap_ms);
        fine = run_one(&member, arguments[2], i, &took_us, err);
        if (fine)
            (void)printf("%" PRId64 "\n", took_us);
    }
    member_close(&member);
    return fine;
}

int
main(int argc, char **argv)
{
    Error err = {0};
    if (argc != 6) {
        (void)fprintf(stderr, "usage: %s BOOTSTRAP COMMANDS RESULTS COUNT GAP_MS\n", argv[0]);
        return 2;
    }
    if (run_all((const char *const *)(argv + 1), &err))
        return 0;
    (void)fprintf(stderr, "%s: %s\n", argv[0], err.text);
    return 1;
}
