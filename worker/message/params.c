#include "worker/message/params.h"

#include "common/strbuf.h"
#include "common/utf8.h"
#include "worker/message/limits.h"
#include "worker/message/wrapping.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <math.h>
#include <string.h>

enum {
    SHOWN_BYTES = 80,
};

#define HOURS_MAX 87600.0
#define MINUTES_MAX 525600.0

typedef enum ParamKind { PARAM_UUID, PARAM_SPAN, PARAM_LIMIT, PARAM_FLAG } ParamKind;

typedef struct ParamSpec {
    const char *name;
    ParamKind kind;
    size_t offset; /* in CommandParams */
    double initial;
    double max;
    const char *takes;
} ParamSpec;

typedef enum ParamId {
    PARAM_USER_ID,
    PARAM_INACTIVE_HOURS,
    PARAM_EXPIRATION_MINUTES,
    PARAM_LIMIT_ROWS,
    PARAM_DRY_RUN,
    PARAM_COUNT,
} ParamId;

static const ParamSpec specs[PARAM_COUNT] = {
    [PARAM_USER_ID] = {"user_id", PARAM_UUID, offsetof(CommandParams, user_id), 0, 0,
                       "a UUID as a string"},
    [PARAM_INACTIVE_HOURS] = {"inactive_hours", PARAM_SPAN, offsetof(CommandParams, inactive_hours),
                              24, HOURS_MAX, "a number above 0 and at most 87600"},
    [PARAM_EXPIRATION_MINUTES] = {"expiration_minutes", PARAM_SPAN,
                                  offsetof(CommandParams, expiration_minutes), 15, MINUTES_MAX,
                                  "a number above 0 and at most 525600"},
    [PARAM_LIMIT_ROWS] = {"limit", PARAM_LIMIT, offsetof(CommandParams, limit), 100,
                          COMMAND_PREVIEW_LIMIT_MAX, "a whole number from 1 to 1000"},
    [PARAM_DRY_RUN] = {"dry_run", PARAM_FLAG, offsetof(CommandParams, dry_run), 0, 0,
                       "true or false"},
};

#define TAKES(id) (1U << (id))

/* A new task is a row here. */
static const struct {
    unsigned takes;
    unsigned requires;
} tasks[COMMAND_TASK_COUNT] = {
    [COMMAND_CLEANUP_INACTIVE_SESSIONS] = {TAKES(PARAM_INACTIVE_HOURS) | TAKES(PARAM_DRY_RUN), 0},
    [COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER] = {TAKES(PARAM_USER_ID) |
                                                        TAKES(PARAM_INACTIVE_HOURS) |
                                                        TAKES(PARAM_DRY_RUN),
                                                    TAKES(PARAM_USER_ID)},
    [COMMAND_GET_INACTIVE_SESSIONS_PREVIEW] = {TAKES(PARAM_USER_ID) | TAKES(PARAM_INACTIVE_HOURS) |
                                                   TAKES(PARAM_LIMIT_ROWS),
                                               0},
    [COMMAND_EXPIRE_PENDING_BOOKINGS] = {TAKES(PARAM_EXPIRATION_MINUTES) | TAKES(PARAM_DRY_RUN), 0},
    [COMMAND_GET_EXPIRED_BOOKINGS_PREVIEW] = {TAKES(PARAM_EXPIRATION_MINUTES) |
                                                  TAKES(PARAM_LIMIT_ROWS),
                                              0},
    [COMMAND_SCHEDULED_CLEANUP] = {TAKES(PARAM_INACTIVE_HOURS) | TAKES(PARAM_EXPIRATION_MINUTES) |
                                       TAKES(PARAM_DRY_RUN),
                                   0},
};

/* What was sent, as JSON cut to a readable length. NULL when out of memory. */
static char *
show(const cJSON *value)
{
    CLEANUP(autofree) char *json = cJSON_PrintUnformatted(value);
    if (json == NULL)
        return NULL;
    const size_t length = strlen(json);
    const size_t cut = utf8_cut(json, length, SHOWN_BYTES);
    StrBuf text = {0};
    strbuf_add(&text, json, cut);
    if (cut < length)
        strbuf_add_text(&text, "…");
    return strbuf_take(&text);
}

static bool
read_uuid(const cJSON *value, char *field)
{
    if (!cJSON_IsString(value) || strlen(value->valuestring) != UUID_TEXT_LENGTH)
        return false;
    for (size_t i = 0; i < UUID_TEXT_LENGTH; i++) {
        const unsigned char character = (unsigned char)value->valuestring[i];
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? character != '-' : !isxdigit(character))
            return false;
    }
    for (size_t i = 0; i < UUID_TEXT_BYTES; i++)
        field[i] = (char)tolower((unsigned char)value->valuestring[i]);
    return true;
}

static bool
read_value(const ParamSpec *spec, const cJSON *value, void *field)
{
    switch (spec->kind) {
    case PARAM_UUID:
        return read_uuid(value, field);
    case PARAM_SPAN:
        if (!cJSON_IsNumber(value) || !(value->valuedouble > 0) || value->valuedouble > spec->max)
            return false;
        *(double *)field = value->valuedouble;
        return true;
    case PARAM_LIMIT:
        if (!cJSON_IsNumber(value) || value->valuedouble < 1 || value->valuedouble > spec->max ||
            value->valuedouble != floor(value->valuedouble))
            return false;
        *(int *)field = (int)value->valuedouble;
        return true;
    case PARAM_FLAG:
        if (!cJSON_IsBool(value))
            return false;
        *(bool *)field = cJSON_IsTrue(value);
        return true;
    }
    return false;
}

static void
set_default(const ParamSpec *spec, void *field)
{
    switch (spec->kind) {
    case PARAM_UUID:
        *(char *)field = '\0';
        return;
    case PARAM_SPAN:
        *(double *)field = spec->initial;
        return;
    case PARAM_LIMIT:
        *(int *)field = (int)spec->initial;
        return;
    case PARAM_FLAG:
        *(bool *)field = false;
        return;
    }
}

static bool
read_param(CommandTask task, ParamId id, const cJSON *object, CommandParams *params, Fault *fault)
{
    const ParamSpec *spec = &specs[id];
    void *field = (char *)params + spec->offset;
    const cJSON *value =
        object != NULL ? cJSON_GetObjectItemCaseSensitive(object, spec->name) : NULL;
    if (value == NULL) {
        set_default(spec, field);
        if ((tasks[task].requires & TAKES(id)) == 0)
            return true;
        return fault_set(fault, ERROR_CODE_MISSING_PARAM, "%s needs the param %s: %s",
                         command_task_name(task), spec->name, spec->takes);
    }
    if (read_value(spec, value, field))
        return true;
    CLEANUP(autofree) char *shown = show(value);
    return fault_set(fault, ERROR_CODE_INVALID_PARAM, "%s is %s, but takes %s", spec->name,
                     shown != NULL ? shown : "?", spec->takes);
}

static bool
check_names(CommandTask task, const cJSON *object, Fault *fault)
{
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        bool taken = false;
        for (int id = 0; id < PARAM_COUNT; id++)
            taken |=
                (tasks[task].takes & TAKES(id)) != 0 && strcmp(member->string, specs[id].name) == 0;
        char quoted[FAULT_QUOTE_BYTES];
        if (!taken)
            return fault_set(fault, ERROR_CODE_UNKNOWN_PARAM, "%s takes no param \"%s\"%s",
                             command_task_name(task), fault_quote(member->string, quoted),
                             wrapping_of_tree(object));
    }
    return true;
}

static bool
check_floors(CommandTask task, const CommandParams *params, const CommandFloors *floors,
             Fault *fault)
{
    if ((tasks[task].takes & TAKES(PARAM_INACTIVE_HOURS)) != 0 &&
        params->inactive_hours < floors->min_inactive_hours)
        return fault_set(fault, ERROR_CODE_BELOW_FLOOR,
                         "inactive_hours is %.15g, but limits.min_inactive_hours asks for %.15g or "
                         "more",
                         params->inactive_hours, floors->min_inactive_hours);
    if ((tasks[task].takes & TAKES(PARAM_EXPIRATION_MINUTES)) != 0 &&
        params->expiration_minutes < floors->min_expiration_minutes)
        return fault_set(
            fault, ERROR_CODE_BELOW_FLOOR,
            "expiration_minutes is %.15g, but limits.min_expiration_minutes asks for %.15g or more",
            params->expiration_minutes, floors->min_expiration_minutes);
    return true;
}

bool
params_read(CommandTask task, const cJSON *object, const CommandFloors *floors,
            CommandParams *ret_params, Fault *fault)
{
    CommandParams params;
    memset(&params, 0, sizeof(params));
    if (object != NULL && !cJSON_IsObject(object))
        return fault_set(fault, ERROR_CODE_NOT_AN_OBJECT, "params takes an object%s",
                         wrapping_of_tree(object));
    if (!check_names(task, object, fault))
        return false;
    for (int id = 0; id < PARAM_COUNT; id++) {
        if ((tasks[task].takes & TAKES(id)) != 0 &&
            !read_param(task, (ParamId)id, object, &params, fault))
            return false;
    }
    if (!check_floors(task, &params, floors, fault))
        return false;
    *ret_params = params;
    return true;
}

const char *
params_name(CommandTask task, size_t index)
{
    for (int id = 0; id < PARAM_COUNT; id++) {
        if ((tasks[task].takes & TAKES(id)) != 0 && index-- == 0)
            return specs[id].name;
    }
    return NULL;
}
