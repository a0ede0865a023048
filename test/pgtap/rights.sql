-- Everything is closed to PUBLIC, the views are open to pg_monitor, actions only to those they are granted to.
BEGIN;
SELECT plan(32);

CREATE ROLE steward_nobody;
CREATE ROLE steward_watcher IN ROLE pg_monitor;
CREATE ROLE steward_operator;

SELECT schema_privs_are('steward', 'public', ARRAY[]::text[]);
SELECT schema_privs_are('steward', 'pg_monitor', ARRAY['USAGE']);
SELECT is_empty(
    $$ SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind IN ('v', 'r')
       AND has_table_privilege('steward_nobody', c.oid, 'SELECT') $$,
    'no view can be read by everybody');
SELECT is_empty(
    $$ SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'steward'::regnamespace
       AND has_function_privilege('steward_nobody', p.oid, 'EXECUTE') $$,
    'no function can be called by everybody');

-- Watching.
SET ROLE steward_watcher;
SELECT lives_ok('TABLE steward.wal_archive', 'a monitor reads wal_archive');
SELECT lives_ok('TABLE steward.workers', 'a monitor reads workers');
SELECT lives_ok('TABLE steward.backups', 'a monitor reads backups');
SELECT lives_ok('TABLE steward.backup_progress', 'a monitor reads backup_progress');
SELECT lives_ok('TABLE steward.jobs', 'a monitor reads jobs');
SELECT lives_ok('TABLE steward.recovery_window', 'a monitor reads recovery_window');
SELECT lives_ok('TABLE steward.wal_gaps', 'a monitor reads wal_gaps');
SELECT lives_ok('TABLE steward.restore_points', 'a monitor reads restore_points');
SELECT throws_ok($$SELECT steward.create_restore_point('p')$$, '42501', NULL, 'a monitor cannot make restore points');
SELECT lives_ok('TABLE steward.schedule', 'a monitor reads schedule');
SELECT throws_ok($$SELECT steward.next_runs('@daily')$$, '42501', NULL, 'a monitor cannot call functions');
SELECT throws_ok($$SELECT steward.run_job('verify')$$, '42501', NULL, 'a monitor cannot run jobs');
SELECT throws_ok('SELECT steward.archive_now()', '42501', NULL, 'a monitor cannot switch segments');
SELECT throws_ok('SELECT * FROM steward.backup()', '42501', NULL, 'a monitor cannot take backups');
SELECT throws_ok('SELECT * FROM steward.expire()', '42501', NULL, 'a monitor cannot expire backups');
SELECT throws_ok($$SELECT * FROM steward.keep('x')$$, '42501', NULL, 'a monitor cannot pin backups');
RESET ROLE;

-- Nobody.
SET ROLE steward_nobody;
SELECT throws_ok('TABLE steward.wal_archive', '42501', NULL, 'others cannot read wal_archive');
SELECT throws_ok('TABLE steward.backups', '42501', NULL, 'others cannot read backups');
SELECT throws_ok('TABLE steward.jobs', '42501', NULL, 'others cannot read jobs');
SELECT throws_ok('TABLE steward.recovery_window', '42501', NULL, 'others cannot read recovery_window');
SELECT throws_ok('TABLE steward.schedule', '42501', NULL, 'others cannot read schedule');
SELECT throws_ok('SELECT * FROM steward.backup_list()', '42501', NULL, 'nor go round the view');
RESET ROLE;

-- An operator who was granted one action has that one.
GRANT USAGE ON SCHEMA steward TO steward_operator;
GRANT EXECUTE ON FUNCTION steward.archive_now(interval), steward.create_restore_point(text, text) TO steward_operator;
SET ROLE steward_operator;
SELECT matches(steward.archive_now(), '^[0-9A-F]{24}$', 'an operator archives once it is granted');
SELECT lives_ok($$SELECT steward.create_restore_point('an operator''s')$$, 'and makes restore points');
SELECT throws_ok('SELECT * FROM steward.backup()', '42501', NULL, 'and nothing else');
SELECT throws_ok('SELECT * FROM steward.expire()', '42501', NULL, 'not this one either');
RESET ROLE;
GRANT EXECUTE ON FUNCTION steward.keep(text, boolean, text) TO steward_operator;
SET ROLE steward_operator;
SELECT throws_like($$SELECT * FROM steward.keep('nothing')$$, '%there is no backup "nothing"%', 'an operator pins without the right to run every job');
RESET ROLE;

SELECT has_view('steward', 'wal_archive', 'the view of the design is there');


SELECT * FROM finish();
ROLLBACK;
