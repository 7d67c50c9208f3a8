/*
 * kafka_membership: who a consumer was in its group when an assignment began; the fence for
 * offsets that are committed within a transaction.
 *
 * Owns:      the group metadata of that generation.
 * Threads:   any; counted references.
 * Invariant: it never changes, so that the broker refuses it once the group has moved on.
 */
#ifndef COMMON_KAFKA_KAFKA_MEMBERSHIP_H
#define COMMON_KAFKA_KAFKA_MEMBERSHIP_H

#include "common/macros.h"

typedef struct KafkaMembership KafkaMembership;

KafkaMembership *kafka_membership_ref(KafkaMembership *membership);
void kafka_membership_unref(KafkaMembership *membership); /* NULL is harmless */
DEFINE_FREEP(KafkaMembership, kafka_membership_unref)

#endif
