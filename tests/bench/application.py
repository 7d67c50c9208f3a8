"""Owns how long an application's statements take while a worker is at full load on the same rows."""
import json

import per_user
from commands import user_commands
from trial import Trial


def waits(bench):
    """No final tables are compared: what the application writes decides what a worker may delete."""
    with Trial(bench, per_user.template(bench)) as trial:
        trial.produce(user_commands(bench.sizes.commands, bench.sizes.users))
        application = trial.start_peer("application", BENCH_USERS=str(bench.sizes.users))
        measured = trial.race(lambda: [trial.start_worker()], bench.sizes.commands)
        trial.stop()
        return {**measured, **json.loads(application.log().splitlines()[-1])}
