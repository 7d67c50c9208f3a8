#include "common/text.h"

#include <string.h>

bool
text_copy(const char *text, char **ret_copy, Error *err)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return error_out_of_memory(err);
    *ret_copy = copy;
    return true;
}
