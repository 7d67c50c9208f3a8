#include "common/kafka/kafka_private.h"

#include <stdatomic.h>

struct KafkaMembership {
    atomic_int references;
    rd_kafka_consumer_group_metadata_t *metadata;
};

/* The metadata are taken first: should the member lose its id in between, then it shows. An empty
 * member id would let the broker accept offsets unfenced. */
KafkaMembership *
kafka_membership_take(rd_kafka_t *consumer)
{
    CLEANUP(kafka_membership_unrefp) KafkaMembership *membership = calloc(1, sizeof(*membership));
    if (membership == NULL)
        return NULL;
    atomic_init(&membership->references, 1);
    membership->metadata = rd_kafka_consumer_group_metadata(consumer);
    char *member_id = rd_kafka_memberid(consumer);
    const bool joined = member_id != NULL && member_id[0] != '\0';
    rd_kafka_mem_free(consumer, member_id);
    if (membership->metadata == NULL || !joined)
        return NULL;
    KafkaMembership *taken = membership;
    membership = NULL;
    return taken;
}

const rd_kafka_consumer_group_metadata_t *
kafka_membership_metadata(const KafkaMembership *membership)
{
    return membership->metadata;
}

KafkaMembership *
kafka_membership_ref(KafkaMembership *membership)
{
    if (membership != NULL)
        atomic_fetch_add(&membership->references, 1);
    return membership;
}

void
kafka_membership_unref(KafkaMembership *membership)
{
    if (membership == NULL || atomic_fetch_sub(&membership->references, 1) > 1)
        return;
    if (membership->metadata != NULL)
        rd_kafka_consumer_group_metadata_destroy(membership->metadata);
    free(membership);
}
