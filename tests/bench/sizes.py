"""Owns how large a bench is: the full one, whose figures count, and the quick one, which shows that everything works."""
import dataclasses

WORKERS = (1, 2, 4)  # on a database that answers slowly
SET_SIZES = (500, 2_000)  # of commands, for one backend

@dataclasses.dataclass(frozen=True)
class Sizes:
    runs: int
    warm_ups: int
    users: int  # of the database for per-user commands
    commands: int
    message_commands: int  # for the peer that does one transaction a message
    whole_users: int  # sessions that one whole-table command goes through
    orm_users: int
    identical_users: int
    identical_commands: int
    probes: int  # of latency, in one run
    load_seconds: int  # how long half load is kept up
    backlogs: tuple
    table_users: tuple  # growing tables; the first is what the others are compared with
    table_commands: int
    slow_commands: int  # for workers on a database that answers slowly
    give_up_seconds: int  # of one run


FULL = Sizes(runs=5, warm_ups=5, users=100_000, commands=100_000, message_commands=5_000, whole_users=1_000_000, orm_users=20_000,
             identical_users=100_000, identical_commands=1_000, probes=100, load_seconds=20,
             backlogs=(1_000, 10_000, 100_000, 1_000_000), table_users=(100_000, 1_000_000), table_commands=50_000,
             slow_commands=50_000, give_up_seconds=900)
QUICK = Sizes(runs=1, warm_ups=1, users=20_000, commands=20_000, message_commands=1_000, whole_users=50_000, orm_users=4_000,
              identical_users=4_000, identical_commands=100, probes=30, load_seconds=4,
              backlogs=(1_000, 20_000, 60_000), table_users=(20_000, 100_000), table_commands=10_000, slow_commands=20_000,
              give_up_seconds=40)
TEN_MILLION = 10_000_000
