"""Owns the databases of a bench: templates with rows, clones of them for one run each, and what a clone came to hold.

Every run starts from the same files (createdb -T), so that nobody inherits another's dead rows or grown indexes.
"""
import hashlib
import os
import pathlib
import subprocess
import uuid

from psycopg import sql

from stack import PROGRAM, ROOT

HERE = pathlib.Path(__file__).resolve().parent
TABLES = ("users", "properties", "sessions", "messages", "imageSent", "videoSent", "bookings")


def user_id(number):
    """The id that dataset.sql gives to the user of that number."""
    return str(uuid.UUID(hashlib.md5(f"user {number}".encode()).hexdigest()))


class Datasets:
    """Templates are made when first asked for and kept until the bench ends."""

    def __init__(self, stack):
        self.stack = stack
        self.ready = set()
        self.clones = 0

    def template(self, users, messages=6):
        """The application's tables with so many users, and the worker's own schema; returns the database's name."""
        name = f"template_{users}_{messages}"
        if name not in self.ready:
            self.execute("postgres", f"CREATE DATABASE {name}")
            self.stack.psql(name, "-f", ROOT / "deploy/postgres/application.sql")
            self.stack.psql(name, "-v", f"users={users}", "-v", f"messages={messages}", "-f", HERE / "dataset.sql")
            subprocess.run([PROGRAM, "migrate"], check=True, capture_output=True,
                           env={**os.environ, "CLEANUP_POSTGRES_DSN": self.stack.dsn(name)})
            self.ready.add(name)
        return name

    def clone(self, template, settings=()):
        """A copy with cold buffers, statistics and no checkpoint due; `settings` hold for this database alone."""
        self.clones += 1
        name = f"run_{self.clones}"
        self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        for setting in settings:
            self.execute("postgres", f"ALTER DATABASE {name} SET {setting}")
        self.execute(name, "ANALYZE")
        self.execute(name, "CHECKPOINT")
        return name

    def drop(self, name):
        self.execute("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def execute(self, database, statement):
        with self.stack.connect(database) as connection:
            connection.execute(statement)

    def number(self, database, query):
        with self.stack.connect(database) as connection:
            return connection.execute(query).fetchone()[0]

    def fingerprint(self, database):
        """Of each of the application's tables: rows, and the sum of a hash of every row, which no order changes."""
        found = {}
        with self.stack.connect(database) as connection:
            for table in TABLES:
                query = sql.SQL("SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM {} t")
                rows, total = connection.execute(query.format(sql.Identifier(table))).fetchone()
                found[table] = f"{rows}:{total}"
        return found
