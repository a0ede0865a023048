# An upgrade that is killed at any step can be resumed or rolled back, and so can a rollback and a commit.
use Steward::Test;
use IPC::Run ();
use Steward::OldCluster;
use Steward::RichCluster;

my $to = pg_major();
my $bindir = own_bindir();
my %older = Steward::OldCluster::older_majors();

# Lines of the journal that say that this step was begun.
sub times_begun { my ($cluster, $step) = @_; return scalar(() = (eval { slurp("$cluster->{data}.upgrade/journal") } // '') =~ /"event":"step","at":"[^"]*","hop":\d+,"step":"\Q$step\E"/g); }

sub is_exchanged { my ($cluster) = @_; return slurp("$cluster->{data}.upgrade/journal") =~ /"event":"done","at":"[^"]*","hop":\d+,"step":"exchange"/; }

# Start a verb and kill it once the condition is true. Returns whether it was killed, and not done before.
sub kill_when
{
	my ($cluster, $condition, $verb, @arguments) = @_;
	my ($stdout, $stderr) = ('', '');
	my $run = IPC::Run::start([ 'pg_steward', 'upgrade', $verb, '--data-dir', $cluster->{data}, @arguments ], '<', \undef, '>', \$stdout, '2>', \$stderr);
	my $deadline = time() + Steward::Test::timeout();
	while ($run->pumpable && !$condition->())
	{
		die "timed out waiting to kill: $stdout$stderr" if time() > $deadline;
		$run->pump_nb;
		Time::HiRes::usleep(1000);
	}
	$run->signal('KILL') if $run->pumpable;
	$run->finish;
	my $killed = ($? & 127) == 9;
	note("$verb was killed: " . ($killed ? 'yes' : "no, $stdout$stderr"));
	return $killed;
}

# The same once it has begun the step.
sub kill_at
{
	my ($cluster, $step, $verb, @arguments) = @_;
	my $before = times_begun($cluster, $step);
	note("to be killed at $step");
	return kill_when($cluster, sub { times_begun($cluster, $step) > $before }, $verb, @arguments);
}

sub small_cluster
{
	my ($from) = @_;
	my $tablespace = PostgreSQL::Test::Utils::tempdir_short() . '/fast';
	mkdir($tablespace) or die "could not create directory: $!";
	my $cluster = Steward::OldCluster->create($from, $older{$from});
	$cluster->{tablespace} = $tablespace;
	$cluster->start;
	$cluster->sql('postgres', "CREATE TABLESPACE fast LOCATION '$tablespace'", q{CREATE ROLE alice PASSWORD 'x'},
		'CREATE TABLE t TABLESPACE fast AS SELECT generate_series(1, 1000) AS a', 'CREATE TABLE u AS SELECT * FROM t', q{SELECT lo_from_bytea(0, 'large')});
	$cluster->stop;
	return $cluster;
}

# Kill a run at each of its steps, always going on with it.
sub test_resuming
{
	my ($cluster, $method, $before, @run) = @_;
	my @steps = ('clear', 'fingerprint', ($method =~ /link|swap/ ? 'preserve' : ()), 'initialize', 'configure', 'transfer', 'extensions', 'collations', 'statistics', 'compare', 'exchange');
	my %was;
	for my $step (@steps)
	{
		kill_at($cluster, $step, 'run', @run) or next;
		my $status = upgrade_state($cluster);
		# Behind the last line of the journal there is nothing to resume.
		my $expected = is_exchanged($cluster) ? 'upgraded, not committed' : 'can be resumed';
		is($status->{state}, $expected, "$method, killed at $step: $expected") or diag($status->{reason});
		$was{ $status->{next}{step} } = 1 if $status->{next};
	}
	ok($was{transfer} || $was{clear}, "$method: it was killed where it matters");
	my %run = upgrade('run', $cluster);
	# The last one may have been too late.
	ok($run{exit} == 0 || ($run{exit} == 18 && $run{stderr} =~ /upgraded, not committed/), "$method: then it is resumed to its end");
	is(upgrade_state($cluster)->{state}, 'upgraded, not committed', "$method: upgraded");
	is_same_dump($before, dump_with($cluster, $bindir), "$method: the new cluster holds what the old one held");
	return;
}

sub test_rollback
{
	my ($cluster, $from, $method, $before) = @_;
	for my $step ('bring_back', 'remove_made')
	{
		kill_at($cluster, $step, 'rollback', '--discard-changes') or next;
		like(upgrade_state($cluster)->{state}, qr/^(?:rollback to be finished|rolled back)$/, "$method, killed at $step: the rollback is to be finished");
	}
	is((upgrade('rollback', $cluster))[1], 0, "$method: and is finished");
	is(upgrade_state($cluster)->{state}, 'rolled back', "$method: rolled back");
	is_same_dump($before, dump_with($cluster, $older{$from}), "$method: the old cluster is what it was");
	return;
}

# The moment from which the old cluster must not be started any more, or in which data are being carried over.
sub point_of_no_return
{
	my ($cluster, $method) = @_;
	return sub { -e "$cluster->{data}/global/pg_control.old" } if $method =~ /link|swap/;
	return sub { -d "$cluster->{data}.upgrade/dump" } if $method eq 'dump';
	return sub { my @files = glob("$cluster->{tablespace}/PG_${to}_*/*/*"); return scalar @files };
}

# Kill in the middle of it all, and give up instead of going on.
sub test_giving_up
{
	my ($cluster, $from, $method, $before, @run) = @_;
	kill_when($cluster, point_of_no_return($cluster, $method), 'run', @run);
	is(upgrade_state($cluster)->{next}{step}, 'clear', "$method: what was half carried over is to be carried over anew");
	kill_at($cluster, 'clear', 'run');
	kill_when($cluster, point_of_no_return($cluster, $method), 'run');
	is((upgrade('rollback', $cluster))[1], 0, "$method, killed in the middle of the transfer: rolled back");
	is_same_dump($before, dump_with($cluster, $older{$from}), "$method: the old cluster is what it was");
	kill_at($cluster, 'compare', 'run', @run);
	is((upgrade('rollback', $cluster, '--discard-changes'))[1], 0, "$method, killed at compare: rolled back");
	is_same_dump($before, dump_with($cluster, $older{$from}), "$method: the old cluster is what it was");
	is(leftovers_in($cluster->{tablespace}, $from), '', 'nothing is left in its tablespace');
	return;
}

sub test_commit
{
	my ($cluster, $method, $before, @run) = @_;
	is((upgrade('run', $cluster, @run))[1], 0, "$method: upgraded again");
	if (kill_at($cluster, 'remove_old', 'commit'))
	{
		like(upgrade_state($cluster)->{state}, qr/^(?:commit to be finished|not begun)$/, "$method: a killed commit is to be finished");
		my %again = upgrade('rollback', $cluster);
		is($again{exit}, 18, "$method: and cannot be rolled back") or diag($again{stdout});
	}
	upgrade('commit', $cluster) if -e "$cluster->{data}.upgrade/journal";
	ok(!-e "$cluster->{data}.upgrade/journal", "$method: committed");
	is_same_dump($before, dump_with($cluster, $bindir), "$method: the new cluster works on");
	return;
}

# An old cluster that was used between the kill and the resumption is carried over as it is then.
sub test_used_meanwhile
{
	my ($cluster, $from, @run) = @_;
	kill_at($cluster, 'statistics', 'run', @run) or return;
	{
		local $cluster->{bindir} = $older{$from};
		$cluster->start;
		$cluster->sql('postgres', q{INSERT INTO u VALUES (-1)});
		$cluster->stop;
	}
	my $status = upgrade_state($cluster);
	is($status->{next}{step}, 'clear', 'an old cluster that was used meanwhile is carried over anew');
	is((upgrade('run', $cluster))[1], 0, 'which succeeds');
	local $cluster->{bindir} = $bindir;
	$cluster->start;
	is($cluster->sql('postgres', 'SELECT count(*) FROM u WHERE a = -1'), 1, 'and nothing of it is lost');
	$cluster->stop;
	return;
}

my @majors = sort { $a <=> $b } keys %older;
my @methods = ('copy', 'link', $to >= 18 ? 'swap' : (), 'dump');
for my $i (0 .. $#methods)
{
	last if !@majors;
	my ($method, $from) = ($methods[$i], $majors[ $i % @majors ]);
	note("$method from $from");
	my $cluster = small_cluster($from);
	my $before = dump_with($cluster, $older{$from});
	my @run = ('--to', $to, '--method', $method, '--bindir', $older{$from});
	test_resuming($cluster, $method, $before, @run);
	test_rollback($cluster, $from, $method, $before);
	test_giving_up($cluster, $from, $method, $before, @run);
	$method eq 'copy' ? test_used_meanwhile($cluster, $from, @run) : test_commit($cluster, $method, $before, @run);
}

# What needs no older major.
my $node = Steward::Node->create('own', preload => 0);
my $data = $node->data_dir;
mkdir("$data.upgrade") or die $!;
spew("$data.upgrade/journal", "nonsense\n");
program_fails([ 'upgrade', 'status', '--data-dir', $data ], 8, qr/not understood.*line 1 of the journal/s, 'a journal that is damaged');
program_fails([ 'upgrade', 'rollback', '--data-dir', $data ], 8, qr/not understood/, 'nothing is done by it');
spew("$data.upgrade/journal", '{"event":"begin","at":"2026-');
like((run_program('upgrade', 'status', '--data-dir', $data))[3], qr/^state: not begun$/m, 'a torn first line is no upgrade');
done_testing();
