-- Retention: what goes, what stays, and why.
-- Run with the rights of the extension's owner, so that whoever is granted one of these needs no right to run every job.

CREATE FUNCTION steward.expire(dry_run boolean DEFAULT false)
RETURNS TABLE (repository text, kind text, name text, verdict text, bytes bigint, reason text)
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.repository, r.kind, r.name, r.verdict, r.bytes, r.reason
    FROM json_to_recordset(steward.run_job('expire', json_build_object('dry_run', coalesce(dry_run, false))) -> 'rows')
        AS r(repository text, kind text, name text, verdict text, bytes bigint, reason text)
$$;
COMMENT ON FUNCTION steward.expire(boolean) IS
    'Remove the backups and the WAL that steward.retention does not keep; tell for each why it stays or goes. With dry_run, only tell';

CREATE FUNCTION steward.keep(label text, keep boolean DEFAULT true, note text DEFAULT NULL)
RETURNS TABLE (repository text, backup_label text, kept boolean)
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.repository, r.label, r.kept
    FROM json_to_recordset(steward.run_job('keep', json_build_object('label', label, 'keep', coalesce(keep, true), 'note', note)) -> 'rows')
        AS r(repository text, label text, kept boolean)
$$;
COMMENT ON FUNCTION steward.keep(text, boolean, text) IS
    'Keep a backup whatever steward.retention says, in every repository that has it; with keep => false, release it';
