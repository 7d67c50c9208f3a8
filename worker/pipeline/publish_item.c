#include "worker/pipeline/publish_item.h"

void
publish_item_free(PublishItem *item)
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
publish_item_size(const PublishItem *item)
{
    return sizeof(*item) + (item->result != NULL ? strlen(item->result) : 0) +
           record_size(item->source);
}

void
publish_list_add(PublishList *list, PublishItem *item)
{
    item->next = NULL;
    *(list->last != NULL ? &list->last->next : &list->first) = item;
    list->last = item;
    list->count++;
}

PublishItem *
publish_list_take(PublishList *list)
{
    PublishItem *item = list->first;
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
publish_list_append(PublishList *list, PublishList *tail)
{
    if (tail->first == NULL)
        return;
    *(list->last != NULL ? &list->last->next : &list->first) = tail->first;
    list->last = tail->last;
    list->count += tail->count;
    *tail = (PublishList){0};
}
