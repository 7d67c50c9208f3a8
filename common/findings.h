/*
 * findings: what a look at an environment has found, each with the statement that mends it.
 *
 * Owns:      copies of all texts.
 * Threads:   one at a time.
 * Invariant: findings stay in the order of the walk that made them, so that two walks compare line
 * by line.
 */
#ifndef COMMON_FINDINGS_H
#define COMMON_FINDINGS_H

#include "common/error.h"

#include <stddef.h>
#include <stdio.h>

typedef enum FindingLevel {
    FINDING_OK,
    FINDING_UNKNOWN, /* could not be looked at, and is no reason to stop */
    FINDING_WARN,    /* works, with a consequence that `why` names */
    FINDING_FAIL,    /* must be mended first */
} FindingLevel;

typedef struct Finding {
    FindingLevel level;
    const char *code;     /* static; the same for the same kind of finding, for programs */
    const char *subject;  /* what was looked at, a word or two: "index", "cleanup.commands" */
    const char *what;     /* one sentence or less: what was found */
    const char *why;      /* what it means for the user; NULL where `what` says it all */
    const char *mend;     /* statements that mend it, a line each; NULL: nothing to run */
    const char *concerns; /* static; what alone waits for it: "sessions"; NULL: everything */
} Finding;

/* Begins as {0}. */
typedef struct Findings {
    Finding *list;
    size_t count;
    size_t room;
} Findings;

/* Copies the finding to the end. Fails only when out of memory (ERROR_FATAL). */
bool findings_add(Findings *findings, const Finding *finding, Error *err) MUST_CHECK;

/* Whether it is of that kind. */
bool finding_is(const Finding *finding, const char *code);

/* How many there are of a level. */
size_t findings_count(const Findings *findings, FindingLevel level);

/* The first of the level; NULL when there is none. Borrowed. */
const Finding *findings_first(const Findings *findings, FindingLevel level);

/* For people: what each says within 80 columns, then its statements as they are. `least` leaves out
 * what is below that level. */
void findings_print(const Findings *findings, FindingLevel least, FILE *out);

/* For programs: one JSON object a line. False when out of memory. */
bool findings_print_json(const Findings *findings, FindingLevel least, FILE *out) MUST_CHECK;

/* "OK", "?", "WARN" or "FAIL"; static. */
const char *finding_level_name(FindingLevel level);

/* Frees all and leaves {0}. */
void findings_done(Findings *findings);

#endif
