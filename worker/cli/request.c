#include "worker/cli/request.h"

#include "common/clock.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>
#include <uuid/uuid.h>

static void
delete_json(cJSON **json)
{
    cJSON_Delete(*json);
}

static bool
copy_text(const char *text, char **ret_copy, Error *err)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return error_out_of_memory(err);
    *ret_copy = copy;
    return true;
}

/* A number or a boolean where the text is exactly that in JSON, else a string. NULL when out of
 * memory. */
static cJSON *
value_of(const char *text)
{
    cJSON *value = cJSON_ParseWithOpts(text, NULL, 1);
    if (cJSON_IsBool(value) || (cJSON_IsNumber(value) && isfinite(value->valuedouble)))
        return value;
    cJSON_Delete(value);
    return cJSON_CreateString(text);
}

static bool
add_param(cJSON *params, const char *word, Error *err)
{
    const char *equals = strchr(word, '=');
    if (equals == NULL || equals == word)
        return error_set(err, REASON_USAGE, "a param is written name=value, not \"%s\"", word);
    CLEANUP(autofree) char *name = strndup(word, (size_t)(equals - word));
    if (name == NULL)
        return error_out_of_memory(err);
    if (cJSON_HasObjectItem(params, name))
        return error_set(err, REASON_USAGE, "param %s is given twice", name);
    cJSON *value = value_of(equals + 1);
    if (value == NULL || !cJSON_AddItemToObject(params, name, value)) {
        cJSON_Delete(value);
        return error_out_of_memory(err);
    }
    return true;
}

static bool
add_members(cJSON *command, const RequestOptions *options, Error *err)
{
    const int64_t now_us = clock_now_us(clock_system());
    char time[CLOCK_TEXT_BYTES];
    clock_format(now_us, time);
    if (options->requested_by != NULL &&
        cJSON_AddStringToObject(command, "requested_by", options->requested_by) == NULL)
        return error_out_of_memory(err);
    if (cJSON_AddStringToObject(command, "requested_at", time) == NULL)
        return error_out_of_memory(err);
    if (!options->expires)
        return true;
    clock_format(now_us + options->expires_in_ms * CLOCK_US_PER_MS, time);
    return cJSON_AddStringToObject(command, "expires_at", time) != NULL || error_out_of_memory(err);
}

/* A per-user command goes to its user's partition, every other to its task's. */
static const char *
key_of(const cJSON *command)
{
    const cJSON *params = cJSON_GetObjectItemCaseSensitive(command, "params");
    const char *user = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(params, "user_id"));
    return user != NULL ? user
                        : cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(command, "task"));
}

static bool
make_id(const RequestOptions *options, char **ret_id, Error *err)
{
    char made[UUID_STR_LEN];
    uuid_t uuid;
    if (options->id != NULL)
        return copy_text(options->id, ret_id, err);
    uuid_generate_random(uuid);
    uuid_unparse_lower(uuid, made);
    return copy_text(made, ret_id, err);
}

static bool
fill(cJSON *command, char *const *words, size_t count, const RequestOptions *options,
     Request *request, Error *err)
{
    if (!make_id(options, &request->id, err))
        return false;
    if (cJSON_AddStringToObject(command, "command_id", request->id) == NULL ||
        cJSON_AddStringToObject(command, "task", words[0]) == NULL)
        return error_out_of_memory(err);
    cJSON *params = cJSON_AddObjectToObject(command, "params");
    if (params == NULL)
        return error_out_of_memory(err);
    for (size_t i = 1; i < count; i++) {
        if (!add_param(params, words[i], err))
            return false;
    }
    if (!add_members(command, options, err) || !copy_text(key_of(command), &request->key, err))
        return false;
    request->json = cJSON_PrintUnformatted(command);
    return request->json != NULL || error_out_of_memory(err);
}

bool
request_from_words(char *const *words, size_t count, const RequestOptions *options,
                   Request *ret_request, Error *err)
{
    CLEANUP(delete_json) cJSON *command = cJSON_CreateObject();
    Request request = {0};
    if (command == NULL)
        return error_out_of_memory(err);
    if (!fill(command, words, count, options, &request, err)) {
        request_done(&request);
        return false;
    }
    *ret_request = request;
    return true;
}

bool
request_from_raw(const char *raw, const RequestOptions *options, Request *ret_request, Error *err)
{
    CLEANUP(delete_json) cJSON *command = cJSON_Parse(raw);
    const char *id = options->id;
    const char *key = key_of(command);
    Request request = {0};
    if (id == NULL)
        id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(command, "command_id"));
    if (!copy_text(raw, &request.json, err) || (id != NULL && !copy_text(id, &request.id, err)) ||
        (key != NULL && !copy_text(key, &request.key, err))) {
        request_done(&request);
        return false;
    }
    *ret_request = request;
    return true;
}

void
request_done(Request *request)
{
    free(request->id);
    free(request->key);
    free(request->json);
    *request = (Request){0};
}
