# Jobs: run, reported, recorded, refused, cancelled; the record survives whatever ends them.
use Steward::Test;

my $node = Steward::Node->create('primary');
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
my $jobs = $node->data_dir . '/pg_steward/jobs.jsonl';

# A backup is recorded as any job is.
$node->sql(q{SELECT * FROM steward.backup(label => 'first')});
is($node->sql(q{SELECT number, job, trigger, result, bytes > 0, duration >= '0', summary ~ '^backup "first", ', error, pid, phase FROM steward.jobs}),
	'1|backup|manual|succeeded|t|t|t|||', 'a backup is in steward.jobs');

# A real job through the whole mechanism.
is($node->sql(q{SELECT (r ->> 'backups')::int, json_array_length(r -> 'rows'), (r ->> 'objects')::int > 3 FROM steward.run_job('verify') r}),
	'1|0|t', 'a job returns its report');
is($node->sql(q{SELECT number, job, result, bytes > 0, summary ~ 'all good$' FROM steward.jobs LIMIT 1}), '2|verify|succeeded|t|t', 'and is recorded, newest first');
my @reports = map { s{.*/}{}r } glob($node->data_dir . '/pg_steward/reports/*');
is("@reports", 'verify-2.json', 'its report is kept');
is((stat($node->data_dir . '/pg_steward/reports/verify-2.json'))[2] & 0777, 0600, 'for the owner alone');
like($node->sql(q{SELECT steward.run_job('verify', wait => false)}), qr/"number":3/, 'without wait it returns the number of its run');
$node->wait_for_sql(q{SELECT result = 'succeeded' FROM steward.jobs WHERE number = 3}, 'the run ends');
@reports = map { s{.*/}{}r } glob($node->data_dir . '/pg_steward/reports/*');
is("@reports", 'verify-3.json', 'an earlier report of the job is removed');

# What is found is reported.
my ($segment) = $node->stored_segments;
my $object = $node->wal_object($segment);
my $content = slurp($object);
(my $damaged = $content) =~ s/(.{20})\z/$1 ^ ("\x01" x 20)/se;
chmod(0600, $object);
spew($object, $damaged);
is($node->sql(q{SELECT count(*) > 0, bool_and(object ~ 'wal') FROM json_to_recordset(steward.run_job('verify') -> 'rows') AS r(repository text, object text, problem text)}),
	't|t', 'a damaged object is a row of the report');
like($node->sql('SELECT summary FROM steward.jobs LIMIT 1'), qr/\d problems?$/, 'and counted in the summary');
spew($object, $content);

# What cannot be run.
my %refused = (
	q{'nothing'} => qr/there is no job "nothing"\nHINT:  Jobs are /,
	q{NULL} => qr/there is no job ""/,
	q{'verify', '[1]'} => qr/options of a job must be one JSON object\nHINT:  /,
	q{'verify', json_build_object('x', repeat('x', 3000))} => qr/options of a job are too long\nDETAIL:  They have 30\d\d bytes; 2047 are possible/,
);
for my $arguments (sort keys %refused)
{
	my ($code, undef, $err) = $node->psql('postgres', "SELECT steward.run_job($arguments)");
	isnt($code, 0, "run_job($arguments) is refused");
	like($err, $refused{$arguments}, 'and says why');
}

# An engine that is held still: what runs is shown, a second one is refused, and each way of cancelling cancels.
sub start_held_job
{
	my ($run) = @_;
	$node->sql('SELECT pg_reload_conf()');
	my $held = $run->();
	$node->wait_for_sql(q{SELECT count(engine_pid) = 1 FROM steward.workers WHERE worker = 'verify'}, 'the job runs');
	return $held;
}
my $fake = $node->basedir . '/held';
spew($fake, <<'P');
#!/usr/bin/perl
exec { $ENV{STEWARD_REAL} } 'pg_steward', @ARGV if "@ARGV" ne 'engine upkeep';
open(my $socket, '+<&=', 3) or die;
my $text = sprintf('{"type":"hello","version":"%s","protocol":3}', $ENV{STEWARD_VERSION});
syswrite($socket, pack('V', length $text) . $text);
sysread($socket, my $configuration, 65536);
$text = '{"type":"upkeep_progress","phase":"waiting","done":3,"total":7}';
syswrite($socket, pack('V', length $text) . $text);
while (sysread($socket, my $rest, 65536)) { }
P
chmod(0755, $fake) or die;
my ($real) = grep { -x } map { "$_/pg_steward" } split /:/, $ENV{PATH};
my ($version) = slurp(source_dir() . '/pg_steward.control') =~ /^default_version = '(.*)'/m;
s/\$ENV\{STEWARD_REAL\}/'$real'/, s/\$ENV\{STEWARD_VERSION\}/'$version'/ for my $script = slurp($fake);
spew($fake, $script);
$node->sql(qq{ALTER SYSTEM SET steward.program = '$fake'});
$node->sql('SELECT pg_reload_conf()');
$node->wait_for_sql(qq{SELECT current_setting('steward.program') = '$fake'}, 'the held engine is in place');

my $number;
sub hold
{
	($number) = $node->sql(q{SELECT steward.run_job('verify', wait => false) ->> 'number'});
	$node->wait_for_sql(qq{SELECT result = 'running' AND phase = 'waiting' AND done = 3 AND total = 7 AND pid IS NOT NULL AND finished_at IS NULL
		FROM steward.jobs WHERE number = $number}, "run $number shows how far it is");
	return;
}
sub ends
{
	my ($result, $error, $what) = @_;
	$node->wait_for_sql(qq{SELECT result <> 'running' FROM steward.jobs WHERE number = $number}, "$what: the run ends");
	my ($is, $message) = split /\|/, $node->sql("SELECT result, error FROM steward.jobs WHERE number = $number");
	is($is, $result, "$what: it is recorded as $result");
	like($message, $error, 'with the reason');
	return;
}

hold();
my ($code, undef, $err) = $node->psql('postgres', q{SELECT steward.run_job('verify')});
isnt($code, 0, 'a second run of the job is refused');
like($err, qr/job "verify" is already running\nDETAIL:  Run $number is in the worker with PID \d+\.\nHINT:  Wait/, 'naming the first');
$node->sql("SELECT pg_cancel_backend(pid) FROM steward.jobs WHERE number = $number");
ends('cancelled', qr/cancel/, 'pg_cancel_backend on the worker');
hold();
$node->sql("SELECT pg_terminate_backend(pid) FROM steward.jobs WHERE number = $number");
ends('failed', qr/worker ended unexpectedly/, 'pg_terminate_backend on the worker');
hold();
$node->kill_by_sql(q{SELECT engine_pid FROM steward.workers WHERE worker = 'verify'});
ends('failed', qr/engine with PID \d+ ended unexpectedly/, 'kill -9 of the engine');
like(slurp($node->logfile), qr/WARNING:.*engine with PID \d+ ended unexpectedly\n.*\n?.*while running job "verify"/, 'the log has the failure');

# A worker that cannot be forked: nobody waits for the run, and yet its end is known. The session is there before forking fails.
{
	my ($postmaster) = split /\n/, slurp($node->data_dir . '/postmaster.pid');
	my ($in, $out, $errors) = ("SELECT 'ready';\n", '', '');
	my $session = IPC::Run::start([ 'psql', '-XAtq', '-h', $node->host, '-p', $node->port, '-d', 'postgres' ], '<', \$in, '>', \$out, '2>', \$errors);
	$session->pump until $out =~ /ready/;
	chomp(my $processes = qx(prlimit --pid $postmaster --nproc --output SOFT --noheadings --raw));
	system('prlimit', '--pid', $postmaster, '--nproc=1:') == 0 or die 'could not limit the number of processes';
	$in .= "SELECT steward.run_job('verify', wait => false);\nSELECT * FROM steward.backup(wait => false);\n\\q\n";
	$session->finish;
	system('prlimit', '--pid', $postmaster, "--nproc=$processes:") == 0 or die 'could not lift the limit';
	is(() = $errors =~ /worker could not start\nHINT:  The server's log says why/g, 2, 'the caller is told of a worker that cannot start');
	is($node->sql('SELECT job, result, error FROM steward.jobs ORDER BY number DESC LIMIT 2'),
		"backup|failed|worker could not start\nverify|failed|worker could not start", 'and both runs have failed');
}

# The caller's end is the job's.
for my $end (qw(cancel terminate))
{
	my ($out, $errors) = ('', '');
	my $session = IPC::Run::start([ 'psql', '-X', '-h', $node->host, '-p', $node->port, '-d', 'postgres', '-c', q{SELECT steward.run_job('verify')} ], '>', \$out, '2>', \$errors);
	$node->wait_for_sql(q{SELECT count(*) = 1 FROM steward.jobs WHERE phase = 'waiting'}, 'a session waits for a job');
	$number = $node->sql('SELECT max(number) FROM steward.jobs');
	$node->sql(qq{SELECT pg_${end}_backend(pid) FROM pg_stat_activity WHERE query LIKE '%run_job%' AND pid <> pg_backend_pid()});
	ends('cancelled', qr/verify was canceled on request/, "$end of the session that waits");
	IPC::Run::finish($session);
}

# The history outlives the server: in order, and in disorder.
my $rows = q{SELECT number, job, trigger, started_at, finished_at, bytes, result, summary, error FROM steward.jobs};
my $before = $node->sql($rows);
$node->restart;
is($node->sql($rows), $before, 'the history survives a restart');
hold();
$node->kill_by_sql(q{SELECT pid FROM steward.workers WHERE worker = 'verify'});
poll_until(sub { $node->answers }, 'the server is there again after the crash of a worker');
ends('failed', qr/^server ended while it ran$/, 'kill -9 of the worker');
is($node->sql("SELECT finished_at, duration FROM steward.jobs WHERE number = $number"), '|', 'an end that nobody saw has no time');
hold();
my ($postmaster) = split /\n/, slurp($node->data_dir . '/postmaster.pid');
kill('KILL', $postmaster) or die;
$node->start_after_kill;
# The worker may see the end and record it, or be as quick as the postmaster.
ends('failed', qr/^(?:server ended while it ran|worker ended unexpectedly)$/, 'kill -9 of the postmaster');
$node->sql('ALTER SYSTEM RESET steward.program');
$node->sql('SELECT pg_reload_conf()');
$node->wait_for_sql(qq{SELECT current_setting('steward.program') = ''}, 'the right engine is back');
is($node->sql(q{SELECT json_array_length(steward.run_job('verify') -> 'rows')}), '0', 'the job runs again');
is($node->sql('SELECT number FROM steward.jobs LIMIT 1'), $number + 1, 'numbers go on');

# A line that was cut off hides nothing but itself.
$node->stop;
open(my $file, '>>', $jobs) or die;
print $file '{"number":999,"jo';
close($file);
$node->start;
$node->sql(q{SELECT steward.run_job('verify')});
$node->restart;
is($node->sql('SELECT number, result FROM steward.jobs LIMIT 1'), ($number + 2) . '|succeeded', 'a line that was cut off does no harm to the next');

# It belongs to this server: neither in a backup nor in what is restored.
$node->sql(q{SELECT * FROM steward.backup(label => 'second')});
$node->sql('SELECT steward.archive_now()');
my $restored = Steward::Node->restored('restored', $node);
is(join(' ', glob($restored->data_dir . '/pg_steward/*')), '', 'a restored directory has no history');
$restored->start_and_promote;
is($restored->sql('SELECT count(*) FROM steward.jobs'), '0', 'nor has its server');
$restored->stop;
$node->stop;
done_testing();
