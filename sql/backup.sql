-- Base backups.

CREATE FUNCTION steward.backup(
    label text DEFAULT NULL,
    wait boolean DEFAULT true,
    fast_checkpoint boolean DEFAULT true,
    full_read boolean DEFAULT false,
    reuse boolean DEFAULT true,
    OUT backup_label text,
    OUT start_lsn pg_lsn,
    OUT stop_lsn pg_lsn,
    OUT timeline integer,
    OUT started_at timestamptz,
    OUT stopped_at timestamptz,
    OUT data_bytes bigint,
    OUT repository_bytes bigint,
    OUT files bigint,
    OUT checksum_failures bigint,
    OUT from_standby boolean,
    OUT server_version text,
    OUT repositories text,
    OUT base_label text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'steward_backup'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.backup(text, boolean, boolean, boolean, boolean) IS
    'Take a base backup; with wait, return when it is complete in every repository. full_read: read every page, whatever WAL summaries tell; reuse => false: store everything anew. A statement that waits holds its snapshot meanwhile, so that vacuum cannot remove what became dead since: on a busy server use wait => false and watch steward.backup_progress';

CREATE FUNCTION steward.backup_progress_status(
    OUT label text,
    OUT state text,
    OUT phase text,
    OUT pid integer,
    OUT started_at timestamptz,
    OUT finished_at timestamptz,
    OUT bytes_total bigint,
    OUT bytes_done bigint,
    OUT files_total bigint,
    OUT repository_bytes bigint,
    OUT waiting_for text,
    OUT error text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'steward_backup_progress'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

CREATE VIEW steward.backup_progress AS SELECT * FROM steward.backup_progress_status();
COMMENT ON VIEW steward.backup_progress IS 'The backup that is running, or the last one that ran since the server''s start';

CREATE FUNCTION steward.backup_list(
    OUT label text,
    OUT start_lsn pg_lsn,
    OUT stop_lsn pg_lsn,
    OUT timeline integer,
    OUT started_at timestamptz,
    OUT stopped_at timestamptz,
    OUT data_bytes bigint,
    OUT repository_bytes bigint,
    OUT files bigint,
    OUT checksum_failures bigint,
    OUT from_standby boolean,
    OUT server_version text,
    OUT repository text,
    OUT base_label text,
    OUT kept boolean)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'steward_backups'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

CREATE VIEW steward.backups AS SELECT * FROM steward.backup_list();
COMMENT ON VIEW steward.backups IS 'Complete backups in the repositories, newest first, as the WAL engine read them last';
