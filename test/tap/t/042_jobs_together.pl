# Jobs and their schedules together: an expiry follows each scheduled backup, a cluster's own delay, and kinds of job side by side.
use Steward::Test;

my $directory = PostgreSQL::Test::Utils::tempdir_short();
my $gate = "$directory/gate";
my $hour = ((gmtime)[2] + 12) % 24;
# Once a day, half a day away: due only when it was missed.
my $daily = "0 $hour * * *";
my $node = Steward::Node->create('primary', settings => {
	'steward.timezone' => 'UTC', 'steward.retention' => '1', 'steward.backup_schedule' => $daily,
	'steward.drill_directory' => $directory, 'steward.drill_query' => "SELECT passes('$gate')" });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
my $history = $node->data_dir . '/pg_steward/jobs.jsonl';
$node->sql(q{CREATE FUNCTION passes(gate text) RETURNS boolean LANGUAGE plpgsql AS
	$$BEGIN WHILE pg_stat_file(gate, true) IS NULL LOOP PERFORM pg_sleep(0.05); END LOOP; RETURN true; END$$});

sub labels { return join(' ', sort map { m{([^/]+)/manifest$} } glob($node->cluster_dir . '/backups/*/manifest')); }
sub runs { my ($job) = @_; return $node->sql("SELECT count(*) FROM steward.jobs WHERE job = '$job' AND number > 41"); }
sub reload_with
{
	my (%settings) = @_;
	$node->sql("ALTER SYSTEM SET $_ = '$settings{$_}'") for sort keys %settings;
	return $node->sql('SELECT pg_reload_conf()');
}

# An expiry follows a scheduled backup, and no other.
for my $label (qw(a b))
{
	$node->sql("SELECT * FROM steward.backup(label => '$label')");
	$node->archive_current_segment;
}
my ($oldest) = $node->stored_segments;
is($node->sql(q{SELECT count(*) FROM steward.jobs WHERE job = 'expire'}), '0', 'no expiry follows a backup that was asked for');
$node->stop;
$node->prepare_past('backup', $daily, 5 * 86400);
$node->start;
$node->wait_for_sql(q{SELECT count(*) = 1 FROM steward.jobs WHERE job = 'expire' AND result <> 'running'}, 'an expiry follows a scheduled backup');
is($node->sql(q{SELECT e.trigger, e.result, e.started_at >= b.finished_at, e.summary ~ '^removed 2 backups, ' FROM steward.jobs e, steward.jobs b
	WHERE e.job = 'expire' AND b.job = 'backup' AND b.number > 41}), 'schedule|succeeded|t|t', 'after its end, as a scheduled job');
like(labels(), qr/^\d{8}-\d{6}Z$/, 'the scheduled backup alone stays');
ok(!-e $node->wal_object($oldest), 'and WAL that nobody needs is gone');
$node->restart;
$node->wait_for_sql(q{SELECT state = 'waiting' FROM steward.schedule WHERE job = 'backup'}, 'the scheduler plans again');
is(runs('expire'), '1', 'it does not follow twice');

# It is owed until it has run: a server that ended between the two finds that out.
$node->stop;
spew($history, join('', grep { !/"job":"expire"/ } split(/^/, slurp($history))));
$node->start;
$node->wait_for_sql(q{SELECT trigger = 'schedule' AND result = 'succeeded' FROM steward.jobs WHERE job = 'expire'}, 'what was owed before the restart runs');
is(runs('backup'), '1', 'without another backup');

# Each cluster's delay is its own: find one of at least ten minutes, which last longer than what follows.
my ($limit, $delay) = (43200, 0);
for (my $minute = 0; $delay < 600; $minute++)
{
	reload_with('steward.schedule_jitter' => --$limit, 'steward.verify_schedule' => "$minute 0 * * *");
	my $planned = qq{FROM steward.schedule WHERE job = 'verify' AND expression = '$minute 0 * * *' AND next_run_at IS NOT NULL};
	$node->wait_for_sql("SELECT EXISTS (SELECT $planned)", 'the next run is planned');
	$delay = $node->sql("SELECT mod(extract(epoch FROM next_run_at)::bigint - $minute * 60, 86400) $planned");
}
cmp_ok($delay, '<=', $limit, 'the delay is within its bound');
# Due a minute ago without the delay.
my $due = time() - time() % 60 - 60;
my $expression = sprintf('%d %d * * *', (gmtime($due))[ 1, 2 ]);
reload_with('steward.verify_schedule' => $expression);
$node->stop;
$node->prepare_past('verify', $expression, 1800);
$node->start;
$node->wait_for_sql(qq{SELECT state = 'waiting' AND next_run_at = to_timestamp($due + $delay) FROM steward.schedule WHERE job = 'verify'}, 'the run waits for its delay');
is(runs('verify'), '0', 'it has not begun');
reload_with('steward.schedule_jitter' => 0);
$node->wait_for_sql(q{SELECT EXISTS (SELECT FROM steward.jobs WHERE job = 'verify' AND trigger = 'schedule' AND result = 'succeeded')}, 'without a delay it runs');

# Kinds run side by side: a drill that waits for us holds up neither a verification nor an expiry.
$node->sql(q{SELECT steward.run_job('drill', wait => false)});
my $drill = q{SELECT result = 'running' AND phase = 'running the query' FROM steward.jobs WHERE job = 'drill'};
$node->wait_for_sql($drill, 'a drill runs its query');
is($node->sql('SELECT result FROM steward.verify()'), 'good', 'beside it a verification comes to its end');
cmp_ok($node->sql('SELECT count(*) FROM steward.expire()'), '>', 0, 'and so does an expiry');
my ($code, undef, $err) = $node->psql('postgres', 'SELECT * FROM steward.drill()');
like($err, qr/job "drill" is already running/, 'but not a second drill');
is($node->sql($drill), 't', 'the drill still runs');
spew($gate, '');
$node->wait_for_sql(q{SELECT result <> 'running' FROM steward.jobs WHERE job = 'drill'}, 'the drill ends');
is($node->sql(q{SELECT d.result, bool_and(o.finished_at < d.finished_at) FROM steward.jobs d, steward.jobs o
	WHERE d.job = 'drill' AND o.number > d.number GROUP BY 1}), 'succeeded|t', 'after the others, and succeeds');
$node->stop;
done_testing();
