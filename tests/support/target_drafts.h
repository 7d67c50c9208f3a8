/*
 * target_drafts: a third target, over a table of its own, as a task of the product would have it.
 *
 * Threads: any.
 */
#ifndef TESTS_SUPPORT_TARGET_DRAFTS_H
#define TESTS_SUPPORT_TARGET_DRAFTS_H

#include "worker/task/target.h"

/* drafts (draft_id bigint, updated_at timestamp): those that were not touched for inactive_hours
 * are deleted. */
extern const Target target_drafts;

#endif
