# An upgrade that is killed at any step can be resumed or rolled back, and so can a rollback and a commit.
use Steward::Test;
use Steward::OldCluster;
use Steward::RichCluster;
use Steward::SteppedUpgrade;

my $to = pg_major();
my $bindir = own_bindir();
my %older = Steward::OldCluster::older_majors();

sub is_exchanged { my ($cluster) = @_; return slurp("$cluster->{data}.upgrade/journal") =~ /"event":"done","at":"[^"]*","hop":\d+,"step":"exchange"/; }

# Start a verb and kill it when it has begun the step, before it does anything for it. hop: of several.
sub kill_at
{
	my ($cluster, $step, $hop, $verb, @arguments) = @_;
	my $run = Steward::SteppedUpgrade->start($cluster, $verb, @arguments);
	return ok($run->stand_at($step, $hop), "$verb: is at $step") && ok($run->kill, 'and is killed there');
}

# Kill a run in the middle of a step, as soon as the condition is true. Where that is, is for the machine to decide.
sub kill_in
{
	my ($cluster, $step, $condition, @arguments) = @_;
	my $run = Steward::SteppedUpgrade->start($cluster, 'run', @arguments);
	ok($run->stand_at($step), "run: is at $step");
	$run->go_on($condition);
	note('the run was killed: ' . ($run->kill ? 'yes' : 'no, it had ended'));
	return;
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
	for my $step (upgrade_steps($method))
	{
		kill_at($cluster, $step, undef, 'run', @run) or next;
		my $status = upgrade_state($cluster);
		is($status->{state}, 'can be resumed', "$method, killed at $step: can be resumed") or diag($status->{reason});
		is($status->{next}{step}, $step eq 'transfer' ? 'clear' : $step, 'at the right step');
	}
	kill_in($cluster, 'exchange', sub { (eval { slurp("$cluster->{data}/PG_VERSION") } // '') =~ /^\Q$to\E$/ });
	# Behind the last line of the journal there is nothing to resume.
	my $expected = is_exchanged($cluster) ? 'upgraded, not committed' : 'can be resumed';
	is(upgrade_state($cluster)->{state}, $expected, "$method, killed in the exchange: $expected");
	my %run = upgrade('run', $cluster);
	ok($run{exit} == 0 || ($run{exit} == 18 && $run{stderr} =~ /upgraded, not committed/), "$method: then it is resumed to its end");
	is(upgrade_state($cluster)->{state}, 'upgraded, not committed', "$method: upgraded");
	is_same_dump($before, dump_with($cluster, $bindir), "$method: the new cluster holds what the old one held");
	return;
}

# The same with the steps of the second of two hops: of the first one there is nothing new. Which are killed: that which only they have, or all.
sub test_hops
{
	my ($from, $between) = @_;
	my $cluster = small_cluster($from);
	my $before = dump_with($cluster, $older{$from});
	my $label = "$from to $between to $to";
	my @run = ('--path', "$between,$to", '--bindir', $older{$from});
	for my $step ('check', is_exhaustive() ? qw(initialize configure transfer extensions collations statistics compare exchange) : ())
	{
		kill_at($cluster, $step, 2, 'run', @run) or next;
		my $status = upgrade_state($cluster);
		is($status->{state}, 'can be resumed', "$label, killed at $step of the second hop: can be resumed") or diag($status->{reason});
		is_deeply($status->{next}, $step eq 'transfer' ? { hop => 1, step => 'clear' } : { hop => 2, step => $step }, 'at the right step');
	}
	is((upgrade('run', $cluster))[1], 0, "$label: resumed to its end");
	is_same_dump($before, dump_with($cluster, $bindir), "$label: the new cluster holds what the old one held");
	return;
}

sub test_rollback
{
	my ($cluster, $from, $method, $before) = @_;
	for my $step ('bring_back', 'remove_made')
	{
		kill_at($cluster, $step, undef, 'rollback', '--discard-changes') or next;
		is(upgrade_state($cluster)->{state}, 'rollback to be finished', "$method, killed at $step: the rollback is to be finished");
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
	return sub { my @restored = glob(qq{"$cluster->{data}.upgrade/$to/base/?????"}); return scalar @restored } if $method eq 'dump';
	return sub { my @files = glob("$cluster->{tablespace}/PG_${to}_*/*/*"); return scalar @files };
}

# Kill in the middle of it all, and give up instead of going on.
sub test_giving_up
{
	my ($cluster, $from, $method, $before, $steps, @run) = @_;
	kill_in($cluster, 'transfer', point_of_no_return($cluster, $method), @run);
	is(upgrade_state($cluster)->{next}{step}, 'clear', "$method: what was half carried over is to be carried over anew");
	kill_at($cluster, 'clear', undef, 'run');
	kill_in($cluster, 'transfer', point_of_no_return($cluster, $method));
	is((upgrade('rollback', $cluster))[1], 0, "$method, killed in the middle of the transfer: rolled back");
	is_same_dump($before, dump_with($cluster, $older{$from}), "$method: the old cluster is what it was");
	for my $step (@$steps)
	{
		kill_at($cluster, $step, undef, 'run', @run);
		is((upgrade('rollback', $cluster))[1], 0, "$method, killed at $step: rolled back");
		is_same_dump($before, dump_with($cluster, $older{$from}), "$method: the old cluster is what it was");
		is(leftovers_in($cluster->{tablespace}, $from), '', 'nothing is left in its tablespace');
	}
	return;
}

# An old cluster that was used between the kill and the resumption is carried over as it is then.
sub use_meanwhile
{
	my ($cluster, $from, @run) = @_;
	kill_at($cluster, 'statistics', undef, 'run', @run) or return;
	{
		local $cluster->{bindir} = $older{$from};
		$cluster->start;
		$cluster->sql('postgres', q{INSERT INTO u VALUES (-1)});
		$cluster->stop;
	}
	my $status = upgrade_state($cluster);
	is($status->{next}{step}, 'clear', 'an old cluster that was used meanwhile is carried over anew');
	return dump_with($cluster, $older{$from});
}

sub test_commit
{
	my ($cluster, $method, $before, @run) = @_;
	is((upgrade('run', $cluster, @run))[1], 0, "$method: upgraded again");
	kill_at($cluster, 'remove_old', undef, 'commit');
	is(upgrade_state($cluster)->{state}, 'commit to be finished', "$method: a killed commit is to be finished");
	is((upgrade('rollback', $cluster))[1], 18, "$method: and cannot be rolled back");
	is((upgrade('commit', $cluster))[1], 0, "$method: committed");
	ok(!-e "$cluster->{data}.upgrade", 'nothing is left beside it');
	is_same_dump($before, dump_with($cluster, $bindir), "$method: the new cluster works on");
	return;
}

sub test_method
{
	my ($from, $method, @given_up) = @_;
	note("$method from $from");
	my $cluster = small_cluster($from);
	my $before = dump_with($cluster, $older{$from});
	my @run = ('--to', $to, '--method', $method, '--bindir', $older{$from});
	test_resuming($cluster, $method, $before, @run);
	test_rollback($cluster, $from, $method, $before);
	test_giving_up($cluster, $from, $method, $before, \@given_up, @run);
	# What link and swap have used up cannot be used.
	$before = use_meanwhile($cluster, $from, @run) if $method !~ /link|swap/;
	return test_commit($cluster, $method, $before, @run);
}

# Two methods, others with each major under test, and one step of each to give up at; or every method, and every step.
my @majors = sort { $a <=> $b } keys %older;
my @methods = upgrade_methods($to);
my @chosen = is_exhaustive() ? @methods : map { $methods[ ($to + $_) % @methods ] } 0, 1;
for my $i (0 .. $#chosen)
{
	last if !@majors;
	my @steps = upgrade_steps($chosen[$i]);
	test_method($majors[ $i % @majors ], $chosen[$i], is_exhaustive() ? @steps : $steps[ (2 * $to + 5 * $i) % @steps ]);
}
test_hops(@majors[ -2, -1 ]) if @majors > 1;

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
