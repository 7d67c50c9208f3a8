"""Every task on columns of both types, in zones that are set in every way, also with a cutoff in a night of the change of
clocks, against an oracle by Python's zoneinfo. What a microsecond more or less does is tests/integration/test_time_zones.c."""
import concurrent.futures
import datetime
import uuid
import zoneinfo

from harness import World, check_equal, dsn_of, psql

UTC = datetime.timezone.utc
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "America/Los_Angeles", "Europe/Berlin")
WAYS = ("role", "database", "PGTZ")
# Which columns are timestamptz.
TYPES = {"naive": (), "instants": ("sessions.created_at", "messages.timestamp", "bookings.created_at", "bookings.updated_at",
                                   "bookings.booking_date"),
         "mixed": ("messages.timestamp", "bookings.created_at")}
COLUMNS = TYPES["instants"]
MINUTES = (-26 * 60, -8 * 60, -5 * 60 - 30, -120, -90, -60, -30, -2, 2, 30, 60, 90, 120, 5 * 60 + 30, 8 * 60, 26 * 60)
AT_ONCE = 5


def changes_of(zone, now):
    """The instants of the last year at which the zone's clock was changed."""
    hour, found = datetime.timedelta(hours=1), []
    time = now.replace(minute=0, second=0, microsecond=0)
    for _ in range(364 * 24):
        if time.astimezone(zone).utcoffset() != (time - hour).astimezone(zone).utcoffset():
            found.append(time)
        time -= hour
    return found


def text_of(instant):
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat("T", "microseconds") + "Z"


class Column:
    """What the application writes into it for an instant, and which instant that stands for."""

    def __init__(self, name, types, zone):
        self.table, self.name = name.split(".")
        self.is_instant = name in TYPES[types]
        self.zone = zone

    def define(self):
        kind, default = ("timestamptz", "now()") if self.is_instant else ("timestamp", f"now() AT TIME ZONE '{self.zone.key}'")
        using = "" if self.is_instant else f" AT TIME ZONE '{self.zone.key}'"
        return (f'ALTER TABLE {self.table} ALTER "{self.name}" DROP DEFAULT, ALTER "{self.name}" TYPE {kind} '
                f'USING "{self.name}" AT TIME ZONE \'UTC\'{using}, ALTER "{self.name}" SET DEFAULT ({default});')

    def value(self, instant):
        if self.is_instant:
            return f"'{text_of(instant)}'"
        return "'" + instant.astimezone(self.zone).replace(tzinfo=None).isoformat(" ") + "'"

    def instant(self, instant):
        """Two instants of a night have one local time: then it is the later one."""
        if self.is_instant:
            return instant
        local = instant.astimezone(self.zone).replace(tzinfo=None)
        return max(local.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))


class Case:
    """A world whose columns have these types, with a worker whose connections have this zone."""

    def __init__(self, types, zone, way):
        self.types, self.zone, self.way = types, zoneinfo.ZoneInfo(zone), way
        self.columns = {name: Column(name, types, self.zone) for name in COLUMNS}
        self.name = f"{types} {zone} by {way}"
        self.instants = {}
        self.world = None

    def check_equal(self, found, expected, what):
        check_equal(found, expected, f"{self.name}, {what}")

    def prepare(self):
        world = self.world
        world.sql("".join(column.define() for column in self.columns.values()))
        role = world.name + "_role"
        psql(dsn_of("postgres"), f"CREATE ROLE {role} SUPERUSER LOGIN;")
        world.env["CLEANUP_POSTGRES_DSN"] = f"{world.dsn} user={role}"
        if self.way == "role":
            psql(dsn_of("postgres"), f"ALTER ROLE {role} IN DATABASE {world.name} SET TimeZone = '{self.zone.key}';")
        elif self.way == "database":
            psql(dsn_of("postgres"), f"ALTER DATABASE {world.name} SET TimeZone = '{self.zone.key}';")
        else:
            world.env["PGTZ"] = self.zone.key
        world.start_worker(world.name, "-o", f"tables.time_zone={self.zone.key}")

    def fill(self, cutoff):
        """For each distance from the cutoff: a session, a message of somebody with an old session, a booking."""
        statements = ["DELETE FROM messages; DELETE FROM sessions; DELETE FROM users; DELETE FROM bookings;"]
        old = cutoff - datetime.timedelta(days=365)
        self.instants = {}
        for number, minutes in enumerate(MINUTES):
            instant = cutoff + datetime.timedelta(minutes=minutes)
            for letter, created, said in (("s", instant, None), ("m", old, instant)):
                name, user = f"{letter}{number}", uuid.uuid5(uuid.NAMESPACE_OID, f"{letter}{number}")
                statements.append(f"INSERT INTO users VALUES ('{user}');")
                statements.append("INSERT INTO sessions (id, user_id, created_at) VALUES "
                                  f"('{name}', '{user}', {self.columns['sessions.created_at'].value(created)});")
                if said:
                    statements.append("INSERT INTO messages (user_id, sender, \"timestamp\") VALUES "
                                      f"('{user}', 'user', {self.columns['messages.timestamp'].value(said)});")
                column = "messages.timestamp" if said else "sessions.created_at"
                self.instants[name] = (str(user), self.columns[column].instant(instant))
            statements.append("INSERT INTO bookings (booking_id, created_at, booking_date, updated_at) VALUES "
                              f"('b{number}', {self.columns['bookings.created_at'].value(instant)}, "
                              f"{self.columns['bookings.booking_date'].value(instant)}, NULL);")
            self.instants[f"b{number}"] = (None, self.columns["bookings.created_at"].instant(instant))
        self.world.sql("\n".join(statements))

    def older(self, result, letters):
        """Those that have to go by the result's cutoff."""
        data = result["data"]
        time = (data.get("cutoff_time") or data["session_cleanup" if "s" in letters else "booking_expiration"]["cutoff_time"])
        cutoff = datetime.datetime.fromisoformat(time.replace("Z", "+00:00"))
        return sorted(name for name, (_, instant) in self.instants.items() if name[0] in letters and instant < cutoff)

    def ids(self, query):
        return sorted(row[0] for row in self.world.sql(query))

    def send(self, task, *params):
        result = self.world.send_and_wait(task, *params)
        self.check_equal(result["status"], "succeeded", f"status of {task}: {result['message']}")
        return result

    def check_previews(self, hours, minutes):
        result = self.send("get_inactive_sessions_preview", hours, "limit=1000")
        listed = {row["session_id"]: row for row in result["data"]["inactive_sessions"]}
        self.check_equal(sorted(listed), self.older(result, "sm"), "preview of sessions")
        for name, row in listed.items():
            time = row["created_at"] if name[0] == "s" else row["last_user_message_time"]
            self.check_equal(time, text_of(self.instants[name][1]), f"time of {name}")
        result = self.send("get_expired_bookings_preview", minutes, "limit=1000")
        listed = {row["booking_id"]: row for row in result["data"]["expired_bookings"]}
        self.check_equal(sorted(listed), self.older(result, "b"), "preview of bookings")
        date = self.columns["bookings.booking_date"]
        for name, row in listed.items():
            instant = self.instants[name][1]
            self.check_equal(row["created_at"], text_of(instant), f"time of {name}")
            if date.is_instant == self.columns["bookings.created_at"].is_instant:
                self.check_equal(row["booking_date"], text_of(instant), f"date of {name}")
            started = datetime.datetime.fromisoformat(result["started_at"].replace("Z", "+00:00"))
            near = (started - instant).total_seconds() / 60 - row["minutes_old"]
            self.check_equal(-1 < near < 2, True, f"minutes_old of {name}: {row} at {started}")

    def check_dry_runs(self, hours, minutes):
        result = self.send("cleanup_inactive_sessions", hours, "dry_run=true")
        self.check_equal(result["data"]["deleted_sessions"], len(self.older(result, "sm")), "dry run of sessions")
        result = self.send("expire_pending_bookings", minutes, "dry_run=true")
        self.check_equal(sorted(result["data"]["expired_booking_ids"]), self.older(result, "b"), "dry run of bookings")

    def check_set(self, hours):
        """Half of the users, each by a command of his own, in sets."""
        users = {name: user for name, (user, _) in self.instants.items() if name[0] in "sm" and int(name[1:]) % 2}
        ids = {f"{name}-{uuid.uuid4().hex[:8]}": name for name in users}
        self.world.produce([{"command_id": key, "task": "cleanup_inactive_sessions_for_user",
                             "params": {"user_id": users[name], "inactive_hours": float(hours.split("=")[1])}}
                            for key, name in ids.items()])
        results = self.world.wait_for_ids(ids)
        for key, name in ids.items():
            wanted = int(name in self.older(results[key], "sm"))
            self.check_equal(results[key]["data"]["deleted_sessions"], wanted, f"sessions of the user of {name}")
            if wanted:
                del self.instants[name]

    def check_changes(self, hours, minutes, both):
        if both:
            results = [self.send("scheduled_cleanup", hours, minutes)] * 2
        else:
            results = [self.send("cleanup_inactive_sessions", hours), self.send("expire_pending_bookings", minutes)]
        gone = self.older(results[0], "sm")
        kept = sorted(name for name in self.instants if name[0] in "sm" and name not in gone)
        self.check_equal(self.ids("SELECT id FROM sessions"), kept, "sessions that are kept")
        expired = self.ids("SELECT booking_id FROM bookings WHERE status = 'Expired'")
        self.check_equal(expired, self.older(results[1], "b"), "bookings that are expired")
        now = "now()" if self.columns["bookings.updated_at"].is_instant else f"(now() AT TIME ZONE '{self.zone.key}')"
        fresh = self.ids(f"SELECT booking_id FROM bookings WHERE abs(extract(epoch FROM updated_at - {now})) < 60")
        self.check_equal(fresh, expired, "bookings with a new updated_at")

    def check_cutoff(self, cutoff, both):
        def age(unit):
            return (datetime.datetime.now(UTC) - cutoff).total_seconds() / unit

        self.fill(cutoff)
        hours, minutes = f"inactive_hours={age(3600):.9f}", f"expiration_minutes={age(60):.7f}"
        self.check_previews(hours, minutes)
        self.check_dry_runs(hours, minutes)
        self.check_set(hours)
        self.check_changes(hours, minutes, both)

    def run(self):
        now = datetime.datetime.now(UTC)
        with World() as self.world:
            role = self.world.name + "_role"
            try:
                self.prepare()
                self.check_cutoff(now - datetime.timedelta(hours=30), True)
                for number, change in enumerate(changes_of(self.zone, now)):
                    self.check_cutoff(change - datetime.timedelta(minutes=15), number % 2 == 1)
            finally:
                for worker in self.world.workers:
                    worker.terminate()
                psql(dsn_of("postgres"), f"DROP ROLE IF EXISTS {role};")


def test_time_of_every_type_zone_and_way_is_the_oracles():
    """Every pair of type, zone and way."""
    with World():
        pass  # makes the template, which cannot be made twice at once
    cases = [Case(types, zone, WAYS[(t + z) % len(WAYS)]) for t, types in enumerate(TYPES) for z, zone in enumerate(ZONES)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for future in [pool.submit(case.run) for case in cases]:
            future.result()
