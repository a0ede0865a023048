# A server with our module and pgBackRest's archiving, and a cluster of 5 GB mixed data (mixed_data.sql), for the benchmarks
# of backup and restore. Sourced after stage.sh.

# Install the module into a private copy of the server's files: PostgreSQL finds them relative to its own program, and the
# system's server stays as it is.
install_privately() {
    local prefix=$scratch/server path
    for path in /usr/lib/postgresql/$kMajor /usr/share/postgresql/$kMajor; do
        mkdir -p "$prefix${path%/*}"
        cp -rL "$path" "$prefix${path%/*}/"
    done
    make -s -C "$source_tree" PG_CONFIG=$kBindir/pg_config DESTDIR="$prefix" install >&2
    server_bindir=$prefix$kBindir
}

# Fill the cluster with durability off, leave it checkpointed and stopped.
make_mixed_cluster() {
    local started=$SECONDS
    install_privately
    cluster=$scratch/cluster
    make_cluster "$cluster" <<'CONF'
shared_buffers = 1GB
max_wal_size = 8GB
checkpoint_timeout = 1h
autovacuum = off
CONF
    start_server "$cluster" '-c fsync=off -c wal_level=minimal -c max_wal_senders=0 -c full_page_writes=off'
    as_postgres pgbench -h "$scratch/socket" -U postgres -i -I dtgp -s 100 -q postgres >"$scratch/pgbench.log" 2>&1 ||
        { cat "$scratch/pgbench.log" >&2; die "pgbench failed"; }
    sql -o /dev/null -f - <"$source_tree/bench/mixed_data.sql"
    # What the first reader of each row would write during the measurement is written now.
    sql -c 'VACUUM (FREEZE, PARALLEL 0)' -c CHECKPOINT
    stop_server
    sync
    cluster_bytes=$(bytes_below "$cluster/base")
    say "cluster of $(megabytes "$cluster_bytes") in $(find "$cluster/base" -type f | wc -l) files, made in $((SECONDS - started)) s"
}

# Start the cluster so that WAL goes to the party under test, as it would in production.
start_with_steward() {
    as_postgres mkdir -p "$scratch/repository"
    start_server "$cluster" "-c shared_preload_libraries=pg_steward -c archive_mode=on -c archive_library=pg_steward \
-c steward.repository=file://$scratch/repository -c steward.compression=zstd:3 -c steward.backup_workers=2"
    sql -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION IF NOT EXISTS pg_steward'
}

start_with_pgbackrest() {
    configure_pgbackrest "$cluster" <<<$'archive-async=y\nrepo1-bundle=y\nrepo1-retention-full=9\nstart-fast=y'
    start_server "$cluster" "-c archive_mode=on -c archive_command='$(pgbackrest_command) archive-push %p'"
    pgbackrest stanza-create >&2
}

back_up_with_steward() { sql -c 'SELECT backup_label, pg_size_pretty(data_bytes), pg_size_pretty(repository_bytes), files FROM steward.backup()'; }

back_up_with_pgbackrest() { pgbackrest --type=full --no-resume backup; }

# Everybody reads the cluster from the page cache, as far as it fits there.
warm_cluster() {
    find "$cluster/base" -type f -exec cat {} + >/dev/null
    settle
}
