#include "common/offsets/offset_tracker.h"

#include <inttypes.h>
#include <string.h>

enum {
    TRACKER_FIRST_CAPACITY = 64,
};

typedef enum EntryState { ENTRY_STARTED, ENTRY_OFFERED, ENTRY_FINISHED } EntryState;

typedef struct Entry {
    int64_t offset;
    EntryState state;
} Entry;

/* A ring in ascending order of offset; its first entry is never finished. */
struct OffsetTracker {
    Entry *ring;
    size_t capacity; /* a power of two, or 0 */
    size_t head;
    size_t count;
    size_t unfinished; /* offered ones too */
    int64_t position;
    OffsetRun *resumed; /* finished in an earlier assignment */
    size_t resumed_count;
    size_t resumed_next; /* the first that does not lie below the position */
};

OffsetTracker *
offset_tracker_new(void)
{
    OffsetTracker *tracker = calloc(1, sizeof(*tracker));
    if (tracker != NULL)
        tracker->position = OFFSET_TRACKER_NONE;
    return tracker;
}

void
offset_tracker_free(OffsetTracker *tracker)
{
    if (tracker == NULL)
        return;
    free(tracker->ring);
    free(tracker->resumed);
    free(tracker);
}

bool
offset_tracker_resume(OffsetTracker *tracker, int64_t committed, const char *metadata)
{
    tracker->position = committed;
    return offset_ahead_decode(committed, metadata, &tracker->resumed, &tracker->resumed_count);
}

static Entry *
entry_at(const OffsetTracker *tracker, size_t index)
{
    return &tracker->ring[(tracker->head + index) & (tracker->capacity - 1)];
}

static bool
ring_grow(OffsetTracker *tracker)
{
    const size_t capacity = tracker->capacity > 0 ? tracker->capacity * 2 : TRACKER_FIRST_CAPACITY;
    Entry *ring = calloc(capacity, sizeof(*ring));
    if (ring == NULL)
        return false;
    for (size_t i = 0; i < tracker->count; i++)
        ring[i] = *entry_at(tracker, i);
    free(tracker->ring);
    tracker->ring = ring;
    tracker->capacity = capacity;
    tracker->head = 0;
    return true;
}

static void
ring_drop_finished(OffsetTracker *tracker)
{
    while (tracker->count > 0 && entry_at(tracker, 0)->state == ENTRY_FINISHED) {
        tracker->head = (tracker->head + 1) & (tracker->capacity - 1);
        tracker->count--;
    }
}

static bool
was_finished(OffsetTracker *tracker, int64_t offset)
{
    while (tracker->resumed_next < tracker->resumed_count &&
           tracker->resumed[tracker->resumed_next].last < offset)
        tracker->resumed_next++;
    return tracker->resumed_next < tracker->resumed_count &&
           tracker->resumed[tracker->resumed_next].first <= offset;
}

OffsetStart
offset_tracker_start(OffsetTracker *tracker, int64_t offset)
{
    if (offset < tracker->position)
        return OFFSET_BELOW;
    if (tracker->count == tracker->capacity && !ring_grow(tracker))
        return OFFSET_OUT_OF_MEMORY;
    const bool finished = was_finished(tracker, offset);
    *entry_at(tracker, tracker->count) =
        (Entry){.offset = offset, .state = finished ? ENTRY_FINISHED : ENTRY_STARTED};
    tracker->count++;
    tracker->unfinished += !finished;
    tracker->position = offset + 1;
    ring_drop_finished(tracker);
    return finished ? OFFSET_WAS_FINISHED : OFFSET_STARTED;
}

/* Where the entry is when no offset is missing below it. */
static bool
ring_guess(const OffsetTracker *tracker, int64_t offset, size_t *ret_index)
{
    const int64_t index = tracker->count > 0 ? offset - entry_at(tracker, 0)->offset : -1;
    if (index < 0 || index >= (int64_t)tracker->count ||
        entry_at(tracker, (size_t)index)->offset != offset)
        return false;
    *ret_index = (size_t)index;
    return true;
}

/* The index of the first entry at or above `offset`; `count` when there is none. */
static size_t
ring_find(const OffsetTracker *tracker, int64_t offset)
{
    size_t low = 0;
    if (ring_guess(tracker, offset, &low))
        return low;
    size_t high = tracker->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (entry_at(tracker, middle)->offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static Entry *
ring_entry(const OffsetTracker *tracker, int64_t offset)
{
    const size_t index = ring_find(tracker, offset);
    if (index == tracker->count || entry_at(tracker, index)->offset != offset)
        return NULL;
    return entry_at(tracker, index);
}

bool
offset_tracker_finish(OffsetTracker *tracker, int64_t offset, Error *err)
{
    /* What lies below the ring has been finished before and is forgotten. */
    if (tracker->position != OFFSET_TRACKER_NONE && offset < offset_tracker_committable(tracker))
        return true;
    Entry *entry = ring_entry(tracker, offset);
    if (entry == NULL)
        return error_set(err, REASON_OFFSET_UNKNOWN,
                         "offset %" PRId64 " is finished but was never started", offset);
    if (entry->state == ENTRY_FINISHED)
        return true;
    entry->state = ENTRY_FINISHED;
    tracker->unfinished--;
    ring_drop_finished(tracker);
    return true;
}

static void
change_state(OffsetTracker *tracker, int64_t offset, EntryState from, EntryState to)
{
    Entry *entry = ring_entry(tracker, offset);
    if (entry != NULL && entry->state == from)
        entry->state = to;
}

void
offset_tracker_offer(OffsetTracker *tracker, int64_t offset)
{
    change_state(tracker, offset, ENTRY_STARTED, ENTRY_OFFERED);
}

void
offset_tracker_withdraw(OffsetTracker *tracker, int64_t offset)
{
    change_state(tracker, offset, ENTRY_OFFERED, ENTRY_STARTED);
}

bool
offset_tracker_is_offered(const OffsetTracker *tracker, int64_t offset)
{
    const Entry *entry = ring_entry(tracker, offset);
    return entry != NULL && entry->state == ENTRY_OFFERED;
}

/* The runs of what is finished, with the first `offers` of the offers, above the first offset that
 * is not; *ret_base is that one. `runs` has room for all. Returns how many there are. */
static size_t
collect_runs(const OffsetTracker *tracker, size_t offers, OffsetRun *runs, int64_t *ret_base)
{
    size_t count = 0;
    bool open = false; /* the last run goes on */
    int64_t base = OFFSET_TRACKER_NONE;
    for (size_t i = 0; i < tracker->count; i++) {
        const Entry *entry = entry_at(tracker, i);
        const bool offered = entry->state == ENTRY_OFFERED && offers > 0;
        offers -= offered;
        if (entry->state != ENTRY_FINISHED && !offered) {
            base = base == OFFSET_TRACKER_NONE ? entry->offset : base;
            open = false;
        } else if (base != OFFSET_TRACKER_NONE) {
            if (!open)
                runs[count++].first = entry->offset;
            runs[count - 1].last = entry->offset;
            open = true;
        }
    }
    base = base == OFFSET_TRACKER_NONE ? tracker->position : base;
    for (size_t i = tracker->resumed_next; i < tracker->resumed_count; i++) {
        const OffsetRun *run = &tracker->resumed[i];
        if (run->last >= tracker->position)
            runs[count++] = (OffsetRun){
                run->first > tracker->position ? run->first : tracker->position, run->last};
    }
    *ret_base = base;
    return count;
}

static size_t
count_offers(const OffsetTracker *tracker)
{
    size_t offers = 0;
    for (size_t i = 0; i < tracker->count; i++)
        offers += entry_at(tracker, i)->state == ENTRY_OFFERED;
    return offers;
}

static void
withdraw_above(OffsetTracker *tracker, size_t offers)
{
    for (size_t i = 0; i < tracker->count; i++) {
        Entry *entry = entry_at(tracker, i);
        if (entry->state != ENTRY_OFFERED)
            continue;
        if (offers > 0)
            offers--;
        else
            entry->state = ENTRY_STARTED;
    }
}

bool
offset_tracker_plan(OffsetTracker *tracker, size_t max_bytes, OffsetPlan *ret_plan, Error *err)
{
    CLEANUP(autofree)
    OffsetRun *runs = calloc(tracker->count + tracker->resumed_count + 1, sizeof(*runs));
    if (runs == NULL)
        return error_out_of_memory(err);
    /* Half of them, and again, until the rest fits: it is rare, and the rest has its turn later. */
    for (size_t offers = count_offers(tracker);; offers /= 2) {
        const size_t count = collect_runs(tracker, offers, runs, &ret_plan->offset);
        const size_t fitting =
            offset_ahead_encode(ret_plan->offset, runs, count, max_bytes, ret_plan->metadata);
        ret_plan->is_cut = fitting < count;
        if (!ret_plan->is_cut || offers == 0) {
            withdraw_above(tracker, offers);
            return true;
        }
    }
}

int64_t
offset_tracker_committable(const OffsetTracker *tracker)
{
    return tracker->count > 0 ? entry_at(tracker, 0)->offset : tracker->position;
}

size_t
offset_tracker_in_flight(const OffsetTracker *tracker)
{
    return tracker->unfinished;
}

size_t
offset_tracker_finished_ahead(const OffsetTracker *tracker)
{
    return tracker->count - tracker->unfinished;
}
