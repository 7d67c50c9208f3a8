#include "worker/pipeline/coordinator/offset_fetch.h"

enum {
    PAUSE_MS = 100,
};

void
offset_fetch_end(OffsetFetch *fetch)
{
    kafka_lookup_free(fetch->lookup);
    *fetch = (OffsetFetch){0};
}

KafkaAnswer
offset_fetch_poll(OffsetFetch *fetch, KafkaConsumer *consumer, const Clock *clock, Error *err)
{
    const int64_t now_ms = clock_monotonic_ms(clock);
    if (fetch->lookup == NULL && now_ms < fetch->not_before_ms)
        return KAFKA_ANSWER_PENDING;
    KafkaAnswer answer = KAFKA_ANSWER_FAILED;
    if (fetch->lookup != NULL || kafka_consumer_lookup(consumer, &fetch->lookup, err))
        answer = kafka_lookup_poll(fetch->lookup, 0, err);
    if (answer == KAFKA_ANSWER_FAILED) {
        offset_fetch_end(fetch);
        fetch->not_before_ms = now_ms + PAUSE_MS;
    }
    return answer;
}
