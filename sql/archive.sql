-- WAL archiving.

CREATE FUNCTION steward.wal_archive_status(
    OUT repository text,
    OUT last_segment text,
    OUT last_lsn pg_lsn,
    OUT last_stored_at timestamptz,
    OUT tail_lsn pg_lsn,
    OUT tail_stored_at timestamptz,
    OUT stored_files bigint,
    OUT stored_bytes bigint,
    OUT repository_bytes bigint,
    OUT backlog_segments bigint,
    OUT backlog_bytes bigint,
    OUT bytes_per_second double precision,
    OUT failures bigint,
    OUT last_error text,
    OUT last_error_at timestamptz,
    OUT reported_at timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'steward_wal_archive'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

CREATE VIEW steward.wal_archive AS SELECT * FROM steward.wal_archive_status();
COMMENT ON VIEW steward.wal_archive IS
    'State of WAL archiving, one row a repository; counters since the engine''s start';

CREATE FUNCTION steward.worker_status(
    OUT worker text,
    OUT pid integer,
    OUT engine_pid integer,
    OUT engine_state text,
    OUT engine_starts bigint,
    OUT engine_started_at timestamptz,
    OUT last_failure text,
    OUT last_failure_at timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'steward_workers'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

CREATE VIEW steward.workers AS SELECT * FROM steward.worker_status();
COMMENT ON VIEW steward.workers IS 'Background workers of pg_steward and the engines they run';

CREATE FUNCTION steward.archive_now(timeout interval DEFAULT '5 minutes')
RETURNS text
AS 'MODULE_PATHNAME', 'steward_archive_now'
LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.archive_now(interval) IS
    'Switch to a new WAL segment; return the name of the one before when that and all before it are stored in every repository';
