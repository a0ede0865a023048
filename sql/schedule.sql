-- Schedules: what is planned.

CREATE FUNCTION steward.next_runs(expression text, n integer DEFAULT 5, timezone text DEFAULT NULL)
RETURNS SETOF timestamptz
AS 'MODULE_PATHNAME', 'steward_next_runs'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION steward.next_runs(text, integer, text) IS
    'When a schedule comes next; in the time zone of steward.timezone unless another is named';

CREATE FUNCTION steward.schedule_list(
    OUT job text,
    OUT expression text,
    OUT timezone text,
    OUT next_run_at timestamptz,
    OUT last_run_at timestamptz,
    OUT state text,
    OUT reason text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'steward_schedule'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

CREATE VIEW steward.schedule AS SELECT * FROM steward.schedule_list();
COMMENT ON VIEW steward.schedule IS 'What the scheduler plans, one row for each job that can have a schedule';
