#!/usr/bin/env python3
"""The oracle of test_time_zones: what is older than a cutoff, by Python's zoneinfo, to stdout as lines of
zone, cutoff in UTC, kind of column, value, whether that is older (1 or 0), RFC 3339.

A column holds instants, or local times of a zone. The change of clocks doubles a local time or leaves it out: such a
time counts as the later of the instants it may be, so that its row is kept when in doubt.
"""
import datetime
import sys
import zoneinfo

UTC = datetime.timezone.utc
MICROSECOND = datetime.timedelta(microseconds=1)

# Each change of clocks: its instant, and how long the local time is doubled or left out.
CHANGES = [
    ("Europe/Berlin", "2025-10-26T01:00", 60),
    ("Europe/Berlin", "2026-03-29T01:00", 60),
    ("America/New_York", "2025-11-02T06:00", 60),
    ("America/Los_Angeles", "2026-03-08T10:00", 60),
    ("Australia/Lord_Howe", "2025-04-05T15:00", 30),
    ("Australia/Lord_Howe", "2025-10-04T15:30", 30),
    ("Europe/Dublin", "2025-10-26T01:00", 60),  # whose standard time is that of summer
    ("America/Caracas", "2016-05-01T07:00", 30),  # whose standard time changed
    ("Pacific/Apia", "2011-12-30T10:00", 24 * 60),  # which left out a day
]
# Where nothing changes.
MOMENTS = [
    ("UTC", "2025-11-20T03:04:05.678901"),
    ("Asia/Kolkata", "2025-11-20T03:04:05.678901"),
    ("America/Los_Angeles", "2025-11-20T03:04:05.678901"),
    ("Asia/Kathmandu", "1999-12-31T23:59:59.999999"),
]
# What Python cannot say. Their order of time is plain, and no RFC 3339 says them.
BEYOND = [
    ("-infinity", True), ("infinity", False), ("4713-01-01 00:00:00 BC", True), ("0044-03-15 12:00:00 BC", True),
    ("0001-01-01 12:00:00", True), ("9999-12-31 12:00:00", False), ("294276-12-31 23:59:59.999999", False),
]


def cutoffs():
    for zone, text in MOMENTS:
        yield zone, datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)
    for zone, text, minutes in CHANGES:
        change = datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)
        length = datetime.timedelta(minutes=minutes)
        for offset in (-length, -length / 4, -MICROSECOND, 0 * length, length / 2):
            yield zone, change + offset


def distances(zone, cutoff):
    """How far from the cutoff the rows are."""
    minute = datetime.timedelta(minutes=1)
    offset = abs(cutoff.astimezone(zone).utcoffset())
    narrow = (0, 30, 60)  # where a microsecond more or less matters
    wide = (15, 45, 90, 120, 24 * 60, 48 * 60, 49 * 60, 400 * 24 * 60)
    found = {sign * steps * minute + by for steps in narrow for sign in (-1, 1) for by in (-MICROSECOND, 0 * minute, MICROSECOND)}
    return sorted(found | {sign * step for step in (*(steps * minute for steps in wide), offset) for sign in (-1, 1)})


def instant_of(local, zone):
    """The later one of those that this local time may be; of one that was left out, too."""
    return max(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def text_of(time):
    return time.replace(tzinfo=None).isoformat(" ", "microseconds")


def case(zone, cutoff, kind, value, instant):
    utc = instant.replace(tzinfo=None).isoformat("T", "microseconds") + "Z"
    return f"{zone},{text_of(cutoff)},{kind},{value},{int(instant < cutoff)},{utc}"


def cases():
    for name, cutoff in cutoffs():
        zone = zoneinfo.ZoneInfo(name)
        places = {cutoff + distance for distance in distances(zone, cutoff)}
        for instant in sorted(places):
            yield case(name, cutoff, "instant", text_of(instant) + "+00", instant)
        # An hour of the local clock is not always one of time, so both are gone by.
        wall = cutoff.astimezone(zone).replace(tzinfo=None, fold=0)
        walls = {place.astimezone(zone).replace(tzinfo=None, fold=0) for place in places}
        walls |= {wall + distance for distance in distances(zone, cutoff)}
        for local in sorted(walls):
            yield case(name, cutoff, "local", text_of(local), instant_of(local, zone))
        for kind, suffix in (("instant", "+00"), ("local", "")):
            for value, is_old in BEYOND:
                ending = suffix if value[-1].isdigit() else ""
                yield f"{name},{text_of(cutoff)},{kind},{value}{ending},{int(is_old)},"


if __name__ == "__main__":
    sys.stdout.writelines(line + "\n" for line in cases())
