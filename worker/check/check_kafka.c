#include "common/kafka/kafka_admin.h"
#include "worker/check/check.h"
#include "worker/check/check_group.h"
#include "worker/check/check_topic.h"

#include <stdio.h>
#include <string.h>

enum {
    WHAT_BYTES = 512,
    REACH_MS = 10000,
    LOOK_MS = 5000,
    SETTINGS_AT_START_MS = 1000,
    GROUP_MS = 5000,
    GROUP_AT_START_MS = 500,
};

typedef struct Walk {
    CheckContext *context;
    KafkaAdmin *admin;
    int brokers;
    Findings *findings;
    Error *err;
} Walk;

static bool
add(const Walk *walk, FindingLevel level, const char *code, const char *subject, const char *what,
    const char *mend)
{
    const Finding finding = {
        .level = level, .code = code, .subject = subject, .what = what, .mend = mend};
    return findings_add(walk->findings, &finding, walk->err);
}

/* A configuration that the client does not take is no finding: the program ends as for any other
 * fault of it. */
static bool
add_unreachable(const Walk *walk, const Error *cause)
{
    if (cause->kind == ERROR_FATAL || cause->reason == REASON_KAFKA_CONFIG) {
        *walk->err = *cause;
        return false;
    }
    walk->context->unreachable = true;
    return add(walk, FINDING_FAIL, cause->code, "Kafka", cause->text, NULL);
}

static bool
add_brokers(const Walk *walk)
{
    char what[WHAT_BYTES];
    const char *user = kafka_admin_user(walk->admin);
    (void)snprintf(what, sizeof(what), "%d broker%s, %s%s%s", walk->brokers,
                   walk->brokers == 1 ? "" : "s", kafka_admin_security(walk->admin),
                   user[0] != '\0' ? " as " : "", user);
    return add(walk, FINDING_OK, "kafka", "Kafka", what, NULL);
}

/* Its members are a further question, which may go unanswered. */
static bool
look_at_group(const Walk *walk, const KafkaTopic *commands)
{
    const Settings *settings = walk->context->settings;
    const int timeout_ms = walk->context->is_start ? GROUP_AT_START_MS : GROUP_MS;
    CLEANUP(kafka_group_done) KafkaGroup group = {0};
    Error cause = {0};
    Error untold = {0};
    CheckGroupView view = {
        .bootstrap_servers = settings->kafka.bootstrap_servers,
        .user = kafka_admin_user(walk->admin),
        .id = settings->kafka.group_id,
        .partitions = commands->partitions,
    };
    view.sight =
        kafka_admin_group(walk->admin, view.id, commands, timeout_ms, &view.committed, &cause);
    view.reason = cause.text;
    if (view.sight == KAFKA_SIGHT_SEEN &&
        kafka_admin_members(walk->admin, view.id, commands->name, timeout_ms, &group, &untold))
        view.group = &group;
    return check_group(&view, walk->findings, walk->err);
}

static bool
look(const Walk *walk)
{
    const Settings *settings = walk->context->settings;
    const bool is_start = walk->context->is_start;
    KafkaTopic topics[] = {{.name = settings->topics.commands},
                           {.name = settings->topics.results},
                           {.name = settings->topics.dead_letters}};
    static const CheckTopicRole roles[] = {CHECK_TOPIC_COMMANDS, CHECK_TOPIC_RESULTS,
                                           CHECK_TOPIC_DEAD_LETTERS};
    const CheckTopicView view = {
        .bootstrap_servers = settings->kafka.bootstrap_servers,
        .user = kafka_admin_user(walk->admin),
        .brokers = walk->brokers,
        .ledger_hours = settings->worker.ledger_retention_hours,
        .is_start = is_start,
    };
    const KafkaPatience patience = {LOOK_MS, is_start ? SETTINGS_AT_START_MS : LOOK_MS};
    Error cause = {0};
    if (!kafka_admin_look(walk->admin, topics, ARRAY_LEN(topics), patience, &cause) ||
        !kafka_admin_reach(walk->admin, topics, ARRAY_LEN(topics), LOOK_MS, &cause))
        return add_unreachable(walk, &cause);
    if (!add_brokers(walk))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
        if (!check_topic(&view, roles[i], &topics[i], walk->findings, walk->err))
            return false;
    }
    return look_at_group(walk, &topics[0]);
}

bool
check_walk_kafka(CheckContext *context, Findings *findings, Error *err)
{
    CLEANUP(kafka_admin_closep) KafkaAdmin *admin = NULL;
    Walk walk = {.context = context, .findings = findings, .err = err};
    Error cause = {0};
    if (!kafka_admin_open(context->kafka, REACH_MS, &admin, &walk.brokers, &cause))
        return add_unreachable(&walk, &cause);
    walk.admin = admin;
    return look(&walk);
}
