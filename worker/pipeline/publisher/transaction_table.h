/*
 * transaction_table: what follows each step of publishing in a Kafka transaction, for each way it
 * can end. Pure.
 *
 * Threads: any.
 */
#ifndef WORKER_PIPELINE_PUBLISHER_TRANSACTION_TABLE_H
#define WORKER_PIPELINE_PUBLISHER_TRANSACTION_TABLE_H

typedef enum TransactionStep {
    TRANSACTION_OPEN,    /* a new producer; the one before is closed */
    TRANSACTION_INIT,    /* fences what that one left behind */
    TRANSACTION_LOOKUP,  /* is the batch whose end is in doubt committed? */
    TRANSACTION_IDLE,    /* waits for outcomes */
    TRANSACTION_BEGIN,   /* a batch of outcomes is made up */
    TRANSACTION_PRODUCE, /* their records, which are then on their way */
    TRANSACTION_OFFSETS,
    TRANSACTION_DELIVER, /* until every record's delivery report is in */
    TRANSACTION_COMMIT,
    TRANSACTION_ABORT,
    TRANSACTION_STEPS,
} TransactionStep;

typedef enum TransactionEnding {
    STEP_DONE,
    STEP_DISCONNECTED, /* done, but a connection was lost meanwhile: what was on its way in it may
                        * arrive later still */
    STEP_AGAIN,        /* not yet: the same call again */
    STEP_ABORTABLE,    /* the transaction must be aborted */
    STEP_FENCED,       /* another producer has the transactional id, or the broker lost patience */
    STEP_FATAL,        /* fatal to the producer */
    STEP_TIMED_OUT,    /* not yet, and the step's time is over */
    STEP_ENDINGS,
} TransactionEnding;

typedef enum TransactionFate {
    FATE_OPEN,      /* still with the batch */
    FATE_COMMITTED, /* its outcomes are delivered */
    FATE_ABORTED,   /* its outcomes go into a later batch */
    FATE_LOOKED_UP, /* each as the committed offsets say */
} TransactionFate;

typedef struct TransactionMove {
    TransactionStep next;
    TransactionFate fate; /* of the batch's outcomes */
} TransactionMove;

TransactionMove transaction_move(TransactionStep step, TransactionEnding ending);

const char *transaction_step_name(TransactionStep step);
const char *transaction_ending_name(TransactionEnding ending);

#endif
