/*
 * kafka_reason: what librdkafka says about a broker it cannot reach, taken apart. Pure.
 *
 * Threads: any.
 */
#ifndef COMMON_KAFKA_KAFKA_REASON_H
#define COMMON_KAFKA_KAFKA_REASON_H

enum {
    KAFKA_REASON_BROKER_BYTES = 128,
    KAFKA_REASON_TEXT_BYTES = 192,
};

typedef struct KafkaReason {
    char broker[KAFKA_REASON_BROKER_BYTES]; /* host:port; "" = not told */
    char text[KAFKA_REASON_TEXT_BYTES];     /* "Connection refused" */
} KafkaReason;

/* Reads a text such as "[thrd:x:1/bootstrap]: x:1/bootstrap: Connect to ipv4#10.0.0.1:1 failed:
 * Connection refused (after 0ms in state CONNECT)". Any other text becomes the reason as it is. */
void kafka_reason_read(const char *told, KafkaReason *ret_reason);

#endif
