#include "worker/task/batch_size.h"

enum {
    TRIPS = 6, /* to the server while locks are held, however few the rows */
};

int
batch_size_next(int rows, const BatchTime *time, int aim_ms, int most)
{
    const int64_t rows_ms = time->locked_ms - TRIPS * time->round_trip_ms;
    int next = rows;
    if (rows_ms > aim_ms)
        next = rows / 2;
    else if (rows_ms < aim_ms / 2 && time->locked_ms < aim_ms)
        next = rows * 2;
    if (next < 1)
        return 1;
    return next < most ? next : most;
}
