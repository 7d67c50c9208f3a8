#include "worker/check/check_group.h"

#include "common/strbuf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ASSIGNOR "range" /* of every worker */

enum {
    WHAT_BYTES = 512,
    NAMES_MAX = 10,
};

/* What is found, and where to. */
typedef struct Report {
    const CheckGroupView *view;
    Findings *findings;
    Error *err;
} Report;

static bool
add(const Report *report, FindingLevel level, const char *code, const char *what, const char *why,
    const char *mend)
{
    const Finding finding = {
        .level = level, .code = code, .subject = "group", .what = what, .why = why, .mend = mend};
    return findings_add(report->findings, &finding, report->err);
}

static bool
add_denied(const Report *report)
{
    CLEANUP(strbuf_done) StrBuf mend = {0};
    const CheckGroupView *view = report->view;
    strbuf_add_format(&mend,
                      "kafka-acls.sh --bootstrap-server %s --add \\\n"
                      "  --allow-principal User:%s --operation Read --group %s",
                      view->bootstrap_servers, view->user[0] != '\0' ? view->user : "…", view->id);
    return add(report, FINDING_FAIL, "group_denied", "this login may not read it; that takes READ",
               NULL, strbuf_text(&mend));
}

/* A client calls itself what it likes. */
static void
add_name(StrBuf *text, const char *name)
{
    for (const char *at = name; *at != '\0'; at++)
        strbuf_add_char(text, iscntrl((unsigned char)*at) ? '?' : *at);
}

/* "3 members: a, b, c"; those of one name once. */
static void
add_members(StrBuf *what, const KafkaGroup *group)
{
    size_t names = 0;
    if (group == NULL || group->count == 0)
        return;
    strbuf_add_format(what, ", %zu member%s: ", group->count, group->count == 1 ? "" : "s");
    for (size_t i = 0; i < group->count; i++) {
        if (i > 0 && strcmp(group->members[i].client_id, group->members[i - 1].client_id) == 0)
            continue;
        if (names++ == NAMES_MAX) {
            strbuf_add_text(what, ", …");
            return;
        }
        strbuf_add_text(what, names > 1 ? ", " : "");
        add_name(what, group->members[i].client_id);
    }
}

static bool
add_fine(const Report *report)
{
    CLEANUP(strbuf_done) StrBuf what = {0};
    const CheckGroupView *view = report->view;
    strbuf_add_format(&what, "%s, offsets in %d of %d partitions", view->id, view->committed,
                      view->partitions);
    add_members(&what, view->group);
    return add(report, FINDING_OK, "group", strbuf_text(&what), NULL, NULL);
}

/* What libraries call a client whose program does not name it. A worker's client is called as its
 * worker.id says. */
static bool
is_name_of_library(const CheckGroupView *view, const char *name)
{
    static const char *const exact[] = {"rdkafka", "sarama",           "kafkajs",   "kgo",
                                        "kafka",   "console-consumer", "ruby-kafka"};
    static const char *const beginnings[] = {"kafka-python-", "aiokafka-", "confluent-kafka-",
                                             "consumer-console-consumer-"};
    char java[WHAT_BYTES];
    (void)snprintf(java, sizeof(java), "consumer-%s-", view->id);
    for (size_t i = 0; i < ARRAY_LEN(exact); i++) {
        if (strcmp(name, exact[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    }
    return strncmp(name, java, strlen(java)) == 0;
}

static bool
is_stranger(const CheckGroupView *view, const KafkaMember *member)
{
    return member->other_topic != NULL || is_name_of_library(view, member->client_id);
}

static void
add_stranger(const KafkaMember *member, StrBuf *what)
{
    if (strbuf_text(what)[0] != '\0')
        strbuf_add_text(what, "; ");
    add_name(what, member->client_id);
    strbuf_add_format(what, " (%s) ", member->host);
    if (member->other_topic != NULL)
        strbuf_add_format(what, "reads %s, too", member->other_topic);
    else
        strbuf_add_text(what, "is no worker by its name");
}

/* With the statement that shows who they are. */
static bool
add_warning(const Report *report, const char *code, const char *what, const char *why)
{
    CLEANUP(strbuf_done) StrBuf mend = {0};
    strbuf_add_format(&mend,
                      "kafka-consumer-groups.sh --bootstrap-server %s \\\n"
                      "  --describe --members --verbose --group %s",
                      report->view->bootstrap_servers, report->view->id);
    return add(report, FINDING_WARN, code, what, why, strbuf_text(&mend));
}

static bool
check_strangers(const Report *report)
{
    CLEANUP(strbuf_done) StrBuf what = {0};
    const KafkaGroup *group = report->view->group;
    size_t names = 0;
    for (size_t i = 0; i < group->count && names < NAMES_MAX; i++) {
        if (!is_stranger(report->view, &group->members[i]))
            continue;
        add_stranger(&group->members[i], &what);
        names++;
    }
    return names == 0 ||
           add_warning(report, "group_shared", strbuf_text(&what),
                       "What another program reads of the commands no worker executes. Give that "
                       "program a group of its own. This shows who it is:");
}

static bool
check_assignor(const Report *report)
{
    const char *assignor = report->view->group->assignor;
    char what[WHAT_BYTES];
    if (assignor[0] == '\0' || strcmp(assignor, ASSIGNOR) == 0)
        return true;
    (void)snprintf(what, sizeof(what), "its members use the assignor %.64s, workers use " ASSIGNOR,
                   assignor);
    return add_warning(report, "group_assignor", what,
                       "No worker can join while they are there. Give the other program a group of "
                       "its own. This shows who it is:");
}

bool
check_group(const CheckGroupView *view, Findings *findings, Error *err)
{
    const Report report = {view, findings, err};
    char what[WHAT_BYTES];
    if (view->sight == KAFKA_SIGHT_DENIED)
        return add_denied(&report);
    if (view->sight != KAFKA_SIGHT_SEEN) {
        (void)snprintf(what, sizeof(what), "%.200s: %.280s", view->id, view->reason);
        return add(&report, FINDING_UNKNOWN, "group", what, NULL, NULL);
    }
    return add_fine(&report) &&
           (view->group == NULL || (check_assignor(&report) && check_strangers(&report)));
}
