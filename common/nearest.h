/*
 * nearest: of some words, the one that was probably meant by a word that is none of them.
 *
 * Owns:      nothing; all words are borrowed.
 * Threads:   any, one Nearest at a time.
 * Invariant: a word is found only when a third of its letters or fewer differ.
 */
#ifndef COMMON_NEAREST_H
#define COMMON_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Nearest {
    const char *given;
    const char *word; /* the nearest so far, or NULL */
    size_t distance;  /* of that one */
} Nearest;

void nearest_begin(Nearest *nearest, const char *given);

/* Compares the given word with `compared` and keeps `word` when that is nearer than all before:
 * then true. */
bool nearest_offer(Nearest *nearest, const char *compared, const char *word);

/* Writes "; did you mean <word>?" into `text`, or nothing when no word is near. Returns `text`. */
const char *nearest_hint(const Nearest *nearest, char *text, size_t size);

/* How many letters have to be put in, taken out, replaced or swapped with their neighbour to get
 * from one word to the other, without regard to case. Words of more than 63 letters: SIZE_MAX. */
size_t nearest_distance(const char *from, const char *to);

#endif
