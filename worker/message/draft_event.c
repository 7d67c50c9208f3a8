/* A command as a CloudEvent 1.0 (cloudevents.io: JSON format, Kafka protocol binding). */
#include "worker/message/draft.h"

#include <string.h>

#define TYPE_PREFIX "cleanup.command."

static void
take_type(Draft *draft, const char *text)
{
    char quoted[FAULT_QUOTE_BYTES];
    if (strncmp(text, TYPE_PREFIX, strlen(TYPE_PREFIX)) != 0)
        draft_fault(draft, ERROR_CODE_INVALID_CLOUDEVENT,
                    "the event's type is \"%s\", but takes " TYPE_PREFIX "<task>",
                    fault_quote(text, quoted));
    else
        draft_take_task(draft, text + strlen(TYPE_PREFIX));
}

static void
take_version(Draft *draft, const char *text)
{
    char quoted[FAULT_QUOTE_BYTES];
    if (strcmp(text, "1.0") != 0)
        draft_fault(draft, ERROR_CODE_INVALID_CLOUDEVENT,
                    "the event's specversion is \"%s\", but takes 1.0", fault_quote(text, quoted));
}

static void
take_id(Draft *draft, const char *text)
{
    draft_take_id(draft, "the event's id", text);
}

static void
take_source(Draft *draft, const char *text)
{
    draft_take_requested_by(draft, "the event's source", text);
}

static void
take_time(Draft *draft, const char *text)
{
    draft_take_requested_at(draft, "the event's time", text);
}

static void
take_expiry(Draft *draft, const char *text)
{
    draft_take_expires_at(draft, "the event's expiresat", text);
}

static const struct {
    const char *name;
    const char *header;
    bool required;
    void (*take)(Draft *draft, const char *text);
} attributes[] = {
    {"specversion", "ce_specversion", true, take_version},
    {"id", "ce_id", true, take_id},
    {"type", "ce_type", true, take_type},
    {"source", "ce_source", true, take_source},
    {"time", "ce_time", false, take_time},
    {"expiresat", "ce_expiresat", false, take_expiry},
};

/* Extensions are ignored, but only what CloudEvents allows as one: a misspelt `data` must not turn
 * into a command without params. */
static void
check_extensions(Draft *draft, const cJSON *root)
{
    char quoted[FAULT_QUOTE_BYTES];
    const cJSON *member;
    cJSON_ArrayForEach(member, root)
    {
        const char *name = member->string;
        if (strcmp(name, "data") == 0 || strcmp(name, "data_base64") == 0)
            continue;
        const bool legal_name =
            name[0] != '\0' && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(name);
        if (!legal_name || cJSON_IsObject(member) || cJSON_IsArray(member))
            draft_fault(draft, ERROR_CODE_INVALID_CLOUDEVENT,
                        "\"%s\" is no CloudEvents attribute; params go into data",
                        fault_quote(name, quoted));
    }
}

void
draft_read_structured_event(Draft *draft, const cJSON *root)
{
    if (!cJSON_IsObject(root)) {
        draft_fault(draft, ERROR_CODE_NOT_AN_OBJECT, "a CloudEvent is a JSON object");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(root, attributes[i].name);
        if (cJSON_IsString(value))
            attributes[i].take(draft, value->valuestring);
        else if (value != NULL && !cJSON_IsNull(value))
            draft_fault(draft, ERROR_CODE_INVALID_CLOUDEVENT, "the event's %s takes a string",
                        attributes[i].name);
        else if (attributes[i].required)
            draft_fault(draft, ERROR_CODE_INVALID_CLOUDEVENT, "the event has no %s",
                        attributes[i].name);
    }
    if (cJSON_GetObjectItemCaseSensitive(root, "data_base64") != NULL)
        draft_fault(draft, ERROR_CODE_INVALID_CLOUDEVENT,
                    "the event's params go into data, not into data_base64");
    check_extensions(draft, root);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(root, "data");
    draft->params = cJSON_IsNull(data) ? NULL : data;
}

void
draft_read_binary_event(Draft *draft, const Record *record, const cJSON *root)
{
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        const char *value = draft_header_text(record, attributes[i].header);
        if (value != NULL)
            attributes[i].take(draft, value);
        else if (attributes[i].required || record_header(record, attributes[i].header) != NULL)
            draft_fault(draft, ERROR_CODE_INVALID_CLOUDEVENT, "the header %s is absent or not text",
                        attributes[i].header);
    }
    draft->params = root;
}
