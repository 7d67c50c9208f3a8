#include "worker/repository/json_list.h"

#include "worker/repository/database.h"

#include <string.h>

bool
json_list_init(JsonList *list)
{
    *list = (JsonList){.array = cJSON_CreateArray()};
    return list->array != NULL;
}

void
json_list_done(JsonList *list)
{
    cJSON_Delete(list->array);
    list->array = NULL;
}

bool
json_list_add(JsonList *list, cJSON *item)
{
    char *printed = cJSON_PrintUnformatted(item);
    if (printed == NULL) {
        cJSON_Delete(item);
        return false;
    }
    const size_t size_bytes = strlen(printed) + 1;
    cJSON_free(printed);
    if (list->full || list->size_bytes + size_bytes > DATABASE_LIST_BYTES_MAX) {
        list->full = true;
        cJSON_Delete(item);
        return true;
    }
    list->size_bytes += size_bytes;
    list->count++;
    return cJSON_AddItemToArray(list->array, item);
}

bool
json_add_text(cJSON *object, const char *name, const char *text)
{
    return (text != NULL ? cJSON_AddStringToObject(object, name, text)
                         : cJSON_AddNullToObject(object, name)) != NULL;
}

bool
json_add_digits(cJSON *object, const char *name, const char *digits)
{
    const bool is_number =
        digits != NULL && digits[0] != '\0' && strspn(digits, "-.0123456789") == strlen(digits);
    return (is_number ? cJSON_AddRawToObject(object, name, digits)
                      : cJSON_AddNullToObject(object, name)) != NULL;
}

void
json_freep(cJSON **json)
{
    cJSON_Delete(*json);
    *json = NULL;
}
