/* A command as plain JSON. */
#include "worker/message/draft.h"
#include "worker/message/wrapping.h"

#include <string.h>

static const struct {
    const char *name;
    DraftTake take;
} members[] = {
    {"command_id", draft_take_id},
    {"task", draft_take_task},
    {"requested_by", draft_take_requested_by},
    {"requested_at", draft_take_requested_at},
    {"expires_at", draft_take_expires_at},
};

static void
read_member(Draft *draft, const cJSON *root, const cJSON *member)
{
    if (strcmp(member->string, "params") == 0) {
        if (!cJSON_IsNull(member))
            draft->params = member;
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (strcmp(member->string, members[i].name) != 0)
            continue;
        if (cJSON_IsString(member))
            members[i].take(draft, members[i].name, member->valuestring);
        else if (!cJSON_IsNull(member))
            draft_fault(draft, ERROR_CODE_INVALID_MEMBER, "%s takes a string", members[i].name);
        return;
    }
    char quoted[FAULT_QUOTE_BYTES];
    draft_fault(draft, ERROR_CODE_UNKNOWN_MEMBER, "a command has no member \"%s\"%s",
                fault_quote(member->string, quoted), wrapping_of_tree(root));
}

void
draft_read_plain(Draft *draft, const cJSON *root)
{
    if (!cJSON_IsObject(root)) {
        draft_fault(draft, ERROR_CODE_NOT_AN_OBJECT, "a command is a JSON object%s",
                    wrapping_of_tree(root));
        return;
    }
    const cJSON *member;
    cJSON_ArrayForEach(member, root)
    {
        read_member(draft, root, member);
    }
}
