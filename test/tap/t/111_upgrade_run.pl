# pg_steward upgrade run carries a rich cluster over by every method, and rollback brings it back.
use Steward::Test;
use Steward::OldCluster;
use Steward::RichCluster;
use JSON::PP ();

my $to = pg_major();
my $bindir = own_bindir();
my %older = Steward::OldCluster::older_majors();

# By one method from each older major, another each time and with each major under test; or by every one.
sub methods_from
{
	my ($at) = @_;
	my @methods = upgrade_methods($to);
	return is_exhaustive() ? @methods : $methods[ ($at + $to) % @methods ];
}

# The new cluster as somebody who uses it sees it.
sub look_at_new
{
	my ($cluster, $from) = @_;
	is($cluster->sql('app', 'SHOW work_mem'), '7MB', 'an included file came along');
	is($cluster->sql('app', 'SHOW maintenance_work_mem'), '65MB', 'so did what ALTER SYSTEM had set');
	is($cluster->sql('app', q{SELECT count(*) FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname WHERE a.default_version <> e.extversion}), 0,
		'extensions are up to date');
	is($cluster->sql('app', q{SELECT count(*) > 0 FROM pg_stats WHERE schemaname = 's' AND tablename = 'people'}), 't', 'there are statistics');
	is($cluster->sql('app', q{SELECT count(*) FROM pg_statistic_ext_data}), 1, 'extended ones too');
	is($cluster->sql('app', q{SELECT count(*) FROM pg_class WHERE reltuples > 0 AND relname = 'people'}), 1, 'the table was counted');
	is($cluster->sql('app', q{SELECT count(*) FROM pg_collation WHERE collversion <> pg_collation_actual_version(oid)}), 0, 'no collation is of another version');
	return;
}

sub identifier_of
{
	my ($cluster) = @_;
	my ($control) = PostgreSQL::Test::Utils::run_command([ "$bindir/pg_controldata", $cluster->{data} ]);
	($control) = PostgreSQL::Test::Utils::run_command([ (values %older)[0] . '/pg_controldata', $cluster->{data} ]) unless $control =~ /system identifier: +\d/;
	return $control =~ /system identifier: +(\d+)/ ? $1 : die $control;
}

# The cluster in the data directory goes on for this one in the repository.
sub goes_on_for
{
	my ($cluster, $identifier, $major, $label) = @_;
	my $mark = JSON::PP::decode_json(slurp("$cluster->{data}/pg_steward/succession.json"));
	is($mark->{system_identifier}, identifier_of($cluster), "$label: the mark of succession is its own");
	my $last = $mark->{predecessors}[0];
	is("$last->{system_identifier} $last->{postgresql_major}", "$identifier $major", "$label: it goes on for the other one");
	ok(defined $last->{end}, "$label: which was shut down");
	return;
}

sub check_new_files
{
	my ($cluster, $from) = @_;
	my $data = $cluster->{data};
	like(slurp("$data/PG_VERSION"), qr/^\Q$to\E$/, 'the new cluster is in the data directory');
	is(slurp("$data/pg_hba.conf"), "# ours\nlocal all all trust\n", 'pg_hba.conf came along');
	is(slurp("$data/root.crt"), "a certificate\n", 'so did a certificate');
	if (my $line = Steward::RichCluster::refused_line($from, $to))
	{
		like(slurp("$data/postgresql.conf"), qr/^# pg_steward: unrecognized configuration parameter .*\n#\Q$line\E$/m, 'a setting that is gone is commented out');
		like(slurp("$data.upgrade/logs/$to-configuration.txt"), qr/"postgresql.conf", line \d+, \w+: unrecognized/, 'which is reported');
	}
	return;
}

sub test_method
{
	my ($cluster, $from, $method, $before) = @_;
	my $label = "$from to $to by $method";
	my %run = upgrade('run', $cluster, '--to', $to, '--method', $method, '--bindir', $older{$from});
	is($run{exit}, 0, "$label: succeeds") or return 0;
	is(upgrade_state($cluster)->{state}, 'upgraded, not committed', 'status says so');
	goes_on_for($cluster, $cluster->{identifier}, $from, $label);
	check_new_files($cluster, $from);
	is_same_dump($before, dump_with($cluster, $bindir, sub { look_at_new($cluster, $from) }), "$label: the dump is the same");
	return 1;
}

sub take_back
{
	my ($cluster, $from, $method, $before) = @_;
	my $new = identifier_of($cluster);
	my %refused = upgrade('rollback', $cluster);
	is($refused{exit}, 18, "$method: a used cluster is not given up unasked");
	like($refused{stderr}, qr/the new cluster has been used.*--discard-changes/s, 'the way to do so is told');
	my %back = upgrade('rollback', $cluster, '--discard-changes');
	is($back{exit}, 0, "$method: rolled back");
	is(upgrade_state($cluster)->{state}, 'rolled back', 'status says so');
	goes_on_for($cluster, $new, $to, "$method, rolled back");
	is_same_dump($before, dump_with($cluster, $older{$from}), "$method: the old cluster is what it was");
	is(leftovers_in($cluster->{tablespace}, $from), '', 'and nothing is left in its tablespace');
	return;
}

sub test_dry_run
{
	my ($cluster, $from) = @_;
	my %dry = upgrade('run', $cluster, '--to', $to, '--bindir', $older{$from}, '--dry-run');
	is($dry{exit}, 0, "$from: a dry run");
	like($dry{stdout}, qr/^upgrade of .* from \Q$from\E by (copy|clone), to \Q$to\E$/m, 'tells what would be done');
	ok(!-e "$cluster->{data}.upgrade", 'and does nothing');
	return;
}

sub commit
{
	my ($cluster, $from, $before) = @_;
	my %committed = upgrade('commit', $cluster);
	is($committed{exit}, 0, "$from: committed");
	ok(!-e "$cluster->{data}.upgrade", 'the work directory is gone');
	is(join(' ', map { s{.*/}{}r } glob("$cluster->{tablespace}/*")) =~ s/_\d+$//r, "PG_$to", 'so is what the old cluster had in the tablespace');
	is_same_dump($before, dump_with($cluster, $bindir), "$from: the new cluster works on");
	is(upgrade_state($cluster)->{state}, 'not begun', 'there is no upgrade any more');
	return;
}

# Each upgrade is taken back, but the last one, which is committed.
my @majors = sort { $a <=> $b } keys %older;
note("from @majors to $to");
for my $at (0 .. $#majors)
{
	my ($from, @methods) = ($majors[$at], methods_from($at));
	my $cluster = Steward::RichCluster::create($from, $older{$from});
	my $before = dump_with($cluster, $older{$from});
	$cluster->{identifier} = identifier_of($cluster);
	test_dry_run($cluster, $from) if $at == 0;
	for my $method (@methods)
	{
		test_method($cluster, $from, $method, $before) or last;
		my $is_last = $method eq $methods[-1] && ($at == $#majors || is_exhaustive());
		$is_last ? commit($cluster, $from, $before) : take_back($cluster, $from, $method, $before);
	}
}

# Refusals need no older major.
my $node = Steward::Node->create('own', preload => 0);
my $own = { data => $node->data_dir };
is(upgrade_state($own)->{state}, 'not begun', 'without an upgrade there is a status too');
program_fails([ 'upgrade', 'rollback', '--data-dir', $own->{data} ], 18, qr/there is no upgrade to roll back/, 'nothing to roll back');
program_fails([ 'upgrade', 'commit', '--data-dir', $own->{data} ], 18, qr/there is no upgrade to commit/, 'nothing to commit');
program_fails([ 'upgrade', 'run', '--data-dir', $own->{data} ], 2, qr/no new major is given/, 'nothing to go on with');
program_fails([ 'upgrade', 'run', '--data-dir', $own->{data}, '--path', '19,18' ], 2, qr/majors 19,18 do not rise/, 'a path that does not rise');
program_fails([ 'upgrade', 'run', '--data-dir', $own->{data}, '--to', 98, '--method', 'magic' ], 2, qr/there is no method "magic"/, 'no such method');
$node->start;
program_fails([ 'upgrade', 'run', '--data-dir', $own->{data}, '--to', 98 ], 17, qr/in use by a running server.*Stop the server/s, 'a running server');
$node->stop;
ok(!-e "$own->{data}.upgrade", 'a refusal leaves nothing behind');
done_testing();
