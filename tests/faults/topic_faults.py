"""What an operator does to topics and to the group's offsets: it stops what it concerns, and nothing else.

The results topic is never deleted: it is the oracle's evidence. What is published between the last look at it and its
deletion would be gone unread, and a result that was lost could not be told from one of these.
"""
import time

import broker
import harness

PATIENCE_SECONDS = 120  # beyond what has queued up on a slow machine
PROBES = 24  # to random users, so to every partition
REJECTIONS = 12
SMALL_RESULTS_BYTES, USUAL_RESULTS_BYTES = 10_000, 1_048_588
LARGE_TRIES = 5  # a clean-up may be quicker than the preview
BACKLOG = 300    # commands that are not all executed when their topic goes
ABSENCE_SECONDS = (0, 6)
# Far enough that no partition grows so long before a worker looks: what lies below an offset that exists is skipped.
AHEAD = (50_000, 10 ** 9)
MOST_MOVED = 3


class TopicFaults:
    """Each method of KINDS is one kind of fault."""

    KINDS = ("dead_letters_deleted", "result_too_large", "commands_made_anew", "offset_beyond_end")

    def __init__(self, actors):
        self.world, self.stack, self.pool = actors.world, actors.world.stack, actors.pool
        self.population, self.commander, self.stream = actors.population, actors.commander, actors.stream

    def dead_letters_deleted(self, rng):
        """A worker that starts meanwhile is refused, so nobody is killed."""
        with self.pool.peace(), self.pool.topic_unfit():
            self.world.delete_dead_letters()
            try:
                self.commander.reject_now(REJECTIONS)
                self._others_go_on(rng, "without a topic for dead letters")
                time.sleep(rng.uniform(*ABSENCE_SECONDS))
            finally:
                self.world.make_dead_letters()
        return True

    def result_too_large(self, rng):
        """A worker that starts meanwhile is refused, here too."""
        with self.pool.peace(), self.pool.topic_unfit():
            broker.limit_records(self.stack.bootstrap, self.world.results, SMALL_RESULTS_BYTES)
            try:
                took_hold = any(self._ask_for_large() for _ in range(LARGE_TRIES))
                if took_hold:
                    self._others_go_on(rng, "beside a result that is too large")
                    time.sleep(rng.uniform(*ABSENCE_SECONDS))
            finally:
                broker.limit_records(self.stack.bootstrap, self.world.results, USUAL_RESULTS_BYTES)
        return took_hold

    def _ask_for_large(self):
        """Whether the ledger has a result now that does not fit."""
        preview = self.commander.preview_now(self.population.add_crowded())
        bytes_sql = "SELECT octet_length(result) FROM cleanup_worker.ledger WHERE command_id = %s AND result IS NOT NULL"
        try:
            harness.wait_until(lambda: self.world.rows(bytes_sql, preview), "a preview is answered", PATIENCE_SECONDS)
        except AssertionError:
            self.world.violations.add("stalled", "a preview was not executed", [preview])
            return False
        return self.world.rows(bytes_sql, preview)[0][0] > SMALL_RESULTS_BYTES

    def commands_made_anew(self, rng):
        """While workers run; what is not executed by then is lost."""
        self._work_has_begun()
        with self.commander.lock, self.pool.topic_unfit():
            self._users_to_clean(rng, BACKLOG)
            self.commander.finish()
            self.world.delete_commands()
            time.sleep(rng.uniform(*ABSENCE_SECONDS))
            self.world.make_commands()
        with self.pool.peace():
            self._others_go_on(rng, "in a commands topic that was made anew")
        return True

    def offset_beyond_end(self, rng):
        """The group has no member meanwhile; some commands wait."""
        self._work_has_begun()
        partitions = broker.partitions(self.stack.bootstrap, self.world.commands)
        with self.commander.lock:
            with self.pool.rest():
                self._users_to_clean(rng, PROBES)
                self.commander.finish()
                for partition in rng.sample(partitions, rng.randint(1, MOST_MOVED)):
                    self.world.move_offset(partition, rng.choice(AHEAD))
        with self.pool.peace():
            self._others_go_on(rng, "behind offsets that were beyond the end")
        return True

    def _work_has_begun(self):
        """Else there would be nothing that is executed already."""
        harness.wait_until(lambda: self.stream.answered, "the first result")

    def _users_to_clean(self, rng, count):
        return self.commander.clean_now([harness.user_id(-rng.randrange(1, 10 ** 6)) for _ in range(count)])

    def _others_go_on(self, rng, where):
        """What is sent now is answered, in every partition; patience is no measure of how soon."""
        probes = self._users_to_clean(rng, PROBES)
        try:
            harness.wait_until(lambda: probes <= self.stream.answered, "probes are answered", PATIENCE_SECONDS)
        except AssertionError:
            self.world.violations.add("stalled", f"not answered within {PATIENCE_SECONDS} s {where}",
                                      probes - self.stream.answered)
