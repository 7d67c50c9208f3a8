"""No leak and no invalid access over ten thousand commands, as valgrind sees it."""
import shutil
import subprocess

import harness
from harness import World, check, check_equal, wait_until
from test_pool import check_sums, per_user_commands

COUNT = 10000
FOUND = 99  # valgrind's exit code when it found something


class WatchedWorker(harness.Worker):
    """A worker inside valgrind."""

    def __init__(self, world, log_path):
        self.name, self.log_path = "valgrind", log_path
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible",
                 "--errors-for-leak-kinds=definite,indirect", f"--error-exitcode={FOUND}", "--child-silent-after-fork=yes",
                 harness.PROGRAM, "run"], env=world.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def test_valgrind_over_ten_thousand_commands_finds_nothing():
    check(shutil.which("valgrind"), "valgrind is missing; run scripts/setup")
    with World() as world:
        world.add_users(1, COUNT)
        commands = per_user_commands(1, COUNT)
        commands += [{"command_id": "all", "task": "scheduled_cleanup"}, {"command_id": "look", "task": "get_inactive_sessions_preview"},
                     {"command_id": "typo", "task": "cleanup"}, commands[0]]
        world.produce(commands)
        worker = WatchedWorker(world, world.folder / "valgrind.log")
        world.workers.append(worker)
        wait_until(lambda: "worker started" in worker.log() or not worker.is_running(), "the worker's start")
        check(worker.is_running(), f"the worker has ended: {worker.log()}")
        names = [command["command_id"] for command in commands[:-1]]
        results = world.wait_for_ids(names, seconds=400)
        sums = {name: results[name] for name in names[:COUNT]}
        check_sums(world, sums, COUNT - results["all"]["data"]["session_cleanup"]["deleted_sessions"])
        wait_until(lambda: world.counts()[0] == 0, "the last session")
        check_equal(worker.terminate(), 0, f"valgrind's verdict:\n{worker.log()[-4000:]}")
