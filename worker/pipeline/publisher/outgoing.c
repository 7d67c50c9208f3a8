#include "worker/pipeline/publisher/outgoing.h"

void
outgoing_free(Outgoing *item)
{
    if (item == NULL)
        return;
    lane_unref(item->lane);
    record_free(item->source);
    free(item->result);
    free(item->reason);
    free(item);
}

size_t
outgoing_size(const Outgoing *item)
{
    return sizeof(*item) + (item->result != NULL ? strlen(item->result) : 0) +
           record_size(item->source);
}

void
outgoing_list_add(OutgoingList *list, Outgoing *item)
{
    item->next = NULL;
    *(list->last != NULL ? &list->last->next : &list->first) = item;
    list->last = item;
    list->count++;
}

Outgoing *
outgoing_list_take(OutgoingList *list)
{
    Outgoing *item = list->first;
    if (item == NULL)
        return NULL;
    list->first = item->next;
    if (list->first == NULL)
        list->last = NULL;
    list->count--;
    item->next = NULL;
    return item;
}

void
outgoing_list_append(OutgoingList *list, OutgoingList *tail)
{
    if (tail->first == NULL)
        return;
    *(list->last != NULL ? &list->last->next : &list->first) = tail->first;
    list->last = tail->last;
    list->count += tail->count;
    *tail = (OutgoingList){0};
}
