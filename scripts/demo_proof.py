#!/usr/bin/env python3
"""Compares the rows that were counted before and after the demo with the sums over its result stream.

Usage: demo_proof.py RESULTS.jsonl BEFORE AFTER ACTIVE
BEFORE, AFTER: sessions|images|videos|pending bookings|expired bookings
ACTIVE: sessions of active users kept|lost, inactive sessions left over
"""
import json
import sys

PREVIEWS = {"get_inactive_sessions_preview", "get_expired_bookings_preview"}
COUNTS = ("deleted_sessions", "deleted_image_records", "deleted_video_records", "expired_bookings")


def changes(result):
    """The parts of a result's data that stand for changed rows."""
    message = result["message"] or ""
    if result["task"] in PREVIEWS or message.startswith("Would ") or not result["data"]:
        return []
    data = result["data"]
    return [data.get("session_cleanup") or {}, data.get("booking_expiration") or {}, data]


def numbers(text):
    return [int(word) for word in text.strip().split("|")]


def main():
    path, before, after, active = sys.argv[1], *map(numbers, sys.argv[2:5])
    with open(path, encoding="utf-8") as file:
        results = [json.loads(line) for line in file]
    said = {name: 0 for name in COUNTS}
    for result in results:
        for part in changes(result):
            for name in COUNTS:
                said[name] += part.get(name) or 0

    counted = [b - a for b, a in zip(before[:4], after[:4])]
    rows = [(name, s, c) for (name, s), c in zip(said.items(), counted)]
    rows.append(("bookings now Expired", said["expired_bookings"], after[4] - before[4]))
    rows.append(("sessions of active users lost", 0, active[1]))
    rows.append(("inactive sessions left over", 0, active[2]))
    print(f"{'':32}{'results say':>12}{'counted':>12}")
    wrong = 0
    for name, expected, found in rows:
        wrong += expected != found
        print(f"{name:32}{expected:>12}{found:>12}  {'ok' if expected == found else 'WRONG'}")

    statuses = sorted(result["status"] for result in results)
    print(f"{len(results)} results: " + ", ".join(f"{statuses.count(s)} {s}" for s in sorted(set(statuses))))
    print(f"{active[0]} sessions of active users were kept")
    if statuses.count("rejected") != 1 or statuses.count("succeeded") != len(results) - 1:
        print("expected one rejected result, all others succeeded")
        wrong += 1
    if min(said.values()) == 0 or active[0] == 0:
        print("the sample proves nothing: a count is 0")
        wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
