# A drill restores, starts, recovers and checks a backup beside the running server, and leaves nothing but its record.
use Steward::Test;
use JSON::PP ();

my $node = Steward::Node->create('primary', settings => { 'synchronous_standby_names' => '', 'archive_cleanup_command' => 'false' });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t AS SELECT i, md5(i::text) AS x FROM generate_series(1, 1000) i');
$node->sql('CREATE INDEX ON t (x)');
$node->sql(q{SELECT * FROM steward.backup(label => 'a')});
$node->sql('INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1001, 1500) i');
my $lsn = $node->sql('SELECT pg_current_wal_lsn()');
$node->archive_current_segment;

my $directory = PostgreSQL::Test::Utils::tempdir_short();
my $scratch = "$directory/pg_steward.drill";
my @drill = ('drill', '--repository', 'file://' . $node->repository_dir, '--data-dir', $node->data_dir, '--drill-directory', $directory);
my $good = 'SELECT count(*) = 1500 FROM t';
sub records { my @found = glob($node->cluster_dir . '/proofs/drill/*'); return @found; }
sub is_clean { my ($what) = @_; return is_deeply([ glob("$directory/*") ], [], "$what: the directory is empty afterwards"); }

# It succeeds.
my $pid_file = slurp($node->data_dir . '/postmaster.pid');
my $report = JSON::PP::decode_json(program_ok([ @drill, '--drill-query', $good, '--output', 'json' ], 'a drill'));
is($report->{result}, 'succeeded', 'it says so');
is($report->{backup}, 'a', 'which backup');
ok($node->sql("SELECT '$report->{recovered_lsn}'::pg_lsn >= '$lsn'"), 'it recovered what came after the backup');
ok($node->sql("SELECT '$report->{last_transaction}'::timestamptz BETWEEN now() - interval '1 hour' AND now()"), 'up to the last transaction');
cmp_ok($report->{recovery_seconds}, '>', 0, 'the recovery was timed');
is(scalar(records()), 1, 'and it is recorded');
is_clean('a drill');
is(slurp($node->data_dir . '/postmaster.pid'), $pid_file, 'the running server is as before');
is($node->sql('SELECT timeline_id FROM pg_control_checkpoint()'), 1, 'on its timeline');
is(join(' ', glob($node->cluster_dir . '/wal/*.history')), '', 'and no other timeline was archived');

# The operator's query.
program_fails([ @drill, '--drill-query', 'SELECT count(*) = 7 FROM t' ], 18, qr/query did not return true/, 'a query that returns false');
program_fails([ @drill, '--drill-query', 'SELECT 1/0' ], 23, qr/division by zero/, 'a query that fails');
is(scalar(records()), 3, 'drills that failed are recorded too');
is_clean('after failures');

# A damaged pack.
my ($name, $repair) = $node->damage_largest_pack;
program_fails(\@drill, 8, qr/\Q$name\E/, 'a damaged pack');
is_clean('a damaged pack');
$repair->();

# What is refused.
program_fails([ grep { $_ ne '--drill-directory' && $_ ne $directory } @drill ], 3, qr/no directory for restore drills/, 'no directory');
program_fails([ @drill[ 0 .. $#drill - 1 ], $node->data_dir ], 3, qr/inside the data directory/, 'the data directory');
program_fails([ @drill, '--backup', 'nothing' ], 5, qr/"nothing"/, 'a backup that is not there');
mkdir($scratch) or die;
spew("$scratch/precious", 'x');
program_fails(\@drill, 18, qr/no drill has left it/, 'a directory that is not ours');
is(slurp("$scratch/precious"), 'x', 'is not touched');
unlink("$scratch/precious") or die;
is(scalar(records()), 4, 'what was refused is no drill');
SKIP:
{
	skip 'no small file system could be mounted (STEWARD_SMALL_DISK)', 2 unless $ENV{STEWARD_SMALL_DISK};
	program_fails([ @drill[ 0 .. $#drill - 1 ], $ENV{STEWARD_SMALL_DISK} ], 12, qr/not enough space/, 'too small a disk');
}

# Killed while its server runs: the server goes with it, and the next drill removes the rest.
my $run = IPC::Run::start([ 'pg_steward', @drill ], '>', \my $out, '2>', \my $err);
my $pid = wait_for_drill_server($directory);
$run->signal('KILL');
eval { $run->finish };
wait_until_gone($pid);
ok(-e "$scratch/THIS_IS_SCRATCH", 'the killed drill has left its directory');
program_ok([ @drill, '--drill-query', $good ], 'the next drill succeeds');
is_clean('the next drill');

# A tablespace.
my $tablespace = PostgreSQL::Test::Utils::tempdir_short();
$node->sql("CREATE TABLESPACE fast LOCATION '$tablespace'");
$node->sql('CREATE TABLE u TABLESPACE fast AS SELECT 1 AS x');
$node->sql(q{SELECT * FROM steward.backup(label => 'b')});
my $told = program_ok([ @drill, '--drill-query', 'SELECT x = 1 FROM u' ], 'a drill with a tablespace');
like($told, qr/backup b: restores and recovers/, 'takes the newest backup');
is_clean('a tablespace');
$node->stop;
done_testing();
