#include "worker/repository/json_list.h"

#include "worker/repository/database.h"

#include <string.h>

JsonList
json_list_open(StrBuf *json, const char *name)
{
    json_open_array(json, name);
    return (JsonList){.json = json, .begin = json->length};
}

bool
json_list_keep(JsonList *list, size_t before)
{
    if (list->json->length - list->begin >= DATABASE_LIST_BYTES_MAX) {
        strbuf_cut(list->json, before);
        return false;
    }
    list->count++;
    return true;
}

void
json_add_digits(StrBuf *json, const char *name, const char *digits)
{
    const bool is_number =
        digits != NULL && digits[0] != '\0' && strspn(digits, "-.0123456789") == strlen(digits);
    json_add_raw(json, name, is_number ? digits : NULL);
}
