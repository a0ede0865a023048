BEGIN;
SELECT plan(2);
SELECT has_schema('steward');
SELECT is_empty(
    $$ SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
       JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pg_steward'
       WHERE has_function_privilege('public', p.oid, 'EXECUTE') AND p.provolatile = 'v' $$,
    'no function with effects can be called by everybody');
SELECT * FROM finish();
ROLLBACK;
