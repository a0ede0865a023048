-- Before a major upgrade.
-- Run with the rights of the extension's owner, so that whoever is granted it needs no right to run every job.

CREATE FUNCTION steward.upgrade_check(target integer, new_bindir text DEFAULT NULL)
RETURNS TABLE (
    "check" text,
    weight text,
    summary text,
    detail text,
    objects text[],
    cures text[])
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.*
    FROM json_to_recordset(steward.run_job('upgrade_check', json_strip_nulls(json_build_object('target', target, 'new_bindir', new_bindir))) -> 'rows')
        AS r("check" text, weight text, summary text, detail text, objects text[], cures text[])
$$;
COMMENT ON FUNCTION steward.upgrade_check(integer, text) IS
    'Find what is in the way of an upgrade to another major of PostgreSQL, the worst first, and how it is cured; no rows mean that nothing is';
