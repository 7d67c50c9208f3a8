/* A command as a CloudEvent 1.0 (cloudevents.io: JSON format, Kafka protocol binding). */
#include "worker/message/draft.h"
#include "worker/message/wrapping.h"

#include <string.h>

#define TYPE_PREFIX "cleanup.command."

static void
take_type(Draft *draft, const char *member, const char *text)
{
    char quoted[FAULT_QUOTE_BYTES];
    if (strncmp(text, TYPE_PREFIX, strlen(TYPE_PREFIX)) != 0)
        draft_fault(draft, ERROR_CODE_INVALID_CLOUDEVENT,
                    "%s is \"%s\", but takes " TYPE_PREFIX "<task>", member,
                    fault_quote(text, quoted));
    else
        draft_take_task(draft, member, text + strlen(TYPE_PREFIX));
}

static void
take_version(Draft *draft, const char *member, const char *text)
{
    char quoted[FAULT_QUOTE_BYTES];
    if (strcmp(text, "1.0") != 0)
        draft_fault(draft, ERROR_CODE_INVALID_CLOUDEVENT, "%s is \"%s\", but takes 1.0", member,
                    fault_quote(text, quoted));
}

static const struct {
    const char *name;
    const char *header;
    const char *spoken;
    bool required;
    DraftTake take;
} attributes[] = {
    {"specversion", "ce_specversion", "the event's specversion", true, take_version},
    {"id", "ce_id", "the event's id", true, draft_take_id},
    {"type", "ce_type", "the event's type", true, take_type},
    {"source", "ce_source", "the event's source", true, draft_take_requested_by},
    {"time", "ce_time", "the event's time", false, draft_take_requested_at},
    {"expiresat", "ce_expiresat", "the event's expiresat", false, draft_take_expires_at},
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
    draft->is_event = true;
    if (!cJSON_IsObject(root)) {
        draft_fault(draft, ERROR_CODE_NOT_AN_OBJECT, "a CloudEvent is a JSON object%s",
                    wrapping_of_tree(root));
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(root, attributes[i].name);
        if (cJSON_IsString(value))
            attributes[i].take(draft, attributes[i].spoken, value->valuestring);
        else if (value != NULL && !cJSON_IsNull(value))
            draft_fault(draft, ERROR_CODE_INVALID_CLOUDEVENT, "%s takes a string",
                        attributes[i].spoken);
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
draft_read_binary_event(Draft *draft, const Record *record)
{
    draft->is_event = true;
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        const char *value = draft_header_text(record, attributes[i].header);
        draft_check_header(draft, record, attributes[i].header);
        if (value != NULL)
            attributes[i].take(draft, attributes[i].spoken, value);
        else if (attributes[i].required || record_header(record, attributes[i].header) != NULL)
            draft_fault(draft, ERROR_CODE_INVALID_CLOUDEVENT, "the header %s is absent or not text",
                        attributes[i].header);
    }
}
