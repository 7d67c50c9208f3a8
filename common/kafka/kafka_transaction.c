#include "common/kafka/kafka_transaction.h"

#include "common/kafka/kafka_private.h"

static bool
is_fencing(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH ||
           code == RD_KAFKA_RESP_ERR_TRANSACTION_COORDINATOR_FENCED;
}

/* The order of the questions is librdkafka's advice: a transaction that must be aborted first, then
 * what may be called again; the rest is fatal to the producer. */
static KafkaTxn
ending_of(rd_kafka_t *handle, const rd_kafka_error_t *failure)
{
    char reason[KAFKA_CLIENT_ERRSTR_BYTES];
    if (rd_kafka_error_txn_requires_abort(failure))
        return KAFKA_TXN_ABORT;
    if (rd_kafka_error_is_retriable(failure))
        return KAFKA_TXN_AGAIN;
    return is_fencing(rd_kafka_error_code(failure)) ||
                   is_fencing(rd_kafka_fatal_error(handle, reason, sizeof(reason)))
               ? KAFKA_TXN_FENCED
               : KAFKA_TXN_BROKEN;
}

static ErrorReason
reason_of(rd_kafka_resp_err_t code)
{
    if (code == RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE)
        return REASON_METADATA_TOO_LARGE;
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        return REASON_KAFKA_REFUSED;
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return REASON_TOPIC_GONE;
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT)
        return REASON_TRANSACTION_STALLED;
    return code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED
               ? REASON_TRANSACTIONS_REFUSED
               : REASON_KAFKA_FAILED;
}

/* Takes over the error object. */
static KafkaTxn
settle(const KafkaProducer *producer, rd_kafka_error_t *failure, const char *what, Error *err)
{
    if (failure == NULL)
        return KAFKA_TXN_OK;
    const KafkaTxn ending = ending_of(kafka_producer_handle(producer), failure);
    (void)error_set(err, reason_of(rd_kafka_error_code(failure)), "%s: %s: %s", what,
                    rd_kafka_error_name(failure), rd_kafka_error_string(failure));
    rd_kafka_error_destroy(failure);
    return ending;
}

KafkaTxn
kafka_producer_init_transactions(KafkaProducer *producer, int timeout_ms, Error *err)
{
    return settle(producer, rd_kafka_init_transactions(kafka_producer_handle(producer), timeout_ms),
                  "prepare transactions", err);
}

KafkaTxn
kafka_producer_begin(KafkaProducer *producer, Error *err)
{
    return settle(producer, rd_kafka_begin_transaction(kafka_producer_handle(producer)),
                  "begin a transaction", err);
}

/* librdkafka has no question for it; to begin a second transaction is refused with what is wrong
 * with the first, or, when nothing is, because there is a first. */
KafkaTxn
kafka_producer_look(KafkaProducer *producer, Error *err)
{
    rd_kafka_t *handle = kafka_producer_handle(producer);
    rd_kafka_error_t *failure = rd_kafka_begin_transaction(handle);
    if (failure != NULL && !rd_kafka_error_txn_requires_abort(failure) &&
        !rd_kafka_error_is_fatal(failure)) {
        rd_kafka_error_destroy(failure);
        return KAFKA_TXN_OK;
    }
    return settle(producer, failure, "write in a transaction", err);
}

KafkaTxn
kafka_producer_send_offsets(KafkaProducer *producer, const KafkaMembership *membership,
                            const KafkaOffsets *offsets, int timeout_ms, Error *err)
{
    CLEANUP(kafka_list_destroyp)
    rd_kafka_topic_partition_list_t *list = kafka_client_offset_list(offsets);
    if (list == NULL) {
        (void)error_out_of_memory(err);
        return KAFKA_TXN_ABORT;
    }
    return settle(producer,
                  rd_kafka_send_offsets_to_transaction(kafka_producer_handle(producer), list,
                                                       kafka_membership_metadata(membership),
                                                       timeout_ms),
                  "add offsets to a transaction", err);
}

KafkaTxn
kafka_producer_commit(KafkaProducer *producer, int timeout_ms, Error *err)
{
    return settle(producer,
                  rd_kafka_commit_transaction(kafka_producer_handle(producer), timeout_ms),
                  "commit a transaction", err);
}

KafkaTxn
kafka_producer_abort(KafkaProducer *producer, int timeout_ms, Error *err)
{
    return settle(producer, rd_kafka_abort_transaction(kafka_producer_handle(producer), timeout_ms),
                  "abort a transaction", err);
}

bool
kafka_producer_lookup(KafkaProducer *producer, const KafkaQuestion *question,
                      KafkaLookup **ret_lookup, Error *err)
{
    rd_kafka_t *asker = NULL;
    return kafka_producer_asker(producer, question->group, &asker, err) &&
           kafka_lookup_begin(asker, question, -1, ret_lookup, err);
}
