# An upgrade whose disk is full at any of its steps says so, can be resumed when there is room, and can be rolled back when there is none.
use Steward::Test;
use Steward::OldCluster;
use Steward::RichCluster;
use Steward::SteppedUpgrade;

my $to = pg_major();
my $bindir = own_bindir();
my %older = Steward::OldCluster::older_majors();
my $disk = $ENV{STEWARD_UPGRADE_DISK};
my $no_space = 12;
my $mb = 1 << 20;

# Every step of a run in which room is taken at once. The others fail at one of these that comes later, or not at all.
my %takes_room = map { $_ => 1 } qw(fingerprint preserve initialize configure transfer extensions);
# Those that take more than this, and so fail in the middle; a transfer that only moves files may be content with less.
my %takes_more = (preserve => 4 * $mb, initialize => 4 * $mb, transfer => $mb);

sub block_size { my ($size) = qx(stat -f -c %S '$disk') =~ /^(\d+)$/ or die 'stat failed'; return $size; }
sub free_bytes { my ($free) = qx(stat -f -c %a '$disk') =~ /^(\d+)$/ or die 'stat failed'; return $free * block_size(); }

# Leave so many bytes.
sub fill_disk
{
	my ($left) = @_;
	my $filler = free_bytes() - $left;
	PostgreSQL::Test::Utils::system_or_bail('fallocate', '-l', $filler, "$disk/filler") if $filler > 0;
	return if $left;
	# A server that still runs may have given something back meanwhile.
	open(my $rest, '>>', "$disk/filler.rest") or die "could not create a file: $!";
	1 while syswrite($rest, "\0" x block_size());
	close($rest) or die "could not close a file: $!";
	return is(free_bytes(), 0, 'the disk is full');
}

sub empty_disk { unlink("$disk/filler", "$disk/filler.rest"); return; }

# Small, and something of each kind that a step looks at.
sub make_cluster
{
	my ($from) = @_;
	PostgreSQL::Test::Utils::system_or_bail('rm', '-rf', glob("$disk/*"));
	mkdir("$disk/$from") or die "could not create directory: $!";
	mkdir("$disk/$from/fast") or die "could not create directory: $!";
	my $cluster = Steward::OldCluster->create($from, $older{$from}, dir => "$disk/$from", initdb => ['--wal-segsize=1'], settings => ["work_mem = '7MB'"]);
	$cluster->{tablespace} = "$disk/$from/fast";
	$cluster->start;
	$cluster->sql('postgres', "CREATE TABLESPACE fast LOCATION '$cluster->{tablespace}'", q{CREATE ROLE alice LOGIN PASSWORD 'x'}, 'CREATE DATABASE app OWNER alice TABLESPACE fast',
		q{SELECT lo_from_bytea(0, 'large')});
	$cluster->sql('app', q{CREATE EXTENSION hstore VERSION '1.4'}, q{CREATE COLLATION german (provider = icu, locale = 'de-DE')}, 'CREATE TABLE t (a int, b text COLLATE german)',
		q{INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 1000) i}, 'CREATE INDEX ON t (b)', 'CREATE STATISTICS of_t ON a, b FROM t', 'CREATE SEQUENCE numbers',
		q{SELECT nextval('numbers')}, q{SELECT lo_from_bytea(0, decode(repeat('00ff', 5000), 'hex'))}, q{COMMENT ON TABLE t IS 'some'}, 'ANALYZE');
	$cluster->stop;
	return $cluster;
}

# The disk is filled while a run is at the step, but for so many bytes. Returns whether the run came to its end all the same.
sub run_into_full_disk
{
	my ($cluster, $label, $step, $left, @run) = @_;
	$label .= ", full at $step" . ($left ? " but for $left bytes" : '');
	my $run = Steward::SteppedUpgrade->start($cluster, 'run', @run);
	ok($run->stand_at($step), "$label: the run is there") or diag(explain({ $run->outcome })), return;
	fill_disk($left);
	my %end = $run->go_on;
	my $must_fail = $left ? $step ne 'transfer' && $left == ($takes_more{$step} // 0) : $takes_room{$step};
	my $status = upgrade_state($cluster);
	if ($end{exit} == 0)
	{
		ok(!$must_fail, "$label: no more room is needed");
		is($status->{state}, 'upgraded, not committed', "$label: upgraded");
		return 1;
	}
	is($end{exit}, $no_space, "$label: fails for that");
	like($end{stderr}, qr/No space left on device|: the disk is full$/m, 'which is said');
	can_be_resumed($status, $label, $must_fail ? $step : $status->{journal}[-1]{step});
	# What clearing away gives back would have to be taken again.
	return 0 if $left || $status->{next}{step} eq 'clear';
	my $exit = (upgrade('run', $cluster))[1];
	$status = upgrade_state($cluster);
	# With what its server gave back when it ended it may have come further, and from the last steps even to its end.
	if ($exit == 0 && !$must_fail)
	{
		is($status->{state}, 'upgraded, not committed', "$label, twice: upgraded");
		return 1;
	}
	is($exit, $no_space, "$label: fails as long as there is no room");
	can_be_resumed($status, "$label, twice", $status->{journal}[-1]{step});
	return 0;
}

sub can_be_resumed
{
	my ($status, $label, $step) = @_;
	is($status->{state}, 'can be resumed', "$label: can be resumed") or diag($status->{reason});
	is($status->{failure}{step}, $step, 'the step that failed is told');
	is($status->{next}{step}, $step eq 'transfer' ? 'clear' : $step, 'and where it goes on');
	return;
}

# A copy of a cluster with its upgrade, elsewhere, and back.
sub save
{
	my ($cluster) = @_;
	my $copy = PostgreSQL::Test::Utils::tempdir() . '/copy';
	PostgreSQL::Test::Utils::system_or_bail('cp', '-a', $cluster->{dir}, $copy);
	return $copy;
}

sub bring_back
{
	my ($cluster, $copy) = @_;
	PostgreSQL::Test::Utils::system_or_bail('rm', '-rf', $cluster->{dir});
	PostgreSQL::Test::Utils::system_or_bail('mv', $copy, $cluster->{dir});
	return;
}

# One run that is interrupted at each of the trials: each time there is room again, it goes on. What is to be given up, is so in a copy.
sub test_interruptions
{
	my ($cluster, $from, $label, $before, $trials, @run) = @_;
	for my $trial (@$trials)
	{
		my $as_it_was = $trial->{is_aside} ? save($cluster) : undef;
		my $is_upgraded = run_into_full_disk($cluster, $label, $trial->{step}, $trial->{left}, @run);
		my $resumed = $trial->{is_given_up} ? save($cluster) : undef;
		take_back($cluster, $from, "$label, full at $trial->{step}", $before) if $resumed;
		bring_back($cluster, $resumed) if $resumed;
		empty_disk();
		finish($cluster, "$label, full at $trial->{step} but for $trial->{left} bytes", $before) if $as_it_was;
		bring_back($cluster, $as_it_was) if $as_it_was;
		last if $is_upgraded && !$as_it_was;
	}
	return finish($cluster, $label, $before);
}

sub finish
{
	my ($cluster, $label, $before) = @_;
	is((upgrade('run', $cluster))[1], 0, "$label: resumed to its end") if upgrade_state($cluster)->{state} ne 'upgraded, not committed';
	is_same_dump($before, dump_with($cluster, $bindir), "$label: the new cluster holds what the old one held");
	return;
}

# The disk stays full.
sub take_back
{
	my ($cluster, $from, $label, $before, @arguments) = @_;
	my %back = upgrade('rollback', $cluster, @arguments);
	is($back{exit}, 0, "$label: rolled back on a full disk");
	is(upgrade_state($cluster)->{state}, 'rolled back', 'status says so');
	empty_disk();
	is_same_dump($before, dump_with($cluster, $older{$from}), "$label: the old cluster is what it was");
	is(leftovers_in($cluster->{tablespace}, $from), '', 'and nothing is left in its tablespace');
	return;
}

sub test_commit
{
	my ($cluster, $label, $before) = @_;
	fill_disk(0);
	is((upgrade('commit', $cluster))[1], 0, "$label: committed on a full disk");
	empty_disk();
	ok(!-e "$cluster->{data}.upgrade", "$label: the work directory is gone");
	is_same_dump($before, dump_with($cluster, $bindir), "$label: the new cluster works on");
	return;
}

sub test_method
{
	my ($from, $method, @trials) = @_;
	my $cluster = make_cluster($from);
	my $before = dump_with($cluster, $older{$from});
	my $label = "$from by $method";
	test_interruptions($cluster, $from, $label, $before, \@trials, '--to', $to, '--method', $method, '--bindir', $older{$from});
	my $copy = save($cluster);
	fill_disk(0);
	take_back($cluster, $from, $label, $before, '--discard-changes');
	bring_back($cluster, $copy);
	return test_commit($cluster, $label, $before);
}

# Nothing is begun on a disk that is full already.
sub test_full_before
{
	my ($from) = @_;
	my $cluster = make_cluster($from);
	fill_disk(0);
	my %run = upgrade('run', $cluster, '--to', $to, '--bindir', $older{$from});
	is($run{exit}, $no_space, "$from: not begun on a full disk");
	like($run{stderr}, qr/No space left on device|: the disk is full$/m, 'which is said');
	is(upgrade_state($cluster)->{state}, 'not begun', 'status says so');
	ok(!-e "$cluster->{data}.upgrade", 'and nothing is left behind');
	empty_disk();
	return;
}

# How much is left of a disk at a step, and whether the upgrade is given up there. is_aside: the trial is carried to its end, and forgotten.
sub trial { my ($step, $left, $is_given_up, $is_aside) = @_; return { step => $step, left => $left, is_given_up => $is_given_up, is_aside => $is_aside }; }

# Each method, interrupted at each step in each way, given up and resumed.
sub test_everything
{
	my ($majors, $methods) = @_;
	for my $i (0 .. $#$methods)
	{
		my @trials;
		for my $step (upgrade_steps($methods->[$i]))
		{
			push @trials, map { trial($step, $_, 1) } 0, $step ne 'transfer' ? $takes_more{$step} // () : ();
			push @trials, map { trial($step, $_ * $mb, 1, 1) } $step eq 'transfer' ? (1, 2, 4, 8) : ();
		}
		test_method($majors->[ $i % @$majors ], $methods->[$i], @trials);
	}
	return;
}

# Two methods, others with each major under test: one is interrupted at every other step, the other at those between. At two or so of them it is
# also given up, others with each major, so that over the majors each is.
sub test_some
{
	my ($majors, $methods) = @_;
	for my $i (0, 1)
	{
		my $method = $methods->[ ($to + $i) % @$methods ];
		my @steps = upgrade_steps($method);
		my @trials = map { trial($steps[$_], $takes_more{ $steps[$_] } // 0, $_ % 6 == (2 * $#$majors + $i) % 6) } grep { ($_ + $i) % 2 == 0 } 0 .. $#steps;
		test_method($majors->[ $i % @$majors ], $method, @trials);
	}
	return;
}

my @majors = sort { $a <=> $b } keys %older;
my @methods = upgrade_methods($to, $disk);
SKIP:
{
	skip 'no small file system could be mounted (STEWARD_UPGRADE_DISK)', 1 unless $disk;
	ok(free_bytes() > 600 * $mb, 'there is a disk, with the room that an upgrade insists on');
	last if !@majors;
	test_full_before($majors[-1]);
	is_exhaustive() ? test_everything(\@majors, \@methods) : test_some(\@majors, \@methods);
	PostgreSQL::Test::Utils::system_or_bail('rm', '-rf', glob("$disk/*"));
}
done_testing();
