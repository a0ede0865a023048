-- Proof that backups restore.
-- Run with the rights of the extension's owner, so that whoever is granted one of these needs no right to run every job.

CREATE FUNCTION steward.verify(recheck boolean DEFAULT false)
RETURNS TABLE (
    repository text,
    result text,
    objects bigint,
    bytes bigint,
    objects_read bigint,
    bytes_read bigint,
    backups bigint,
    problems text[])
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.*
    FROM json_to_recordset(steward.run_job('verify', json_build_object('recheck', recheck)) -> 'repositories')
        AS r(repository text, result text, objects bigint, bytes bigint, objects_read bigint, bytes_read bigint, backups bigint, problems text[])
$$;
COMMENT ON FUNCTION steward.verify(boolean) IS
    'Check that everything in the repositories can be restored; read only what is new, or with recheck everything';

CREATE FUNCTION steward.drill(
    backup text DEFAULT NULL,
    OUT backup_label text,
    OUT recovered_lsn pg_lsn,
    OUT timeline bigint,
    OUT last_transaction_at timestamptz,
    OUT restore_time interval,
    OUT recovery_time interval,
    OUT check_time interval,
    OUT data_bytes bigint)
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.backup, r.recovered_lsn, r.timeline, r.last_transaction,
        make_interval(secs => r.restore_seconds), make_interval(secs => r.recovery_seconds), make_interval(secs => r.check_seconds), r.data_bytes
    FROM json_to_record(steward.run_job('drill', json_strip_nulls(json_build_object('backup', backup))))
        AS r(backup text, recovered_lsn pg_lsn, timeline bigint, last_transaction timestamptz,
            restore_seconds double precision, recovery_seconds double precision, check_seconds double precision, data_bytes bigint)
$$;
COMMENT ON FUNCTION steward.drill(text) IS
    'Restore a backup, by default the newest, to a scratch directory, start it, recover all WAL, and check what came back';
