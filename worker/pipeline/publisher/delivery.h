/*
 * delivery: how outcomes reach Kafka; one implementation for each guarantee.
 *
 * Owns:      the producer and the outcomes on their way.
 * Threads:   the publisher's.
 */
#ifndef WORKER_PIPELINE_PUBLISHER_DELIVERY_H
#define WORKER_PIPELINE_PUBLISHER_DELIVERY_H

#include "worker/pipeline/publisher/outgoing.h"
#include "worker/pipeline/settings.h"

/* What a delivery tells its publisher. */
typedef struct DeliveryHooks {
    void *publisher;
    /* The outcome has arrived: its command has ended, and its offset is finished when this returns,
     * so that the next plan of its lane counts it. Or, `delivered` false, its lane is dead or the
     * publisher ends. Ownership goes to the callee. */
    void (*done)(void *publisher, Outgoing *item, bool delivered);
    /* The outcome cannot go before an earlier command of its lane has ended, however long that
     * takes: no executor must wait for it to make room. */
    void (*deferred)(void *publisher, Outgoing *item);
    /* The process cannot go on. */
    void (*failed)(void *publisher, const Error *err);
} DeliveryHooks;

typedef struct Delivery {
    void *state;
    /* Takes the outcome over; never blocks, never fails: what cannot be sent now is kept. */
    void (*send)(void *state, Outgoing *item);
    /* Goes on for about `timeout_ms`, serves reports, calls the hooks. One call to Kafka may take a
     * second and more, but no longer than to `deadline_ms` (monotonic). */
    void (*turn)(void *state, int timeout_ms, int64_t deadline_ms);
    /* True while something is on its way, so that turn is worth waiting in. */
    bool (*is_waiting)(const void *state);
    /* How many outcomes it holds. */
    size_t (*held)(const void *state);
    /* Frees everything, also what has not arrived. */
    void (*close)(void *state);
} Delivery;

/* An outcome is done once the delivery reports of all its records are in; a failure is sent again.
 */
bool delivery_open_at_least_once(const PipelineSettings *settings, const Clock *clock,
                                 const DeliveryHooks *hooks, Delivery *ret_delivery,
                                 Error *err) MUST_CHECK;

/* An outcome is done once the Kafka transaction with its records and its offset is committed. Fails
 * when Kafka does not let this worker prepare transactions within start_timeout_ms. */
bool delivery_open_exactly_once(const PipelineSettings *settings, const Clock *clock,
                                const DeliveryHooks *hooks, Delivery *ret_delivery,
                                Error *err) MUST_CHECK;

#endif
