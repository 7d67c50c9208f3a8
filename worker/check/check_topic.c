#include "worker/check/check_topic.h"

#include "common/strbuf.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    TEXT_BYTES = 256,
    HOUR_MS = 3600 * 1000,
    DAY_MS = 24 * HOUR_MS,
    RESULT_MAX_BYTES = 576 * 1024, /* the longest result, its headers and the batch's own */
    BATCH_MAX_BYTES = 1024 * 1024, /* what the producer may put into one batch */
};

/* One topic on its way through the rules. */
typedef struct Look {
    const CheckTopicView *view;
    CheckTopicRole role;
    const KafkaTopic *topic;
    Findings *findings;
    Error *err;
    bool amiss; /* a finding was added */
} Look;

static const char *const uses[] = {
    [CHECK_TOPIC_COMMANDS] = "Commands come from it.",
    [CHECK_TOPIC_RESULTS] = "Results go to it.",
    [CHECK_TOPIC_DEAD_LETTERS] = "Commands that are rejected or fail go to it.",
};

static bool
add(Look *look, FindingLevel level, const char *code, const char *what, const char *why,
    const char *mend)
{
    look->amiss = true;
    const Finding finding = {.level = level,
                             .code = code,
                             .subject = look->topic->name,
                             .what = what,
                             .why = why,
                             .mend = mend};
    return findings_add(look->findings, &finding, look->err);
}

/* "30 d", "36 h", "for ever". */
static void
describe_span(int64_t ms, char text[TEXT_BYTES])
{
    if (ms == KAFKA_FOR_EVER)
        (void)snprintf(text, TEXT_BYTES, "for ever");
    else if (ms >= 2 * (int64_t)DAY_MS && ms % DAY_MS == 0)
        (void)snprintf(text, TEXT_BYTES, "%" PRId64 " d", ms / DAY_MS);
    else if (ms >= HOUR_MS)
        (void)snprintf(text, TEXT_BYTES, "%" PRId64 " h", ms / HOUR_MS);
    else
        (void)snprintf(text, TEXT_BYTES, "%" PRId64 " s", ms / 1000);
}

static bool
add_with_settings(Look *look, FindingLevel level, const char *code, const char *what,
                  const char *why, const char *settings)
{
    CLEANUP(strbuf_done) StrBuf mend = {0};
    strbuf_add_format(&mend,
                      "kafka-configs.sh --bootstrap-server %s --alter \\\n"
                      "  --entity-type topics --entity-name %s \\\n"
                      "  --add-config %s",
                      look->view->bootstrap_servers, look->topic->name, settings);
    return add(look, level, code, what, why, strbuf_text(&mend));
}

static bool
add_with_rights(Look *look, FindingLevel level, const char *code, const char *what,
                const char *operations)
{
    CLEANUP(strbuf_done) StrBuf mend = {0};
    strbuf_add_format(&mend,
                      "kafka-acls.sh --bootstrap-server %s --add \\\n"
                      "  --allow-principal User:%s %s --topic %s",
                      look->view->bootstrap_servers,
                      look->view->user[0] != '\0' ? look->view->user : "…", operations,
                      look->topic->name);
    return add(look, level, code, what, NULL, strbuf_text(&mend));
}

static bool
check_sight(Look *look)
{
    switch (look->topic->sight) {
    case KAFKA_SIGHT_SEEN:
        return true;
    case KAFKA_SIGHT_MISSING:
        return add(look, FINDING_FAIL, "topic_missing", "does not exist", uses[look->role],
                   "cleanup-worker migrate --topics");
    case KAFKA_SIGHT_DENIED:
        return add_with_rights(
            look, FINDING_FAIL, "topic_denied",
            look->role == CHECK_TOPIC_COMMANDS ? "this login may not see it; that takes READ"
                                               : "this login may not see it; that takes WRITE",
            look->role == CHECK_TOPIC_COMMANDS ? "--operation Read" : "--operation Write");
    case KAFKA_SIGHT_UNSUPPORTED:
    case KAFKA_SIGHT_FAILED:
        break;
    }
    return add(look, FINDING_UNKNOWN, "topic_unread", "the broker does not describe it", NULL,
               NULL);
}

static bool
check_settings_sight(Look *look)
{
    switch (look->topic->settings_sight) {
    case KAFKA_SIGHT_SEEN:
        return true;
    case KAFKA_SIGHT_DENIED:
        return add_with_rights(look, FINDING_UNKNOWN, "topic_settings_denied",
                               "this login may not read its settings; that takes DESCRIBE_CONFIGS",
                               "--operation DescribeConfigs");
    case KAFKA_SIGHT_UNSUPPORTED:
        return add(look, FINDING_UNKNOWN, "topic_settings_unread",
                   "this broker does not tell its settings", NULL, NULL);
    case KAFKA_SIGHT_MISSING:
    case KAFKA_SIGHT_FAILED:
        break;
    }
    return add(look, FINDING_UNKNOWN, "topic_settings_unread", "its settings were not told in time",
               NULL, NULL);
}

static int64_t
kept_ms(const KafkaTopic *topic)
{
    if (!topic->deletes || topic->retention_ms == KAFKA_FOR_EVER ||
        topic->segment_ms > KAFKA_FOR_EVER - topic->retention_ms)
        return KAFKA_FOR_EVER;
    return topic->retention_ms + topic->segment_ms;
}

/* retention.ms, and segment.ms where that alone is too long already, so that the oldest record goes
 * an hour before the ledger forgets it. */
static void
describe_retention(const KafkaTopic *topic, int64_t ledger_ms, char text[TEXT_BYTES])
{
    const int64_t room_ms = ledger_ms - HOUR_MS;
    const bool segment_fits = topic->segment_ms <= room_ms / 2;
    const int64_t segment_ms = segment_fits ? topic->segment_ms : room_ms / 4;
    char segment[TEXT_BYTES / 2] = "";
    if (!segment_fits)
        (void)snprintf(segment, sizeof(segment), ",segment.ms=%" PRId64, segment_ms);
    (void)snprintf(text, TEXT_BYTES, "retention.ms=%" PRId64 "%s%s", room_ms - segment_ms, segment,
                   topic->deletes ? "" : ",cleanup.policy=delete");
}

/* A record that is older than the ledger is not executed, because nothing tells whether it was.
 * That loses no command in silence, so `run` starts; `check` fails. */
static bool
check_retention(Look *look)
{
    const KafkaTopic *topic = look->topic;
    const int64_t ledger_ms = (int64_t)look->view->ledger_hours * HOUR_MS;
    const int64_t kept = kept_ms(topic);
    char what[TEXT_BYTES * 3];
    char spans[2][TEXT_BYTES];
    char settings[TEXT_BYTES];
    if (look->role != CHECK_TOPIC_COMMANDS || topic->retention_ms < 0 || topic->segment_ms < 0 ||
        kept <= ledger_ms)
        return true;
    describe_span(kept, spans[0]);
    describe_span(ledger_ms, spans[1]);
    describe_retention(topic, ledger_ms, settings);
    (void)snprintf(what, sizeof(what), "keeps records %s, the ledger remembers %s", spans[0],
                   spans[1]);
    return add_with_settings(look, look->view->is_start ? FINDING_WARN : FINDING_FAIL,
                             "topic_outlives_ledger", what,
                             "An older command would not run, and its result would be expired. "
                             "Raise worker.ledger_retention_hours, or:",
                             settings);
}

static bool
check_compaction(Look *look)
{
    if (!look->topic->compacts || look->role == CHECK_TOPIC_RESULTS)
        return true;
    return add_with_settings(
        look, FINDING_FAIL, "topic_compacts", "is compacted",
        look->role == CHECK_TOPIC_COMMANDS
            ? "A command would vanish when another one with its key comes before it has run."
            : "The broker would refuse the dead letter of a command without a key.",
        "cleanup.policy=delete");
}

static bool
check_size(Look *look)
{
    const int64_t bytes = look->topic->max_message_bytes;
    char what[TEXT_BYTES];
    if (look->role != CHECK_TOPIC_RESULTS || bytes < 0 || bytes >= BATCH_MAX_BYTES)
        return true;
    (void)snprintf(what, sizeof(what), "max.message.bytes is %" PRId64, bytes);
    if (bytes < RESULT_MAX_BYTES)
        return add_with_settings(look, FINDING_FAIL, "topic_too_narrow", what,
                                 "The longest result does not fit, and its partition would wait.",
                                 "max.message.bytes=1048576");
    return add_with_settings(look, FINDING_WARN, "topic_narrow", what,
                             "Batches of results would be refused and sent again in halves.",
                             "max.message.bytes=1048576");
}

static bool
check_replicas(Look *look)
{
    const KafkaTopic *topic = look->topic;
    char what[TEXT_BYTES];
    if (look->role != CHECK_TOPIC_COMMANDS && topic->min_insync_replicas > topic->replicas) {
        (void)snprintf(what, sizeof(what), "min.insync.replicas is %" PRId64 ", replicas are %d",
                       topic->min_insync_replicas, topic->replicas);
        return add_with_settings(look, look->view->is_start ? FINDING_WARN : FINDING_FAIL,
                                 "topic_never_in_sync", what,
                                 "Brokers before Kafka 4 would refuse every record, newer ones "
                                 "count at most the replicas that there are.",
                                 "min.insync.replicas=1");
    }
    if (topic->replicas != 1 || look->view->brokers < 2)
        return true;
    return add(look, FINDING_WARN, "topic_on_one_broker", "has one replica",
               "While its broker is away the worker waits. If its disk fails, its records are "
               "lost.",
               NULL);
}

static bool
add_fine(Look *look)
{
    const KafkaTopic *topic = look->topic;
    char what[TEXT_BYTES * 3];
    char span[TEXT_BYTES];
    char size[TEXT_BYTES] = "";
    describe_span(topic->retention_ms, span);
    if (look->role == CHECK_TOPIC_RESULTS && topic->max_message_bytes > 0)
        (void)snprintf(size, sizeof(size), ", max.message.bytes %" PRId64,
                       topic->max_message_bytes);
    (void)snprintf(what, sizeof(what), "%d partition%s, %d replica%s, keeps records %s%s",
                   topic->partitions, topic->partitions == 1 ? "" : "s", topic->replicas,
                   topic->replicas == 1 ? "" : "s", topic->deletes ? span : "for ever", size);
    return add(look, FINDING_OK, "topic", what, NULL, NULL);
}

bool
check_topic(const CheckTopicView *view, CheckTopicRole role, const KafkaTopic *topic,
            Findings *findings, Error *err)
{
    Look look = {view, role, topic, findings, err, false};
    if (!check_sight(&look))
        return false;
    if (topic->sight != KAFKA_SIGHT_SEEN)
        return true;
    if (!check_settings_sight(&look))
        return false;
    if (topic->settings_sight != KAFKA_SIGHT_SEEN)
        return check_replicas(&look);
    if (!check_retention(&look) || !check_compaction(&look) || !check_size(&look) ||
        !check_replicas(&look))
        return false;
    return look.amiss || add_fine(&look);
}
