-- Jobs: what runs, has run and failed.

CREATE FUNCTION steward.run_job(job text, options json DEFAULT '{}', wait boolean DEFAULT true)
RETURNS json
AS 'MODULE_PATHNAME', 'steward_run_job'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.run_job(text, json, boolean) IS
    'Run a job of the upkeep engine; return its report, or without wait the number of the run';

CREATE FUNCTION steward.job_list(
    OUT number bigint,
    OUT job text,
    OUT trigger text,
    OUT started_at timestamptz,
    OUT finished_at timestamptz,
    OUT bytes bigint,
    OUT result text,
    OUT summary text,
    OUT error text,
    OUT pid integer,
    OUT phase text,
    OUT done bigint,
    OUT total bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'steward_jobs'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

-- A run that the server's end cut short has no end, and so no duration.
CREATE VIEW steward.jobs AS
SELECT number, job, trigger, started_at, finished_at,
    CASE WHEN result = 'running' THEN clock_timestamp() ELSE finished_at END - started_at AS duration,
    bytes, result, summary, error, pid, phase, done, total
FROM steward.job_list();
COMMENT ON VIEW steward.jobs IS 'Runs of backups and jobs, newest first; also of before the server''s start';
