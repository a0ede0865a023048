# The schedule: what is due runs, once, and not on a standby.
use Steward::Test;

# Once a day, half a day away: never due while the test runs.
my $hour = ((gmtime)[2] + 12) % 24;
my $daily = "0 $hour * * *";

my $node = Steward::Node->create('primary', settings => { 'steward.backup_schedule' => $daily, 'steward.timezone' => 'UTC' });
$node->prepare_past('backup', $daily, 5 * 86400);
$node->start;
$node->sql('CREATE EXTENSION pg_steward');

# One catch-up, however many days were missed.
$node->wait_for_sql(q{SELECT count(*) = 1 FROM steward.jobs WHERE number > 41 AND result = 'succeeded'}, 'what became due while the server was down runs');
is($node->sql(q{SELECT number, job, trigger, result FROM steward.jobs WHERE number > 41}), '42|backup|schedule|succeeded', 'once');
like($node->sql('SELECT label FROM steward.backups'), qr/^\d{8}-\d{6}Z$/, 'the backup is named by the time');
like(slurp($node->logfile), qr/starting scheduled job "backup": due since .*T@{[ sprintf('%02d', $hour) ]}:00:00.*, and \d other runs were missed/, 'the log says why');
$node->wait_for_sql(qq{SELECT state = 'waiting' AND next_run_at > now() AND next_run_at <= now() + interval '1 day' AND expression = '$daily' AND timezone = 'UTC'
	AND last_run_at = (SELECT started_at FROM steward.jobs WHERE number = 42) FROM steward.schedule WHERE job = 'backup'}, 'steward.schedule shows what comes next');
is($node->sql(q{SELECT job, state, expression, next_run_at FROM steward.schedule WHERE job <> 'backup' ORDER BY job}), "drill|off||\nverify|off||", 'and what has no schedule');
my @runs = $node->sql('SELECT count(*) FROM steward.jobs');
$node->restart;
$node->wait_for_sql(q{SELECT state = 'waiting' FROM steward.schedule WHERE job = 'backup'}, 'after a restart the scheduler plans again');
is($node->sql('SELECT count(*) FROM steward.jobs'), $runs[0], 'what was caught up is not caught up again');

# A schedule that is new owes nothing.
$node->sql(q{ALTER SYSTEM SET steward.verify_schedule = '@daily'});
$node->sql('SELECT pg_reload_conf()');
$node->wait_for_sql(q{SELECT state = 'waiting' AND next_run_at > now() FROM steward.schedule WHERE job = 'verify'}, 'a new schedule waits for its first time');
is($node->sql(q{SELECT count(*) FROM steward.jobs WHERE job = 'verify'}), '0', 'nothing of before is caught up');
like(slurp($node->data_dir . q(/pg_steward/schedule.json)), qr/"verify": \{\s*"schedule": "\@daily".*"enabled_since": "\d{4}-/s, 'since when it is set is remembered');

# Every minute: it runs without anything else happening.
$node->sql(q{ALTER SYSTEM SET steward.verify_schedule = '* * * * *'});
$node->sql('SELECT pg_reload_conf()');
$node->wait_for_sql(q{SELECT EXISTS (SELECT FROM steward.jobs WHERE job = 'verify' AND trigger = 'schedule' AND result = 'succeeded')}, 'a job that becomes due runs');
$node->sql('ALTER SYSTEM RESET steward.verify_schedule');
$node->sql('SELECT pg_reload_conf()');
$node->wait_for_sql(q{SELECT state = 'off' FROM steward.schedule WHERE job = 'verify'}, 'a schedule that is taken away is off');

# Values are checked where they are entered.
my %nonsense = (
	'steward.backup_schedule' => [ '61 * * * *', qr/invalid value for parameter "steward\.backup_schedule": "61 \* \* \* \*"\nDETAIL:  .*\nHINT:  / ],
	'steward.drill_schedule' => [ '@sometimes', qr/invalid value for parameter "steward\.drill_schedule"/ ],
	'steward.timezone' => [ 'Mars/Olympus', qr/DETAIL:  Time zone "Mars\/Olympus" does not exist\.\nHINT:  Use a name like/ ],
	'steward.schedule_jitter' => [ '-1', qr/outside the valid range/ ],
);
for my $name (sort keys %nonsense)
{
	my ($code, undef, $err) = $node->psql('postgres', "ALTER SYSTEM SET $name = '$nonsense{$name}[0]'");
	isnt($code, 0, "$name = '$nonsense{$name}[0]' is refused");
	like($err, $nonsense{$name}[1], 'and says why');
}

# next_runs: over the change to summer time, what is left out runs once, right after the gap.
my $local = q{SELECT string_agg(DISTINCT to_char(t AT TIME ZONE 'Europe/Berlin', 'HH24:MI'), ',') FROM steward.next_runs('30 2 * * *', 366, 'Europe/Berlin') t};
is($node->sql($local), '02:30,03:00', 'a run in the hour that is left out comes right after it');
is($node->sql(q{SELECT count(DISTINCT (t AT TIME ZONE 'Europe/Berlin')::date), count(*) FROM steward.next_runs('30 2 * * *', 366, 'Europe/Berlin') t}),
	'366|366', 'once a day, also on the day that repeats an hour');
is($node->sql(q{SELECT count(*), min(t) > now(), bool_and(extract(minute FROM t) = 0) FROM steward.next_runs('@hourly') t}), '5|t|t', 'five unless told');
my %refused = (q{'* * *'} => qr/HINT:  /, q{'@daily', 0} => qr/Ask for 1 to 1000/, q{'@daily', 5, 'Nowhere'} => qr/time zone "Nowhere" does not exist\nHINT/);
for my $arguments (sort keys %refused)
{
	my ($code, undef, $err) = $node->psql('postgres', "SELECT * FROM steward.next_runs($arguments)");
	isnt($code, 0, "next_runs($arguments) is refused");
	like($err, $refused{$arguments}, 'and says why');
}

$node->stop;

# A standby is quiet though runs are due; promoted, it runs them.
my $primary = Steward::Node->create('source', settings => { max_wal_senders => 5, wal_level => 'replica' });
$primary->start;
$primary->sql('CREATE EXTENSION pg_steward');
$primary->append_conf('pg_hba.conf', 'local replication all trust');
$primary->reload;
$primary->backup('base');
my $standby = bless PostgreSQL::Test::Cluster->new('standby'), 'Steward::Node';
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->set('steward.backup_schedule' => $daily, 'steward.timezone' => 'UTC');
$standby->prepare_past('backup', $daily, 5 * 86400);
$standby->start;
$standby->wait_for_sql(q{SELECT reason = 'the server is in recovery' AND state = 'waiting' FROM steward.schedule WHERE job = 'backup'}, 'the scheduler of a standby says why it waits');
is($standby->sql('SELECT count(*) FROM steward.jobs WHERE number > 41'), '0', 'nothing runs there');
$primary->stop;
$standby->promote;
$standby->wait_for_sql(q{SELECT EXISTS (SELECT FROM steward.jobs WHERE number = 42 AND trigger = 'schedule' AND result = 'succeeded')}, 'after promotion what is due runs');
is($standby->sql('SELECT count(*) FROM steward.jobs WHERE number > 41'), '1', 'once');
$standby->stop;
done_testing();
