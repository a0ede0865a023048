# kill -9 at many moments of a restore: what is there cannot start, and starting over makes it whole.
use Steward::Test;

my $node = Steward::Node->create('primary');
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t AS SELECT i, md5(i::text) AS x FROM generate_series(1, 500000) i');
$node->sql('CREATE INDEX ON t (x)');
$node->sql('SELECT * FROM steward.backup()');
$node->sql('DELETE FROM t WHERE i % 2 = 0');
$node->sql('SELECT steward.archive_now()');
$node->stop;

my $directory = $node->basedir . '/target';
my @restore = ('restore', '--repository', 'file://' . $node->repository_dir, '--data-dir', $directory, '--jobs', '1');
my $base = "$directory/base";
my @moments = (
	[ 'the mark is there', sub { -e "$directory/pg_steward.restore" } ],
	[ 'the first directory is there', sub { -d $base } ],
	[ 'some files are there', sub { my @f = glob("$base/*/*"); @f > 50 } ],
	[ 'most files are there', sub { my @f = glob("$base/*/*"); @f > 800 } ],
	[ 'the label is there', sub { -e "$directory/backup_label" } ],
);
# Only a pump notices that a process has ended, and dies when it had before.
sub still_runs { my ($run) = @_; return $run->pumpable && eval { $run->pump_nb; 1 }; }

# Run a restore and kill it as soon as the condition is true. Returns whether that was before it was done.
sub restore_is_killed_when
{
	my ($condition) = @_;
	my $run = IPC::Run::start([ 'pg_steward', @restore ], '>', \my $out, '2>', \my $err);
	# No wait between looks: the restore is quick. It may even be done before the last moments are seen.
	my $seen = 0;
	$seen = $condition->() until $seen or !still_runs($run);
	$run->kill_kill(grace => 0);
	return 1 unless -e "$directory/global/pg_control";
	note('the restore was quicker: ' . $err);
	return 0;
}

sub does_not_start
{
	my ($what) = @_;
	my ($started) = $node->run_log([ 'pg_ctl', '-D', $directory, '-w', '-t', '5', 'start' ]);
	return ok(!$started, "killed when $what: what is there does not start");
}

# A fresh restore for each moment.
my $killed = 0;
for my $moment (@moments)
{
	my ($what, $condition) = @$moment;
	system('rm', '-rf', $directory);
	next unless restore_is_killed_when($condition);
	$killed++;
	ok($condition->(), "the restore got as far as: $what");
	does_not_start($what);
	program_ok(\@restore, "killed when $what: starting over succeeds");
	$node->command_ok([ 'pg_verifybackup', $directory ], "killed when $what: and makes it whole");
}
cmp_ok($killed, '>=', 3, 'the restore was killed at several moments');

# Starting over, and killed again and again.
system('rm', '-rf', $directory);
for my $moment (@moments)
{
	last unless restore_is_killed_when($moment->[1]);
	does_not_start("$moment->[0], once more");
}
program_ok(\@restore, 'starting over after several kills succeeds') unless -e "$directory/global/pg_control";
$node->command_ok([ 'pg_verifybackup', $directory ], 'and makes it whole');

my $restored = Steward::Node->restored('restored', $node);
$restored->start_and_promote;
is($restored->sql('SELECT count(*) FROM t'), '250000', 'what was archived after the backup is there');
$restored->amcheck_ok;
$restored->stop;
done_testing();
