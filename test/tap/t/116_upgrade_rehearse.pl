# pg_steward upgrade rehearse tells what an upgrade takes, without touching the cluster, and leaves nothing behind.
use Steward::Test;
use Fcntl qw(:flock);
use IPC::Run ();
use JSON::PP ();
use List::Util qw(sum);
use Steward::OldCluster;
use Steward::RichCluster;

my $to = pg_major();
my $bindir = own_bindir();
my %older = Steward::OldCluster::older_majors();
my ($from) = sort { $b <=> $a } keys %older;

# A rehearsal is a copy and a whole upgrade.
$ENV{PG_TEST_TIMEOUT_DEFAULT} = 2 * Steward::Test::timeout();

sub rehearse { my ($cluster, @arguments) = @_; return upgrade('rehearse', $cluster, '--to', $to, '--bindir', $older{$from}, @arguments); }

# All that is the cluster's: directory, tablespace, WAL elsewhere.
sub picture { my ($cluster) = @_; return join("\n", map { picture_of($_) } grep { defined } $cluster->{data}, $cluster->{tablespace}, $cluster->{wal}); }

# Names beside the data directory that begin with its own.
sub beside { my ($cluster) = @_; return join(' ', map { s{^\Q$cluster->{data}\E}{}r } grep { $_ ne $cluster->{data} } map { glob } $cluster->{data} =~ s/ /\\ /gr . '*'); }

sub has_begun { my ($cluster, $step) = @_; return (eval { slurp("$cluster->{data}.rehearsal/data.upgrade/journal") } // '') =~ /"event":"step","at":"[^"]*","hop":\d+,"step":"\Q$step\E"/; }

# What a run took, by its journal.
sub seconds_by_journal
{
	my ($cluster) = @_;
	my %at;
	my $sum = 0;
	for my $line (split /\n/, slurp("$cluster->{data}.upgrade/journal"))
	{
		my $entry = JSON::PP::decode_json($line);
		my ($minutes, $seconds) = $entry->{at} =~ /T\d\d:(\d\d):([\d.]+)Z/;
		my $time = 60 * $minutes + $seconds;
		$sum += $time - $at{ $entry->{step} } if $entry->{event} eq 'done' && $time > $at{ $entry->{step} };
		$at{ $entry->{step} } = $time if $entry->{event} eq 'step';
	}
	return $sum;
}

sub test_method
{
	my ($cluster, $method, @steps) = @_;
	my $before = picture($cluster);
	my %run = rehearse($cluster, '--method', $method, '--output', 'json');
	is($run{exit}, 0, "$method: a rehearsal") or return;
	my $record = JSON::PP::decode_json($run{stdout});
	is(join(' ', map { $_->{step} } @{ $record->{steps} }), join(' ', 'clear', 'fingerprint', @steps, 'initialize configure transfer extensions collations statistics compare exchange'), "$method: every step is timed");
	my $sum = $record->{checks_seconds} + sum(map { $_->{seconds} } @{ $record->{steps} });
	ok(abs($sum - $record->{downtime_seconds}) < 0.001 && $sum > 1, "$method: the downtime is their sum");
	is("$record->{from} @{ $record->{path} } $record->{method}", "$from $to $method", "$method: it says what was rehearsed");
	cmp_ok($record->{data_bytes}, '>', 20_000_000, "$method: the cluster was measured");
	cmp_ok($record->{peak_bytes}, '>=', $record->{kept_bytes} / 2, "$method: so was what the upgrade adds");
	cmp_ok($record->{kept_bytes}, '>', 5_000_000, "$method: and what the commit gives back");
	ok((grep { /databases?, \d+ lines in/ } @{ $record->{notes} }), "$method: what the run said is in it");
	is(ref $record->{findings}, 'ARRAY', "$method: so is what the check found");
	is(picture($cluster), $before, "$method: nothing of the cluster was touched");
	is(beside($cluster), '.rehearsal.json', "$method: nothing but the record is left");
	return $record;
}

# The real one after its rehearsal. No assertion about time: other things run on this machine.
sub compare_with_real
{
	my ($cluster, $method, $record) = @_;
	my %run = upgrade('run', $cluster, '--to', $to, '--bindir', $older{$from}, '--method', $method);
	is($run{exit}, 0, "$method: the real one");
	like($run{stdout}, qr/^rehearsed by $method on [-\dT:.]+Z: \d+ s, up to [\d.]+ MB$/m, "$method: it recalls its rehearsal");
	my $steps = sum(map { $_->{seconds} } @{ $record->{steps} });
	my $real = seconds_by_journal($cluster);
	note(sprintf("%s: steps rehearsed %.2f s, real %.2f s, ratio %.2f", $method, $steps, $real, $steps / $real));
	return;
}

sub test_killed
{
	my ($cluster, $step) = @_;
	my $before = picture($cluster);
	my ($stdout, $stderr) = ('', '');
	my $run = IPC::Run::start([ 'pg_steward', 'upgrade', 'rehearse', '--data-dir', $cluster->{data}, '--to', $to, '--bindir', $older{$from}, '--method', 'copy' ], '<', \undef, '>', \$stdout, '2>', \$stderr);
	poll_until(sub { $run->pump_nb; !$run->pumpable || has_begun($cluster, $step) }, "the rehearsal has begun $step");
	$run->signal('KILL');
	eval { $run->finish };
	ok(-e "$cluster->{data}.rehearsal/THIS_IS_SCRATCH", "killed at $step: it has left its directory") or diag("$stdout$stderr");
	is(picture($cluster), $before, 'and touched nothing of the cluster');
	return;
}

# A directory of the new programs in which one fails.
sub programs_with_bad
{
	my ($bad) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	symlink($_, "$dir/" . s{.*/}{}r) for grep { !m{/\Q$bad\E$} } glob("$bindir/*");
	spew("$dir/$bad", qq{#!/bin/sh\ncase "\$1" in -V|--version) exec "$bindir/$bad" "\$1";; esac\necho "out of luck" >&2\nexit 1\n});
	chmod(0755, "$dir/$bad");
	return $dir;
}

sub test_failures
{
	my ($cluster) = @_;
	my $before = picture($cluster);
	my %failed = rehearse($cluster, '--new-bindir', programs_with_bad('vacuumdb'), '--method', 'copy');
	isnt($failed{exit}, 0, 'a step that fails');
	my $logs = "$cluster->{data}.rehearsal/data.upgrade/logs";
	like($failed{stderr}, qr/out of luck.*was not touched.*\Q$logs\E/s, 'is told, with the place of the logs');
	ok(-s "$logs/$to-pg_upgrade.log", 'which are there');
	is(join(' ', sort map { s{.*/}{}r } glob("'$cluster->{data}.rehearsal'/*"), glob("'$cluster->{data}.rehearsal'/*/*")), 'THIS_IS_SCRATCH data.upgrade logs', 'and nothing else is');
	is(picture($cluster), $before, 'nothing of the cluster was touched');

	my %refused = rehearse($cluster, '--method', 'magic');
	is($refused{exit}, 2, 'no such method');
	my %inside = rehearse($cluster, '--at', "$cluster->{tablespace}/here");
	like($inside{stderr}, qr/for the rehearsal is in "\Q$cluster->{tablespace}\E"/, 'a place in a tablespace');

	open(my $lock, '>>', "$cluster->{data}.rehearsal/THIS_IS_SCRATCH") or die $!;
	flock($lock, LOCK_EX) or die $!;
	my %busy = rehearse($cluster);
	is($busy{exit}, 17, 'a place that another rehearsal is in') or diag($busy{stderr});
	like($busy{stderr}, qr/Another rehearsal runs there/, 'which is said');
	close($lock);
	return;
}

sub test_foreign_directory
{
	my ($cluster) = @_;
	mkdir("$cluster->{data}.rehearsal") or die $!;
	spew("$cluster->{data}.rehearsal/precious", 'x');
	my %run = rehearse($cluster);
	is($run{exit}, 18, 'a directory that is not ours');
	like($run{stderr}, qr/no rehearsal has left it.*--at/s, 'which is said');
	is(slurp("$cluster->{data}.rehearsal/precious"), 'x', 'is not touched');
	unlink("$cluster->{data}.rehearsal/precious");
	rmdir("$cluster->{data}.rehearsal");
	return;
}

# The copy that is kept has places of its own, and does not archive.
sub test_kept
{
	my ($cluster) = @_;
	my $before = picture($cluster);
	my $place = PostgreSQL::Test::Utils::tempdir_short() . '/kept';
	my %run = rehearse($cluster, '--at', $place, '--keep', '--method', $to >= 18 ? 'swap' : 'link');
	is($run{exit}, 0, 'a rehearsal elsewhere that is kept');
	like($run{stdout}, qr/^downtime: \d+\.\d s, and what the old server takes to stop/m, 'with a page for people');
	my $kept = bless { %$cluster, data => "$place/data", bindir => $bindir, running => 0 }, 'Steward::OldCluster';
	$kept->start;
	is($kept->sql('postgres', 'SELECT count(*) FROM t'), 1000, 'it has what is in a tablespace');
	is($kept->sql('postgres', q{SELECT pg_tablespace_location(oid) LIKE '} . $place . q{/tablespaces/%' FROM pg_tablespace WHERE spcname = 'fast'}), 't', 'of its own');
	is($kept->sql('postgres', 'SHOW archive_mode'), 'off', 'and archives nothing');
	$kept->stop;
	is(picture($cluster), $before, 'nothing of the cluster was touched');
	# Of what is left, the next one disposes as of what a killed one has left.
	return unless is_exhaustive();
	my %again = rehearse($cluster, '--at', $place, '--method', 'dump');
	is($again{exit}, 0, 'the next rehearsal there') or diag($again{stderr});
	ok(!-e $place, 'removes it');
	return;
}

sub test_running
{
	my ($cluster) = @_;
	$cluster->start;
	my %run = rehearse($cluster);
	is($run{exit}, 18, 'a running server without a repository');
	like($run{stderr}, qr/running server, and no repository is set.*--repository/s, 'is refused, with the cure');
	is(beside($cluster), '', 'and nothing is made');
	$cluster->stop;
	return;
}

# Where the older major has the extension: the rest needs none.
sub has_extension
{
	my ($library) = qx("$older{$from}/pg_config" --pkglibdir);
	chomp $library;
	return -e "$library/pg_steward.so" && -x "$older{$from}/pg_steward";
}

sub test_from_backup
{
	my $repository = PostgreSQL::Test::Utils::tempdir_short();
	my $cluster = Steward::OldCluster->create($from, $older{$from},
		settings => [ "shared_preload_libraries = 'pg_steward'", 'archive_mode = on', "archive_library = 'pg_steward'", "steward.repository = 'file://$repository'", 'max_wal_senders = 4' ]);
	$cluster->start;
	$cluster->{tablespace} = PostgreSQL::Test::Utils::tempdir_short();
	$cluster->sql('postgres', 'CREATE EXTENSION pg_steward', "CREATE TABLESPACE fast LOCATION '$cluster->{tablespace}'", 'CREATE TABLE t TABLESPACE fast AS SELECT generate_series(1, 1000) AS a',
		q{SELECT * FROM steward.backup(label => 'one')}, 'INSERT INTO t VALUES (0)', 'SELECT steward.archive_now()');
	my $stored = join("\n", map { picture_of($_) } glob("$repository/cluster/main/*/wal"));
	my %run = rehearse($cluster, '--keep', '--output', 'json');
	is($run{exit}, 0, 'beside a running server, with its backup');
	my $record = eval { JSON::PP::decode_json($run{stdout}) } // {};
	is($record->{backup}, 'one', 'it says which');
	like("@{ $record->{caveats} // [] }", qr/gave way to the running server/, 'and how that differs');
	is($cluster->sql('postgres', 'SELECT count(*) FROM t'), 1001, 'the server runs on');
	is($cluster->sql('postgres', 'SELECT timeline_id FROM pg_control_checkpoint()'), 1, 'on its timeline');
	is(join("\n", map { picture_of($_) } glob("$repository/cluster/main/*/wal")), $stored, 'nothing was archived by the copy');
	$cluster->stop;
	my $copy = bless { %$cluster, data => "$cluster->{data}.rehearsal/data", bindir => $bindir, running => 0 }, 'Steward::OldCluster';
	spew("$copy->{data}/postgresql.conf", slurp("$copy->{data}/postgresql.conf") . "shared_preload_libraries = ''\narchive_library = ''\n");
	$copy->start;
	is($copy->sql('postgres', 'SELECT count(*) FROM t'), 1001, 'what came after the backup is in it');
	$copy->stop;
	return;
}

# With a tablespace, and archiving to what would be seen.
sub small_cluster
{
	my $cluster = Steward::OldCluster->create($from, $older{$from}, settings => [ 'archive_mode = on', q{archive_command = 'false'} ]);
	$cluster->{tablespace} = PostgreSQL::Test::Utils::tempdir_short();
	$cluster->start;
	$cluster->sql('postgres', "CREATE TABLESPACE fast LOCATION '$cluster->{tablespace}'", 'CREATE TABLE t TABLESPACE fast AS SELECT generate_series(1, 1000) AS a');
	$cluster->stop;
	return $cluster;
}

# The cluster's WAL and a file are elsewhere, to which links lead.
sub test_links
{
	my $wal = PostgreSQL::Test::Utils::tempdir_short() . '/wal';
	my $cluster = Steward::OldCluster->create($from, $older{$from}, initdb => ["--waldir=$wal"]);
	$cluster->{wal} = $wal;
	my $elsewhere = PostgreSQL::Test::Utils::tempdir_short();
	rename("$cluster->{data}/pg_ident.conf", "$elsewhere/ident") or die $!;
	symlink("$elsewhere/ident", "$cluster->{data}/pg_ident.conf") or die $!;
	my $before = picture($cluster);
	my %run = rehearse($cluster, '--method', 'copy');
	is($run{exit}, 0, 'a cluster with WAL elsewhere');
	is(picture($cluster), $before, 'which is not touched either');
	ok(!glob("$wal.*"), 'and nothing is left beside it');
	return;
}

if ($from)
{
	my $rich = Steward::RichCluster::create($from, $older{$from});
	test_running($rich);
	my $copied = test_method($rich, 'copy');
	my $linked = test_method($rich, 'link', 'preserve');
	ok((grep { /extension "?hstore"? is / } @{ $_->{notes} }), "$_->{method}: what the run said of extensions is in it") for $copied, $linked;
	compare_with_real($rich, 'link', $linked);
	upgrade('commit', $rich);
	is(beside($rich), '', 'the record goes with the commit');

	my $small = small_cluster();
	test_foreign_directory($small);
	test_killed($small, $_) for is_exhaustive() ? 'initialize' : (), 'transfer';
	test_failures($small);
	test_kept($small);
	test_links();
	if (has_extension()) { test_from_backup(); }
	else { note("PostgreSQL $from has no pg_steward here: no backup to rehearse with"); }
}

# What needs no older major.
my $node = Steward::Node->create('own', preload => 0);
my @own = ('upgrade', 'rehearse', '--data-dir', $node->data_dir, '--bindir', $bindir);
program_fails(\@own, 2, qr/no new major is given/, 'no major');
program_fails([ @own, '--to', 98 ], 5, qr{has no program ".*/98/bin/postgres"}, 'a major that is not installed');
ok(!-e $node->data_dir . '.rehearsal', 'a refusal leaves nothing behind');
program_fails([ @own, '--to', 98, '--at', $node->data_dir . '/here' ], 4, qr/for the rehearsal is in/, 'a place in the data directory');
done_testing();
