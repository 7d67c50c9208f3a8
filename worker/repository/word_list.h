/*
 * word_list: the words of an option that takes several, with commas between them.
 *
 * Threads: any.
 */
#ifndef WORKER_REPOSITORY_WORD_LIST_H
#define WORKER_REPOSITORY_WORD_LIST_H

#include "common/pg/pg_array.h"

/* Adds each word, without the blanks before it, to an array of PG_TEXT. Blanks behind a word belong
 * to it: a stored value may end in some. NULL counts as no word. */
void word_list_add(PgArray *words, const char *list);

#endif
