#include "common/kafka/kafka_properties.h"
#include "worker/check/check.h"

#include <stdio.h>

enum { WHAT_BYTES = 256 };

static bool
add(Findings *findings, FindingLevel level, const char *code, const char *what, Error *err)
{
    const Finding finding = {
        .level = level, .code = code, .subject = "configuration", .what = what};
    return findings_add(findings, &finding, err);
}

static bool
add_source(const Settings *settings, Findings *findings, Error *err)
{
    char what[WHAT_BYTES];
    const size_t variables = settings->seen.variables;
    (void)snprintf(what, sizeof(what), "%s, %zu variable%s",
                   settings->config_path != NULL ? settings->config_path : "no file", variables,
                   variables == 1 ? "" : "s");
    return add(findings, FINDING_OK, "configuration", what, err);
}

/* A property that librdkafka takes and this program has never heard of. */
static bool
add_unknown_properties(const ConfigPairs *properties, Findings *findings, Error *err)
{
    for (size_t i = 0; i < properties->count; i++) {
        if (kafka_property_rule(properties->names[i]) != KAFKA_PROPERTY_UNKNOWN)
            continue;
        char what[WHAT_BYTES];
        (void)snprintf(what, sizeof(what), "kafka.%s is passed on, what it does is not known",
                       properties->names[i]);
        if (!add(findings, FINDING_UNKNOWN, "property_unknown", what, err))
            return false;
    }
    return true;
}

bool
check_walk_configuration(CheckContext *context, Findings *findings, Error *err)
{
    const Settings *settings = context->settings;
    Error reason;
    return add_source(settings, findings, err) &&
           add_unknown_properties(&settings->kafka.properties, findings, err) &&
           (settings_need_database(settings, &reason) ||
            add(findings, FINDING_FAIL, "database_not_named", reason.text, err));
}
