#include "common/kafka/kafka_reason.h"

#include "common/macros.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What follows `mark` in the text, or the text. */
static const char *
after(const char *text, const char *mark)
{
    const char *at = strstr(text, mark);
    return at != NULL ? at + strlen(mark) : text;
}

static bool
starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Without the thread and without what a broker is for: "[thrd:…]: ", "GroupCoordinator: ". */
static const char *
skip_roles(const char *told)
{
    static const char *const roles[] = {"GroupCoordinator: ", "TxnCoordinator: "};
    const char *text = starts_with(told, "[thrd:") ? after(told, "]: ") : told;
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        if (starts_with(text, roles[i]))
            return text + strlen(roles[i]);
    }
    return text;
}

/* Is it "host:port" or "host:port/id", perhaps after "sasl_ssl://"? */
static bool
is_broker(const char *text, size_t length)
{
    return memchr(text, ' ', length) == NULL && memchr(text, ':', length) != NULL;
}

/* What was tried is clear; what came of it is the reason. */
static const char *
skip_attempt(const char *text)
{
    if (starts_with(text, "Connect to "))
        return after(text, " failed: ");
    return starts_with(text, "Failed to resolve '") ? after(text, "': ") : text;
}

void
kafka_reason_read(const char *told, KafkaReason *ret_reason)
{
    const char *text = skip_roles(told);
    const char *colon = strstr(text, ": ");
    ret_reason->broker[0] = '\0';
    if (colon != NULL && is_broker(text, (size_t)(colon - text))) {
        const char *const scheme = strstr(text, "://");
        const char *const name = scheme != NULL && scheme < colon ? scheme + 3 : text;
        const size_t length = strcspn(name, "/ ");
        (void)snprintf(ret_reason->broker, sizeof(ret_reason->broker), "%.*s",
                       (int)(length < (size_t)(colon - name) ? length : (size_t)(colon - name)),
                       name);
        text = skip_attempt(colon + 2);
    }
    const char *const state = strstr(text, " (after ");
    const size_t length = state != NULL ? (size_t)(state - text) : strlen(text);
    (void)snprintf(ret_reason->text, sizeof(ret_reason->text), "%.*s", (int)length, text);
}
