-- What can be recovered: the recovery window, its gaps, restore points. Comes after the jobs, which it calls.

CREATE FUNCTION steward.recovery_window_status(
    OUT timeline integer,
    OUT begin_lsn pg_lsn,
    OUT end_lsn pg_lsn,
    OUT begin_time timestamptz,
    OUT known_until timestamptz,
    OUT backup_label text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'steward_recovery_window'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

CREATE VIEW steward.recovery_window AS SELECT * FROM steward.recovery_window_status();
COMMENT ON VIEW steward.recovery_window IS
    'Points in time that all repositories together can reach, newest first; known_until is a time surely reached, end_lsn may be later';

CREATE FUNCTION steward.wal_gap_list(
    OUT timeline integer,
    OUT begin_lsn pg_lsn,
    OUT end_lsn pg_lsn,
    OUT reason text,
    OUT recorded_at timestamptz,
    OUT note text,
    OUT reachable_before pg_lsn,
    OUT reachable_before_time timestamptz,
    OUT reachable_after pg_lsn,
    OUT reachable_after_time timestamptz,
    OUT backup_after text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'steward_wal_gaps'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

CREATE VIEW steward.wal_gaps AS SELECT * FROM steward.wal_gap_list();
COMMENT ON VIEW steward.wal_gaps IS
    'WAL that no repository holds, why, and the nearest reachable points on both sides; not yet recorded while recorded_at is null';

CREATE FUNCTION steward.restore_point_list(
    OUT name text,
    OUT note text,
    OUT timeline integer,
    OUT lsn pg_lsn,
    OUT created_at timestamptz,
    OUT reachable boolean)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'steward_restore_points'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

CREATE VIEW steward.restore_points AS SELECT * FROM steward.restore_point_list();
COMMENT ON VIEW steward.restore_points IS 'Restore points recorded in the repositories, newest first';

-- The point is in the WAL once pg_create_restore_point has returned: that it could not be recorded besides must not look as if it were
-- not there, so that is a warning. A cancel request stays an error: OTHERS does not catch it. It has the definer's rights, so that
-- granting EXECUTE is enough: it calls two functions that are closed to others.
CREATE FUNCTION steward.create_restore_point(name text, note text DEFAULT NULL)
RETURNS pg_lsn
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    point pg_lsn := pg_create_restore_point(name);
    made_at timestamptz := clock_timestamp();
BEGIN
    IF point IS NULL THEN
        RETURN NULL;
    END IF;
    LOOP
        BEGIN
            PERFORM steward.run_job('restore_point', json_build_object(
                'name', name,
                'note', coalesce(note, ''),
                'timeline', ('x' || left(pg_walfile_name(point), 8))::bit(32)::integer,
                'lsn', point,
                'time', to_char(made_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')));
            RETURN point;
        EXCEPTION WHEN OTHERS THEN
            -- object_in_use: another restore point is being recorded, and there is one job of a kind at a time.
            IF SQLSTATE <> '55006' OR clock_timestamp() > made_at + interval '30 seconds' THEN
                RAISE WARNING USING
                    ERRCODE = SQLSTATE,
                    MESSAGE = format('restore point "%s" was made but not recorded in every repository', name),
                    DETAIL = format('It is in the WAL at %s. Recording it failed: %s.', point, SQLERRM),
                    HINT = 'A restore to it is possible and has to search the WAL. Where it is not recorded, "pg_steward info" does not list it.';
                RETURN point;
            END IF;
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION steward.create_restore_point(text, text) IS
    'Make a restore point and record it in every repository, so that it is known without the server; return its LSN';
