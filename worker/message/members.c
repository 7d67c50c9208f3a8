#include "worker/message/members.h"

#include "common/clock.h"
#include "common/strbuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    /* Of a message or a name that came with the command. Four of them, each character escaped to
     * six bytes, fit beside the largest lists. */
    TEXT_MAX_BYTES = 4 * 1024,
};

bool
member_add(cJSON *object, const char *name, cJSON *item)
{
    if (item != NULL && cJSON_AddItemToObjectCS(object, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

bool
member_add_text(cJSON *object, const char *name, const char *text)
{
    if (text == NULL)
        return member_add(object, name, cJSON_CreateNull());
    if (strlen(text) <= TEXT_MAX_BYTES)
        return member_add(object, name, cJSON_CreateString(text));
    size_t cut = TEXT_MAX_BYTES;
    while (cut > 0 && ((unsigned char)text[cut] & 0xC0U) == 0x80U)
        cut--;
    CLEANUP(strbuf_done) StrBuf shorter = {0};
    strbuf_add(&shorter, text, cut);
    strbuf_add_text(&shorter, "…");
    return !shorter.failed && member_add(object, name, cJSON_CreateString(shorter.data));
}

bool
member_add_time(cJSON *object, const char *name, bool has, int64_t time_us)
{
    char text[CLOCK_TEXT_BYTES];
    if (has)
        clock_format(time_us, text);
    return member_add_text(object, name, has ? text : NULL);
}

bool
member_add_number(cJSON *object, const char *name, double number)
{
    return member_add(object, name, cJSON_CreateNumber(number));
}

bool
member_add_int64(cJSON *object, const char *name, int64_t number)
{
    char digits[24];
    (void)snprintf(digits, sizeof(digits), "%" PRId64, number);
    return member_add(object, name, cJSON_CreateRaw(digits));
}
