/*
 * result_view: a result, or the progress of a command, for people's eyes: one row of a table, or a
 * few lines.
 *
 * Owns:      a ResultView owns the parsed JSON; its strings are borrowed from there.
 * Threads:   one at a time.
 * Invariant: whatever the bytes on the topic, no control character of theirs reaches the terminal.
 */
#ifndef WORKER_CLI_RESULT_VIEW_H
#define WORKER_CLI_RESULT_VIEW_H

#include "common/record.h"

#include <cjson/cJSON.h>
#include <stdio.h>

typedef struct ResultView {
    cJSON *json;
    const char *command_id;
    const char *status;
    bool succeeded;
} ResultView;

/* False when the record is no result. */
bool result_view_read(const Record *record, ResultView *ret_view) MUST_CHECK;
/* False when the record is no progress; its status is "running". */
bool result_view_read_progress(const Record *record, ResultView *ret_view) MUST_CHECK;
void result_view_done(ResultView *view);

/* The table: time, status, task, what it did, duration, worker, id. */
void result_view_print_header(FILE *out, bool color);
void result_view_print_row(FILE *out, const ResultView *view, bool color);

/* Status, task and id; the message; the members of `data`, lists one entry a line. */
void result_view_print_summary(FILE *out, const ResultView *view, bool color);

/* Colours are for a terminal whose user did not set NO_COLOR. */
bool result_view_wants_color(FILE *out);

#endif
