/* What the members of a group have, as the broker's description of the group tells. */
#include "common/kafka/kafka_private.h"

/* What is left to be read of a member's assignment, in Kafka's consumer protocol:
 * INT16 version, then an array of (STRING topic, array of INT32 partition). */
typedef struct Rest {
    const unsigned char *at;
    size_t size;
} Rest;

static bool
skip(Rest *rest, size_t size)
{
    if (rest->size < size)
        return false;
    rest->at += size;
    rest->size -= size;
    return true;
}

/* A big-endian number of that many bytes, which is not negative. */
static bool
read_count(Rest *rest, size_t size, size_t *ret_count)
{
    const unsigned char *bytes = rest->at;
    size_t count = 0;
    if (!skip(rest, size) || (bytes[0] & 0x80U) != 0)
        return false;
    for (size_t i = 0; i < size; i++)
        count = count << 8U | bytes[i];
    *ret_count = count;
    return true;
}

/* False too when it cannot be read. */
static bool
is_without_partitions(const void *assignment, int size)
{
    Rest rest = {assignment, size > 0 ? (size_t)size : 0};
    size_t topics;
    if (rest.size == 0)
        return true;
    if (!skip(&rest, sizeof(int16_t)) || !read_count(&rest, sizeof(int32_t), &topics))
        return false;
    for (size_t i = 0; i < topics; i++) {
        size_t name_size;
        size_t partitions;
        if (!read_count(&rest, sizeof(int16_t), &name_size) || !skip(&rest, name_size) ||
            !read_count(&rest, sizeof(int32_t), &partitions) || partitions > 0)
            return false;
    }
    return true;
}

bool
kafka_members_are_idle(const struct rd_kafka_group_info *group)
{
    if (group->err != RD_KAFKA_RESP_ERR_NO_ERROR || group->state == NULL ||
        strcmp(group->state, "Stable") != 0)
        return false;
    for (int i = 0; i < group->member_cnt; i++) {
        const struct rd_kafka_group_member_info *member = &group->members[i];
        if (!is_without_partitions(member->member_assignment, member->member_assignment_size))
            return false;
    }
    return true;
}
