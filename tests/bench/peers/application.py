"""The application beside a worker: a user writes a message, a session is changed, a hundred times a second, each by itself.

Until SIGTERM; then prints how long its statements took, as JSON: a lock of the worker's that one of them met is in there.
"""
import json
import os
import random
import signal
import statistics
import time

import psycopg

USERS = int(os.environ["BENCH_USERS"])
GAP_SECONDS = 0.01
STATEMENTS = (
    "INSERT INTO messages (user_id, sender, content) VALUES (md5('user ' || %s::int)::uuid, 'user', 'Is it still free?')",
    "UPDATE sessions SET property_id = property_id WHERE user_id = md5('user ' || %s::int)::uuid",
)


def main():
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    took = []
    with psycopg.connect(os.environ["CLEANUP_POSTGRES_DSN"], autocommit=True) as connection:
        while not stopping:
            for statement in STATEMENTS:
                began = time.monotonic()
                connection.execute(statement, (random.randint(1, USERS),), prepare=True)
                took.append((time.monotonic() - began) * 1000)
                time.sleep(GAP_SECONDS)
    percentiles = statistics.quantiles(took, n=100, method="inclusive")
    print(json.dumps({"p50_ms": round(percentiles[49], 3), "p99_ms": round(percentiles[98], 3),
                      "worst_ms": round(max(took), 3), "samples": len(took)}))


main()
