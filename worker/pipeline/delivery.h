/*
 * delivery: how outcomes reach Kafka; one implementation a guarantee.
 *
 * Owns:      the producer and the outcomes on their way.
 * Threads:   the publisher's.
 */
#ifndef WORKER_PIPELINE_DELIVERY_H
#define WORKER_PIPELINE_DELIVERY_H

#include "worker/pipeline/publisher.h"

/* The outcome has arrived (or its lane is dead, `delivered` false); ownership goes to the callee.
 */
typedef void (*DeliveryDone)(void *publisher, PublishItem *item, bool delivered);

typedef struct Delivery {
    void *state;
    /* Takes the outcome over; never blocks, never fails: what cannot be sent now is kept. */
    void (*send)(void *state, PublishItem *item);
    /* Serves reports for at most `timeout_ms`, sends again what is due, and calls DeliveryDone. */
    void (*turn)(void *state, int timeout_ms);
    /* True while records are on their way, so that turn is worth waiting in. */
    bool (*is_waiting)(const void *state);
    /* How many outcomes it holds. */
    size_t (*held)(const void *state);
    /* Frees everything, also what has not arrived. */
    void (*close)(void *state);
} Delivery;

/* An outcome is done once the delivery reports of all its records are in; a failure is sent again.
 */
bool delivery_open_at_least_once(const PipelineSettings *settings, const Clock *clock,
                                 DeliveryDone done, void *publisher, Delivery *ret_delivery,
                                 Error *err) MUST_CHECK;

#endif
