# The stage of every benchmark: what it needs is installed and built, a scratch directory made, and removed at the end.
# Sourced, never run. What runs here runs as user postgres, in the scratch directory, with an environment of its own.
set -euo pipefail

readonly kMajor=${STEWARD_BENCH_MAJOR:-15}
readonly kBindir=/usr/lib/postgresql/$kMajor/bin
readonly kRounds=${STEWARD_BENCH_ROUNDS:-3}

source_tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
name=$(basename "$0")
scratch=
server_data=  # data directory of the server that runs, empty when none does

die() { echo "$name: $*" >&2; exit 1; }
say() { printf '# %s\n' "$*"; }

clean_up() {
    [ -z "$server_data" ] || stop_server immediate >/dev/null 2>&1 || true
    [ -z "$scratch" ] || rm -rf "$scratch"
}

# Start over where the major is that is to be measured, with what is built here.
enter_matrix() {  # PARENT OF SCRATCH DIRECTORIES
    "$source_tree/tools/packages" build bench matrix >&2
    make -s -C "$source_tree" -j"$(nproc)" shared >&2
    "$source_tree/tools/pg-matrix" >&2
    exec "$source_tree/tools/pg-matrix-enter" -b /usr/include/fmt -b /usr/include/nlohmann -b "$1" \
        env STEWARD_BENCH_DIR="$1" STEWARD_BENCH_MAJOR="$kMajor" STEWARD_BENCH_ROUNDS="$kRounds" "$source_tree/bench/$name"
}

# Install, build, make the scratch directory. $1 is the free disk space that the run takes, in GB.
set_the_stage() {
    [ "$(id -u)" = 0 ] || die "must be run as root: it installs packages, and runs servers as user postgres"
    local parent=${STEWARD_BENCH_DIR:-/var/tmp/pg_steward-bench} free_gb
    mkdir -p "$parent"
    if [ -z "${STEWARD_IN_MATRIX:-}" ] && [ ! -x "$kBindir/pg_config" ]; then enter_matrix "$parent"; fi
    # The matrix root has what the host built, and packages of its own.
    if [ -z "${STEWARD_IN_MATRIX:-}" ]; then
        "$source_tree/tools/packages" build bench
        make -s -C "$source_tree" -j"$(nproc)" PG_CONFIG=$kBindir/pg_config all bench-programs >&2
    else
        make -s -C "$source_tree" -j"$(nproc)" PG_CONFIG=$kBindir/pg_config "${stage_targets:-all}" >&2
    fi
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    scratch=$(mktemp -d "$parent/$name.XXXXXX")
    case $(stat -f -c %T "$scratch") in
        tmpfs | ramfs) die "\"$parent\" is memory, not a disk: set STEWARD_BENCH_DIR to a directory on one" ;;
    esac
    free_gb=$(($(df -B1 --output=avail "$scratch" | tail -n 1) >> 30))
    [ "$free_gb" -ge "$1" ] || die "\"$parent\" has $free_gb GB free, the run takes $1 GB: set STEWARD_BENCH_DIR"

    # User postgres may not be allowed into the source tree.
    install -d -o postgres -g postgres "$scratch"
    install -d "$scratch/bin"
    install "$source_tree/build/core/pg_steward" "$scratch/bin/"
    if [ -d "$source_tree/build/core/bench" ]; then
        find "$source_tree/build/core/bench" -type f -executable -exec install -t "$scratch/bin" {} +
    fi
    chmod 755 "$parent"
    say "$name on $(nproc) CPUs ($(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)), $(free_memory) memory, $(uname -sr)"
    say "disk of $scratch: $(df --output=source,fstype "$scratch" | tail -n 1 | tr -s ' ')"
    say "load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
}

free_memory() { awk '/^MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo; }

# Run a command as user postgres with a clean environment, so that no variable of the caller's reaches pgBackRest or libpq.
as_postgres() {
    (cd "$scratch" && exec setpriv --reuid=postgres --regid=postgres --init-groups \
        env -i HOME="$scratch" TMPDIR="$scratch" LC_ALL=C.UTF-8 PATH="$scratch/bin:$kBindir:/usr/bin:/bin" "$@")
}

make_cluster() {  # DATA_DIRECTORY, lines for postgresql.conf on standard input
    as_postgres "${server_bindir:-$kBindir}/initdb" -D "$1" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --data-checksums --no-sync >"$scratch/initdb.log" ||
        { cat "$scratch/initdb.log" >&2; die "could not make a database cluster"; }
    as_postgres mkdir -p "$scratch/socket"
    { printf "listen_addresses = ''\nunix_socket_directories = '%s'\nport = 5432\n" "$scratch/socket"; cat; } >>"$1/postgresql.conf"
}

start_server() {  # DATA_DIRECTORY, options of the server
    as_postgres "${server_bindir:-$kBindir}/pg_ctl" -D "$1" -l "$scratch/server.log" -w -t 120 -o "${2:-}" start >/dev/null ||
        { tail -n 30 "$scratch/server.log" >&2; die "the server did not start"; }
    server_data=$1
}

stop_server() {  # MODE
    as_postgres "${server_bindir:-$kBindir}/pg_ctl" -D "$server_data" -m "${1:-fast}" -w -t 120 stop >/dev/null
    server_data=
}

sql() { as_postgres psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$scratch/socket" -U postgres -d postgres "$@"; }

# Configure pgBackRest to stay inside the scratch directory. $1 is the data directory, standard input more lines of [global].
configure_pgbackrest() {
    as_postgres mkdir -p "$scratch"/pgbackrest/{repository,spool,lock,log,include}
    {
        printf '[global]\n'
        printf 'repo1-path=%s\nspool-path=%s\nlock-path=%s\nlog-path=%s\n' "$scratch"/pgbackrest/{repository,spool,lock,log}
        printf 'log-level-file=off\nlog-level-console=warn\ncompress-type=zst\ncompress-level=3\nprocess-max=2\n'
        cat
        printf '[main]\npg1-path=%s\npg1-socket-path=%s\npg1-user=postgres\n' "$1" "$scratch/socket"
    } >"$scratch/pgbackrest/pgbackrest.conf"
}

# The command that every call begins with: also what a data directory's archive_command would be.
pgbackrest_command() {
    echo "pgbackrest --config=$scratch/pgbackrest/pgbackrest.conf --config-include-path=$scratch/pgbackrest/include --stanza=main"
}

pgbackrest() { local command; read -ra command <<<"$(pgbackrest_command)"; as_postgres "${command[@]}" "$@"; }

# Run a command and set `seconds` to its wall time. Its output goes to standard error.
measure() {
    local started=$EPOCHREALTIME
    "$@" >&2
    seconds=$(awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }')
}

# Let neither party pay for what the one before left dirty.
settle() { sync; }

bytes_below() { find "$1" -type f -printf '%s\n' | awk '{ n += $1 } END { printf "%.0f", n }'; }

megabytes() { awk -v n="$1" 'BEGIN { printf "%.1f MB", n / 1e6 }'; }

median() { printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) }'; }

# One line about one contender: its name, what it wrote, its seconds.
show() {  # NAME DETAIL SECONDS...
    local contender=$1 detail=$2
    shift 2
    printf '%-28s median %7.3f s   (%s)   %s\n' "$contender" "$(median "$@")" "$*" "$detail"
}

ratio() { printf 'ratio %s %s\n' "$1" "$(awk -v a="$2" -v b="$3" 'BEGIN { printf "%.2f", a / b }')"; }  # NAME THEIRS OURS
