"""Judges a settled campaign: every promise of the product is a function here, every breach a violation with its ids."""
import collections
import datetime
import json

import poison
from commands import LAST
from evidence import COUNTS, Evidence

ACTOR = "cleanup-worker"
INACTIVE = """
    SELECT s.id FROM sessions s
    WHERE s.created_at < now() AT TIME ZONE 'UTC' - interval '25 hours'
      AND NOT EXISTS (SELECT FROM messages m WHERE m.user_id = s.user_id AND m.sender = 'user'
                                               AND m."timestamp" >= now() AT TIME ZONE 'UTC' - interval '25 hours')"""
OVERDUE = """
    SELECT booking_id FROM bookings
    WHERE status = 'Pending' AND created_at < now() AT TIME ZONE 'UTC' - interval '20 minutes'"""
SLACK = datetime.timedelta(seconds=1)  # from a time that is taken to the commit that shows it
KIND_OF_COUNT = dict(zip(("session", "image", "video", "expired"), COUNTS))


def judge(world, traffics):
    """Adds what is wrong to the world's violations and returns the evidence."""
    evidence = Evidence(world)
    add = world.violations.add
    _every_id_once(evidence, add, world.delivery)
    _every_source_answered(evidence, add)
    _rejected_once(evidence, add, world.delivery)
    _bytes_of_the_ledger(evidence, add)
    _statuses(evidence, add)
    _effects_once(evidence, add)
    _sums(evidence, add)
    _nothing_wrong_touched(evidence, add)
    _all_or_nothing(evidence, add)
    _skips(evidence, add)
    _application_kept(world, evidence, traffics, add)
    _nothing_left_to_do(world, evidence, add)
    _offsets(evidence, add, world)
    return evidence


def _every_id_once(evidence, add, delivery):
    """ids sent = ids in the ledger (but rejected) = ids on the results topic, each once."""
    sent = evidence.sent_ids()
    rejected = {result.command_id for result in evidence.results if result.status == "rejected"}
    in_reach = {name for name, sources in sent.items() if not all(map(evidence.is_buried, sources))}
    if lost := in_reach - rejected - set(evidence.ledger):
        add("lost", "commands that never reached the ledger", lost)
    if missing := set(evidence.ledger) - set(evidence.by_id) - evidence.abandoned - set(evidence.unpublished):
        add("missing_result", "commands of the ledger without a result", missing)
    if unknown := set(evidence.by_id) - set(evidence.ledger) - rejected:
        add("lost", "results of commands that the ledger does not know", unknown)
    if delivery == "exactly_once":
        doubled = {name for name, found in evidence.by_id.items() if len(found) > 1 and name not in rejected
                   and not all(evidence.acts.may_come_again(result.source) for result in found)}
        if doubled:
            first = min(doubled, key=lambda name: evidence.by_id[name][-1].published_ms)
            add("doubled_result", f"commands with more than one result, the first of them {first}: "
                f"{[str(result) for result in evidence.by_id[first]]}", doubled)


def _every_source_answered(evidence, add):
    """Commands without an id are known by their place; and a ledger row by the place it came from."""
    answered = {result.source for result in evidence.results}
    named = {source for sources in evidence.sent_ids().values() for source in sources}
    if missing := {source for source in set(evidence.commands) - named - answered if not evidence.is_buried(source)}:
        add("lost", "commands without id and without a result (generation, partition, offset)", missing)
    if unknown := answered - set(evidence.commands):
        add("doubled_result", "results of commands that were never sent (generation, partition, offset)", unknown)


def _rejected_once(evidence, add, delivery):
    """A rejection once for its offset, with one dead letter; nothing else is a dead letter."""
    rejected = collections.Counter(result.source for result in evidence.results if result.status == "rejected")
    letters = collections.Counter(evidence.letter_source(letter) for letter in evidence.dead_letters)
    unseen = {result.source for result in evidence.results if result.status == "rejected"
              and evidence.acts.was_unseen(result.published_ms)}
    if delivery == "at_least_once":  # a dead letter may still have been on its way when the command's topic went
        unseen |= set(filter(evidence.is_buried, rejected))
    if differ := (set(rejected) ^ set(letters)) - (unseen - set(letters)):
        add("dead_letter", "rejections without dead letter, or dead letters without rejection (generation, partition, offset)",
            differ)
    if delivery == "exactly_once":
        if doubled := {source for source, count in (rejected | letters).items()
                       if count > 1 and not evidence.acts.may_come_again(source)}:
            add("doubled_result", "rejected or dead-lettered more than once (generation, partition, offset)", doubled)


def _bytes_of_the_ledger(evidence, add):
    differ = {name for name, row in evidence.ledger.items()
              if any(result.bytes != row[4] for result in evidence.by_id.get(name, ()))}
    if differ:
        add("bytes_differ", "results that are not what the ledger stores", differ)
    if strayed := {result.command_id for result in evidence.results if result.key != result.command_id}:
        add("bytes_differ", "results whose key is not their command's id", strayed)


def _statuses(evidence, add):
    """An outage is never a command's failure, and nothing stays under way."""
    for status in ("failed", "blocked", "cancelled"):
        if found := {result.command_id for result in evidence.results if result.status == status}:
            messages = {result.message for result in evidence.results if result.status == status}
            add("failed", f"commands that ended as {status}: {sorted(messages)[:3]}", found)
    if running := {name for name, row in evidence.ledger.items() if row[1] == "running"} - evidence.abandoned:
        add("missing_result", "commands that the ledger still calls running", running)
    for table, rows in evidence.left_over.items():
        if rows:
            add("left_over", f"{rows} rows are left in cleanup_worker.{table}")


def _effects_once(evidence, add):
    """A row goes, or expires, once; and no two results claim the same booking."""
    touched = collections.Counter((row[0], row[1]) for row in evidence.touched if row[0] != "status")
    if doubled := {f"{kind} {name}" for (kind, name), count in touched.items() if count > 1}:
        add("doubled_effect", "rows touched more than once", doubled)
    claims = collections.Counter(booking for found in evidence.by_id.values() for booking in found[-1].booking_ids()
                                 if evidence.changes_rows(found[-1]))
    if doubled := {booking for booking, count in claims.items() if count > 1}:
        add("doubled_effect", "bookings that more than one result claims", doubled)
    if strange := {row[4] for row in evidence.touched if row[0] != "status" and not row[4].startswith(ACTOR)}:
        add("harness", "somebody else than a worker touched rows", strange)


def _sums(evidence, add):
    """Sums over the result stream, and what went unpublished with its topic, are what has gone, in all and for no user more than went of him."""
    said, users = evidence.counts_unfinished(), collections.Counter()
    for result in [found[-1] for found in evidence.by_id.values()] + list(evidence.unpublished.values()):
        if evidence.changes_rows(result):
            said.update(dict(zip(COUNTS, result.counts())))
            if "user_id" in result.data:
                users[result.data["user_id"]] += result.data["deleted_sessions"]
    done = collections.Counter(KIND_OF_COUNT[row[0]] for row in evidence.touched if row[0] in KIND_OF_COUNT)
    for name in COUNTS:
        if said[name] != done[name]:
            add("doubled_effect", f"{name}: the results say {said[name]}, {done[name]} rows were touched")
    gone = collections.Counter(row[2] for row in evidence.touched if row[0] == "session")
    if over := {user for user, count in users.items() if count > gone[user]}:
        add("doubled_effect", "users of whom results claim more sessions than went", over)


def _nothing_wrong_touched(evidence, add):
    for reason in sorted({row[3] for row in evidence.touched if row[3]}):
        found = {row[1] for row in evidence.touched if row[3] == reason}
        add("wrongly_touched", f"went or expired although {reason}", found)


def _all_or_nothing(evidence, add):
    """A session goes with all its records, or none of them goes."""
    sessions = {row[1]: row[5] for row in evidence.touched if row[0] == "session"}
    if halves := {row[2] for row in evidence.touched if row[0] in ("image", "video") and sessions.get(row[2]) != row[5]}:
        add("halved", "sessions that were left, or went otherwise, when records of theirs went", halves)


def _skips(evidence, add):
    """What a result skipped is what it gives reasons for, and but for locks only what a trigger refused at that time."""
    for found in evidence.by_id.values():
        result = found[-1]
        if result.data is None or not evidence.changes_rows(result):
            continue
        for half in result.halves():
            reasons = half.get("skipped_reasons", [])
            skipped = half.get("skipped_sessions", half.get("skipped_bookings", 0))
            if sum(entry["count"] for entry in reasons) != skipped:
                add("skips", f"{skipped} rows were skipped for the reasons {reasons}", [result.command_id])
            for entry in reasons:
                if entry["reason"] != "locked" and (fault := _unfounded(evidence, result, half, entry)):
                    add("skips", f"{fault}: {entry}", [result.command_id])


def _unfounded(evidence, result, half, entry):
    """What is wrong with a reason; None when it is true."""
    refused = {row[0] for row in evidence.poison if (row[1] == "booking") == ("skipped_bookings" in half)
               and poison.cause(row[2]) == poison.said_cause(entry)
               and row[3] <= result.finished_at and (row[4] is None or result.started_at <= row[4] + SLACK)}
    if entry["count"] > len(refused):
        return f"a trigger refused no more than {len(refused)} such rows"
    if entry["example"] not in refused:
        return "no trigger refused the example"
    if entry["example"] in (entry["message"] or ""):
        return "the message names a row"
    return None


def only_poisoned_left(world, prefix):
    """Nobody was in the way of the last clean-ups but triggers: all else is gone, and what they refused is named."""
    add = world.violations.add
    results = [json.loads(row[0]) for row in world.rows(
        "SELECT result FROM cleanup_worker.ledger WHERE command_id LIKE %s AND result IS NOT NULL", prefix + "-%")]
    for word, sql in (("sessions", INACTIVE), ("bookings", OVERDUE)):
        left = {row[0] for row in world.rows(sql)}
        refused = {row[0]: row[1] for row in world.rows(poison.OPEN, word == "bookings")}
        if spared := left - set(refused):
            add("not_done", f"{word} that are left though nothing refuses them", spared)
        wanted = collections.Counter(poison.cause(refused[name]) for name in left & set(refused))
        said = collections.Counter()
        for data in (result["data"] for result in results if f"skipped_{word}" in (result["data"] or {})):
            for entry in data.get("skipped_reasons", []):
                said[poison.said_cause(entry)] += entry["count"]
        if said != wanted:
            add("skips", f"{word} that triggers refuse: {dict(wanted)}; the last results say {dict(said)}", left)


def _application_kept(world, evidence, traffics, add):
    """What the application was told is written is there, unless a clean-up took it with its session."""
    gone = {(row[0], row[1]) for row in evidence.touched}
    kept = {
        "messages": {row[0] for row in world.rows("SELECT content FROM messages WHERE content LIKE 'message-%%'")},
        "sessions": {row[0] for row in world.rows("SELECT id FROM sessions WHERE id LIKE 'young-%%'")},
        "images": {row[0] for row in world.rows('SELECT id FROM "imageSent"')},
        "confirmed": {row[0] for row in world.rows("SELECT booking_id FROM bookings WHERE status = 'Confirmed'")},
    }
    for name, found in kept.items():
        written = set().union(*(getattr(traffic, name) for traffic in traffics))
        lost = {item for item in written - found if name != "images" or ("image", str(item)) not in gone}
        if lost:
            add("application", f"writes of the application that were lost: {name}", lost)


def _nothing_left_to_do(world, evidence, add):
    """The last clean-ups ran with nobody in their way, so nothing inactive and nothing overdue is left."""
    last = {name: found[-1] for name, found in evidence.by_id.items() if name.startswith(LAST)}
    if not_run := {name for name, result in last.items() if result.status != "succeeded"}:
        add("not_done", f"last clean-ups that did not succeed: {[last[name].status for name in sorted(not_run)]}", not_run)
    inactive, pending = world.rows(INACTIVE), world.rows(OVERDUE)
    said = [str(result.data) for result in last.values()]
    if inactive:
        add("not_done", f"inactive sessions that are still there; the last results say {said}", [row[0] for row in inactive])
    if pending:
        add("not_done", f"overdue bookings that are still pending; the last results say {said}", [row[0] for row in pending])


def _offsets(evidence, add, world):
    """Everything is committed, and no transaction hangs."""
    behind = [f"{partition}: {evidence.committed[partition]} of {end}"
              for partition, end in evidence.stable[world.commands].items() if max(evidence.committed[partition], 0) != end]
    if behind:
        add("offsets", "partitions whose committed offset is not their end", behind)
    for topic, stable in evidence.stable.items():
        if stable != evidence.highest[topic]:
            add("transaction", f"{topic}: last stable offset {stable}, high watermark {evidence.highest[topic]}")
