#include "worker/pipeline/assigning.h"

enum {
    PAUSE_MS = 100,
};

void
assigning_end(Assigning *assigning)
{
    kafka_lookup_free(assigning->lookup);
    *assigning = (Assigning){0};
}

KafkaAnswer
assigning_poll(Assigning *assigning, KafkaConsumer *consumer, const Clock *clock, Error *err)
{
    const int64_t now_ms = clock_monotonic_ms(clock);
    if (assigning->lookup == NULL && now_ms < assigning->not_before_ms)
        return KAFKA_ANSWER_PENDING;
    KafkaAnswer answer = KAFKA_ANSWER_FAILED;
    if (assigning->lookup != NULL || kafka_consumer_lookup(consumer, &assigning->lookup, err))
        answer = kafka_lookup_poll(assigning->lookup, 0, err);
    if (answer == KAFKA_ANSWER_FAILED) {
        assigning_end(assigning);
        assigning->not_before_ms = now_ms + PAUSE_MS;
    }
    return answer;
}
