-- Rights come last: everything made above is closed to PUBLIC, then opened to those it is for.
-- Views are for monitoring; actions are for superusers and whom they grant EXECUTE.

REVOKE ALL ON SCHEMA steward FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA steward FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA steward FROM PUBLIC;

GRANT USAGE ON SCHEMA steward TO pg_monitor;
GRANT SELECT ON ALL TABLES IN SCHEMA steward TO pg_monitor;
-- A view checks the right to execute a function for the one who reads it.
GRANT EXECUTE ON FUNCTION
    steward.wal_archive_status(),
    steward.worker_status(),
    steward.backup_progress_status(),
    steward.backup_list(),
    steward.job_list(),
    steward.recovery_window_status(),
    steward.wal_gap_list(),
    steward.restore_point_list(),
    steward.schedule_list()
TO pg_monitor;
