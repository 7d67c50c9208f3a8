#include "common/bug.h"

#include "common/log.h"

void
bug_transition(const char *machine, const char *from, const char *to)
{
    log_error("a bug: this state cannot follow that one", LOG_STR("machine", machine),
              LOG_STR("from", from), LOG_STR("to", to));
    abort();
}
