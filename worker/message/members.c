#include "worker/message/members.h"

#include "common/utf8.h"

#include <string.h>

enum {
    /* Of a message or a name that came with the command. Four of them, each character escaped to
     * six bytes, fit beside the largest lists. */
    TEXT_MAX_BYTES = 4 * 1024,
};

void
member_add_text(StrBuf *json, const char *name, const char *text)
{
    if (text == NULL || strnlen(text, TEXT_MAX_BYTES + 1) <= TEXT_MAX_BYTES) {
        json_add_text(json, name, text);
        return;
    }
    const size_t cut = utf8_cut(text, TEXT_MAX_BYTES + 1, TEXT_MAX_BYTES);
    char shorter[TEXT_MAX_BYTES + sizeof("…")];
    memcpy(shorter, text, cut);
    memcpy(shorter + cut, "…", sizeof("…"));
    json_add_text(json, name, shorter);
}

void
member_add_time(StrBuf *json, const char *name, bool has, int64_t time_us)
{
    if (has)
        json_add_time(json, name, time_us);
    else
        json_add_raw(json, name, NULL);
}
