-- What the extension consists of: a change here is a change for operators.
SELECT pg_describe_object(classid, objid, 0) AS object
FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_steward')
    AND classid <> 'pg_type'::regclass
ORDER BY 1;
-- Columns of the views.
SELECT relname, string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) AS columns
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
WHERE relnamespace = 'steward'::regnamespace AND relkind = 'v' GROUP BY relname ORDER BY relname COLLATE "C";
-- Arguments.
SELECT p.oid::regprocedure, proargnames[1:pronargs] AS arguments
FROM pg_proc p WHERE pronamespace = 'steward'::regnamespace ORDER BY p.oid::regprocedure::text COLLATE "C";
