/*
 * records.h: what the tests of outgoing records share.
 *
 * Threads: one at a time.
 */
#ifndef TESTS_UNIT_MESSAGE_RECORDS_H
#define TESTS_UNIT_MESSAGE_RECORDS_H

#include "common/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static inline void
assert_header(const Record *record, const char *name, const char *value)
{
    const RecordHeader *header = record_header(record, name);
    if (header == NULL)
        fail_msg("there is no header %s", name);
    else
        assert_string_equal(header->value.data, value);
}

/* A record of an event about command "c-1" of worker "host-1", with the trace of its source. */
static inline void
assert_event(const Record *record, const char *id, const char *type, const char *time)
{
    assert_non_null(record);
    assert_string_equal(record->topic, "cleanup.results");
    assert_int_equal(record->partition, -1);
    assert_string_equal(record->key.data, "c-1");
    assert_string_equal(record->value.data, "{}");
    assert_int_equal(record->header_count, 8);
    assert_header(record, "ce_specversion", "1.0");
    assert_header(record, "ce_id", id);
    assert_header(record, "ce_type", type);
    assert_header(record, "ce_source", "cleanup-worker/host-1");
    assert_header(record, "ce_time", time);
    assert_header(record, "content-type", "application/json");
    assert_header(record, "traceparent", "00-a-b-01");
    assert_header(record, "tracestate", "v=1");
}

#endif
