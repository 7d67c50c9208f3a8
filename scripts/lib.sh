# Shared by the scripts of this folder; sourced, never run. Sets ROOT and leaves the caller there.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT" || exit 1

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

# Prints N free ports of the loopback interface, as the kernel hands them out.
free_ports() {
    python3 - "$1" <<'PY'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in sockets:
    s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in sockets])
PY
}

# Is the process of this pid file alive, and is it still the program we started? A pid may be reused.
pid_file_alive() { # FILE WORD-OF-ITS-COMMAND-LINE
    local pid
    [ -s "$1" ] && pid=$(cat "$1") && [ -r "/proc/$pid/cmdline" ] \
        && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "$2"
}

# Ends the process of a pid file: SIGTERM, and SIGKILL after 20 seconds.
pid_file_stop() { # FILE WORD-OF-ITS-COMMAND-LINE
    local pid tries
    if pid_file_alive "$1" "$2"; then
        pid=$(cat "$1")
        kill -TERM "$pid" 2>/dev/null
        for ((tries = 0; tries < 200; tries++)); do
            pid_file_alive "$1" "$2" || break
            sleep 0.1
        done
        pid_file_alive "$1" "$2" && kill -KILL "$pid" 2>/dev/null
    fi
    rm -f "$1"
}

# Runs a command until it succeeds; fails after SECONDS.
wait_until() { # SECONDS COMMAND…
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

# The newest PostgreSQL server's programs.
postgres_bindir() {
    local dir
    dir=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    [ -n "$dir" ] || dir=$(pg_config --bindir 2>/dev/null)
    [ -x "$dir/initdb" ] || die "no PostgreSQL server found; run scripts/setup"
    printf '%s\n' "$dir"
}
