"""Judges a settled campaign: every promise of the product is a function here, every breach a violation with its ids."""
import collections

from commands import LAST
from evidence import COUNTS, Evidence

ACTOR = "cleanup-worker"
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
    _application_kept(world, evidence, traffics, add)
    _nothing_left_to_do(world, evidence, add)
    _offsets(evidence, add, world)
    return evidence


def _every_id_once(evidence, add, delivery):
    """ids sent = ids in the ledger (but rejected) = ids on the results topic, each once."""
    sent = evidence.sent_ids()
    rejected = {result.command_id for result in evidence.results if result.status == "rejected"}
    if lost := set(sent) - rejected - set(evidence.ledger):
        add("lost", "commands that never reached the ledger", lost)
    if missing := set(evidence.ledger) - set(evidence.by_id):
        add("missing_result", "commands of the ledger without a result", missing)
    if unknown := set(evidence.by_id) - set(evidence.ledger) - rejected:
        add("lost", "results of commands that the ledger does not know", unknown)
    if delivery == "exactly_once":
        doubled = {name for name, found in evidence.by_id.items() if len(found) > 1 and name not in rejected}
        if doubled:
            first = min(doubled, key=lambda name: evidence.by_id[name][-1].published_ms)
            add("doubled_result", f"commands with more than one result, the first of them {first}: "
                f"{[str(result) for result in evidence.by_id[first]]}", doubled)


def _every_source_answered(evidence, add):
    """Commands without an id are known by their place; and a ledger row by the place it came from."""
    answered = {result.source for result in evidence.results}
    named = {source for sources in evidence.sent_ids().values() for source in sources}
    if missing := set(evidence.commands) - named - answered:
        add("lost", "commands without id and without a result (partition, offset)", missing)
    if unknown := answered - set(evidence.commands):
        add("doubled_result", "results of commands that were never sent (partition, offset)", unknown)


def _rejected_once(evidence, add, delivery):
    """A rejection once for its offset, with one dead letter; nothing else is a dead letter."""
    rejected = collections.Counter(result.source for result in evidence.results if result.status == "rejected")
    letters = collections.Counter((int(letter["__dlq.errors.partition"]), int(letter["__dlq.errors.offset"]))
                                  for letter in evidence.dead_letters)
    if set(rejected) != set(letters):
        add("dead_letter", "rejections without dead letter, or dead letters without rejection (partition, offset)",
            set(rejected) ^ set(letters))
    if delivery == "exactly_once":
        if doubled := {source for source, count in (rejected | letters).items() if count > 1}:
            add("doubled_result", "rejected or dead-lettered more than once (partition, offset)", doubled)


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
    if running := {name for name, row in evidence.ledger.items() if row[1] == "running"}:
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
    """Sums over the result stream are what has gone, in all and for no user more than went of him."""
    said, users = collections.Counter(), collections.Counter()
    for found in evidence.by_id.values():
        result = found[-1]
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
    inactive = world.rows("""
        SELECT s.id FROM sessions s
        WHERE s.created_at < now() AT TIME ZONE 'UTC' - interval '25 hours'
          AND NOT EXISTS (SELECT FROM messages m WHERE m.user_id = s.user_id AND m.sender = 'user'
                                                   AND m."timestamp" >= now() AT TIME ZONE 'UTC' - interval '25 hours')""")
    pending = world.rows("""
        SELECT booking_id FROM bookings
        WHERE status = 'Pending' AND created_at < now() AT TIME ZONE 'UTC' - interval '20 minutes'""")
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
