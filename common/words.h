/*
 * words: a choice between words, written "a|b|c".
 *
 * Threads: any.
 */
#ifndef COMMON_WORDS_H
#define COMMON_WORDS_H

/* The index of `text`, in any case, among the words, or -1. */
int words_index(const char *words, const char *text);

#endif
