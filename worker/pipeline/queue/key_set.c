#include "worker/pipeline/queue/key_set.h"

#include <stdint.h>
#include <string.h>

enum {
    /* A few thousand keys at most are in work at a time, so the table never grows. */
    BUCKETS = 4096,
};

typedef struct Node {
    struct Node *next;
    char key[];
} Node;

struct KeySet {
    Node *buckets[BUCKETS];
};

KeySet *
key_set_new(void)
{
    return calloc(1, sizeof(KeySet));
}

/* FNV-1a. */
static size_t
bucket_of(const char *key)
{
    uint32_t hash = 2166136261U;
    for (const char *at = key; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    return hash % BUCKETS;
}

bool
key_set_contains(const KeySet *set, const char *key)
{
    for (const Node *node = set->buckets[bucket_of(key)]; node != NULL; node = node->next) {
        if (strcmp(node->key, key) == 0)
            return true;
    }
    return false;
}

bool
key_set_add(KeySet *set, const char *key)
{
    if (key_set_contains(set, key))
        return false;
    const size_t size = strlen(key) + 1;
    Node *node = malloc(sizeof(*node) + size);
    if (node == NULL)
        return false;
    memcpy(node->key, key, size);
    Node **bucket = &set->buckets[bucket_of(key)];
    node->next = *bucket;
    *bucket = node;
    return true;
}

void
key_set_remove(KeySet *set, const char *key)
{
    for (Node **at = &set->buckets[bucket_of(key)]; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->key, key) != 0)
            continue;
        Node *gone = *at;
        *at = gone->next;
        free(gone);
        return;
    }
}

void
key_set_free(KeySet *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (set->buckets[i] != NULL) {
            Node *gone = set->buckets[i];
            set->buckets[i] = gone->next;
            free(gone);
        }
    }
    free(set);
}
