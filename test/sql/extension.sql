-- The harness created the extension (--load-extension).
SELECT n.nspname AS schema, e.extrelocatable, e.extversion = a.default_version AS is_default_version
FROM pg_extension e
    JOIN pg_namespace n ON n.oid = e.extnamespace
    JOIN pg_available_extensions a ON a.name = e.extname
WHERE e.extname = 'pg_steward';
-- It lives in a schema of its own.
ALTER EXTENSION pg_steward SET SCHEMA public;
