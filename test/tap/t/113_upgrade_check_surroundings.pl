# pg_steward upgrade check finds what is in the way of an upgrade around a cluster's catalogs: places, room, locks, configuration, libraries,
# replication. What it must bear itself is there as well: pg_hba.conf that lets nobody in, long paths, spaces in paths.
use Steward::Test;
use Steward::OldCluster;

my $to = pg_major();
my %older = Steward::OldCluster::older_majors();
my ($from) = sort { $b <=> $a } keys %older;

sub names_of { return Steward::OldCluster::names_of(@_); }
sub finding { return Steward::OldCluster::finding(@_); }
sub spew_more { my ($file, $text) = @_; spew($file, slurp($file) . $text); return; }

# A process of ours that is no server.
sub start_bystander { return IPC::Run::start([ 'sleep', '600' ], '<', \undef); }

sub test_surroundings
{
	my ($cluster) = @_;
	my ($data, $conf) = ($cluster->{data}, "$cluster->{data}/postgresql.conf");
	spew_more($conf, "shared_preload_libraries = 'sepgsql'\n");
	$cluster->start;
	mkdir("$data/inner") or die "could not create directory: $!";
	$cluster->sql('template1', "CREATE TABLESPACE inside LOCATION '$data/inner'", 'SET allow_in_place_tablespaces = on', "CREATE TABLESPACE in_place LOCATION ''",
		'CREATE EXTENSION hstore', q{UPDATE pg_extension SET extversion = '0.9' WHERE extname = 'hstore'}, 'CREATE EXTENSION citext',
		q{CREATE FUNCTION security_context() RETURNS text AS '$libdir/sepgsql', 'sepgsql_getcon' LANGUAGE C});
	$cluster->stop;
	my $own_hba = slurp("$data/pg_hba.conf");
	spew("$data/pg_hba.conf", "local all all reject\n");
	$cluster->start;
	my %closed = run_program('upgrade', 'check', '--data-dir', $data, '--to', $to, '--bindir', $cluster->{bindir});
	is($closed{exit}, 23, 'a running server that lets nobody in cannot be asked') or diag($closed{stderr});
	like($closed{stderr}, qr/pg_hba\.conf rejects.*Stop the server/s, 'which is said, with what to do');
	$cluster->stop;

	# A lock file of a server that is no more, no place beside the directory, no room.
	spew("$data/postmaster.pid", "99999999\n$data\n1\n5999\n$cluster->{dir}\n\n");
	PostgreSQL::Test::Utils::system_or_bail('truncate', '-s', '4T', "$data/base/1/999999999");
	chmod(0555, $cluster->{dir});
	local $ENV{TMPDIR} = PostgreSQL::Test::Utils::tempdir() . '/' . ('long/' x 20);
	PostgreSQL::Test::Utils::system_or_bail('mkdir', '-p', $ENV{TMPDIR});
	my $report = $cluster->check($to);
	is(names_of($report, 'obstacle'), 'moved_into_data_directory no_room parent_not_writable tablespace_inside', 'everything around the catalogs is found');
	is(names_of($report, 'warning'), 'extensions_without_path', 'an extension that cannot be updated is told');
	is_deeply(finding($report, 'extensions_without_path')->{cures}, ['DROP EXTENSION "hstore"; -- in database "template1"'], 'with a way out');
	like(join(' ', @{ finding($report, 'no_room')->{objects} }), qr/copy: takes [\d.]+ [GT]B on the file system of "\Q$cluster->{dir}\E", where /, 'room is counted');
	is((grep { $_->{method} eq 'link' } @{ $report->{methods} })[0]{possible}, JSON::PP::true, 'links need none');
	unlink("$data/base/1/999999999");
	spew("$data/pg_hba.conf", $own_hba);
	$cluster->cure($report);
	spew("$data/pg_hba.conf", "local all all reject\n");
	$report = $cluster->check($to);
	is(names_of($report, 'obstacle'), '', 'what was said cures it');
	is($report->{pg_upgrade_check}, JSON::PP::true, 'pg_upgrade gets in, with a library that is loaded at the start, and its socket has a short path');
	ok(!glob("$ENV{TMPDIR}/*"), 'nothing is left behind');

	spew($conf, slurp($conf) =~ s/^shared_preload_libraries = 'sepgsql'\n//mr);
	$report = $cluster->check($to);
	is(names_of($report, 'obstacle'), 'unloadable_libraries', 'without being loaded at the start');
	like(join(' ', @{ finding($report, 'unloadable_libraries')->{objects} }), qr/sepgsql/, 'the library is named');

	# Process numbers are given out again.
	my $bystander = start_bystander();
	spew("$data/postmaster.pid", $bystander->{KIDS}[0]{PID} . "\n$data\n1\n5999\n$cluster->{dir}\n\n");
	$report = $cluster->check($to);
	is(names_of($report, 'obstacle'), 'stale_lock_file', 'a lock file that names another program');
	PostgreSQL::Test::Utils::system_or_bail('sh', '-c', $_) for @{ finding($report, 'stale_lock_file')->{cures} };
	ok(!-e "$data/postmaster.pid", 'is removed by what is said');
	$bystander->kill_kill;
	return;
}

# Slots and subscriptions are carried over from 17 on, when they are in order.
sub test_replication
{
	my ($cluster) = @_;
	spew_more("$cluster->{data}/postgresql.conf", "wal_level = logical\nautovacuum = off\nmax_replication_slots = 20\nmax_slot_wal_keep_size = 1MB\n");
	$cluster->start;
	$cluster->sql('template1', 'CREATE TABLE t (a int)', q{SELECT pg_create_logical_replication_slot('lost', 'pgoutput')}, 'INSERT INTO t VALUES (1)', 'SELECT pg_switch_wal()',
		'INSERT INTO t VALUES (2)', 'SELECT pg_switch_wal()', 'INSERT INTO t VALUES (3)', 'SELECT pg_switch_wal()', 'CHECKPOINT');
	$cluster->sql('template1', q{SELECT pg_create_logical_replication_slot('behind', 'pgoutput')}, 'INSERT INTO t VALUES (4)');
	$cluster->sql('template1', q{CREATE SUBSCRIPTION feed CONNECTION 'dbname=none' PUBLICATION all_of_it WITH (connect = false)},
		q{INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) SELECT s.oid, 't'::regclass, 'd' FROM pg_subscription s});
	$cluster->sql('template1', map { "SELECT pg_create_logical_replication_slot('ready_$_', 'pgoutput')" } 1 .. 11);
	$cluster->stop;
	my $report = $cluster->check($to);
	is(names_of($report, 'obstacle'), 'slots_behind subscriptions_in_between unusable_slots', 'slots and subscriptions that cannot be carried over');
	is_deeply(finding($report, 'unusable_slots')->{cures}, [q{SELECT pg_drop_replication_slot('lost');}], 'one that has lost its WAL');
	is_deeply(finding($report, 'slots_behind')->{cures}, [q{SELECT pg_drop_replication_slot('behind');}], 'one whose subscriber is behind, and no other');
	like(finding($report, 'subscriptions_in_between')->{objects}[0], qr/subscription feed, table public\.t, state d/, 'a subscription that copies');
	$cluster->cure($report);
	$cluster->start;
	$cluster->sql('template1', q{UPDATE pg_subscription_rel SET srsubstate = 'r'});
	$cluster->sql('template1', map { "SELECT pg_replication_slot_advance('ready_$_', pg_current_wal_lsn())" } 1 .. 11);
	$cluster->stop;
	$report = $cluster->check($to);
	is(names_of($report, 'obstacle'), '', 'what was said cures it');
	is($report->{pg_upgrade_check}, JSON::PP::true, 'and more slots than a new cluster has room for are carried over');
	return;
}

# Without an older major there is nothing that can be checked.
program_fails([ 'upgrade', 'check', '--to', $to ], 2, qr/no data directory is given/, 'without a data directory');
if (defined $from)
{
	test_surroundings(Steward::OldCluster->create($from, $older{$from}));
	test_replication(Steward::OldCluster->create($from, $older{$from})) if $from >= 17;
}
done_testing();
