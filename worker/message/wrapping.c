#include "worker/message/wrapping.h"

#include <string.h>

enum {
    REGISTRY_BYTES = 5, /* 0, and the schema's id in four bytes */
    REGISTRY_ID_HIGH = 1,
};

static const struct {
    const char *bytes;
    size_t size;
    const char *hint;
} beginnings[] = {
#define BEGINNING(bytes, hint)                                                                     \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, hint                                                             \
    }
    BEGINNING("\xFF\xFE", "; it begins as UTF-16: send UTF-8"),
    BEGINNING("\xFE\xFF", "; it begins as UTF-16: send UTF-8"),
    BEGINNING("\x1F\x8B",
              "; it begins as gzip: leave compression to the producer's compression.type"),
    BEGINNING("\xAC\xED", "; it begins as a serialized Java object: send its JSON as a string"),
    BEGINNING("\x80\x02", "; it begins as a pickle of Python: send json.dumps(…)"),
    BEGINNING("\x80\x03", "; it begins as a pickle of Python: send json.dumps(…)"),
    BEGINNING("\x80\x04", "; it begins as a pickle of Python: send json.dumps(…)"),
    BEGINNING("\x80\x05", "; it begins as a pickle of Python: send json.dumps(…)"),
    BEGINNING("{'", "; it begins as a dict of Python: send json.dumps(…)"),
    BEGINNING("b'", "; it begins as bytes printed by Python: send the bytes themselves"),
#undef BEGINNING
};

/* Without a byte order mark: every second byte of ASCII is 0. */
static bool
is_utf16(const char *bytes, size_t size)
{
    return size >= 4 && size % 2 == 0 &&
           ((bytes[0] == '\0' && bytes[2] == '\0' && bytes[1] != '\0' && bytes[3] != '\0') ||
            (bytes[1] == '\0' && bytes[3] == '\0' && bytes[0] != '\0' && bytes[2] != '\0'));
}

/* Registries count schemas from 1, so that the highest byte of an id is 0. */
static bool
is_registry(const char *bytes, size_t size)
{
    return size > REGISTRY_BYTES && bytes[0] == '\0' && bytes[REGISTRY_ID_HIGH] == '\0';
}

const char *
wrapping_of_bytes(Bytes value)
{
    if (value.data == NULL)
        return "";
    if (is_utf16(value.data, value.size))
        return "; it looks like UTF-16: send UTF-8";
    if (is_registry(value.data, value.size))
        return "; it begins as a schema registry's serializer does (a zero byte and the schema's "
               "id): "
               "send plain JSON, as with a StringSerializer";
    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
        if (value.size >= beginnings[i].size &&
            memcmp(value.data, beginnings[i].bytes, beginnings[i].size) == 0)
            return beginnings[i].hint;
    }
    return "";
}

static bool
has(const cJSON *tree, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(tree, name) != NULL;
}

const char *
wrapping_of_tree(const cJSON *tree)
{
    if (cJSON_IsString(tree)) {
        const char *text = tree->valuestring + strspn(tree->valuestring, " \t\r\n");
        return text[0] == '{' || text[0] == '\"'
                   ? "; it is a string that holds JSON: it was encoded twice"
                   : "";
    }
    if (!cJSON_IsObject(tree))
        return "";
    if (has(tree, "schema") && has(tree, "payload"))
        return "; it is in the wrapping of Kafka Connect: set value.converter.schemas.enable=false";
    if (has(tree, "specversion") && has(tree, "type"))
        return "; it is a CloudEvent: send it with the header content-type: "
               "application/cloudevents+json";
    return "";
}
