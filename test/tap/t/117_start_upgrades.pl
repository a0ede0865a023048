# pg_steward start upgrades a cluster of an older major when it may, goes on with an upgrade that was interrupted, and starts nothing amid one.
use Steward::Test;
use IPC::Run ();
use JSON::PP ();
use Steward::Node;
use Steward::OldCluster;
use Steward::RichCluster;

my $to = pg_major();
my $bindir = own_bindir();
my %older = Steward::OldCluster::older_majors();
delete @ENV{qw(PG_VERSION POSTGRES_PASSWORD POSTGRES_PASSWORD_FILE RESET_PASSWORD START_POSTGRES AUTO_UPGRADE)};

my $server;
END { local $?; kill('QUIT', $server) if $server; }

sub command { my ($cluster, $programs) = @_; return ('start', '--data-dir', $cluster->{data}, '--bindir', $programs // $bindir); }

# All that a start must leave alone when it refuses.
sub picture { my ($cluster) = @_; return join("\n---\n", map { picture_of($_) } $cluster->{data}, "$cluster->{data}.upgrade", glob("\Q$cluster->{data}\E.preseed-{restore,initdb}")); }

# Test that this is refused, whatever is allowed to be made, and that nothing is.
sub refuses
{
	my ($cluster, $arguments, $exit, $pattern, $name) = @_;
	my $before = picture($cluster);
	program_fails($arguments, $exit, $pattern, $name);
	is(picture($cluster), $before, "$name: nothing was changed");
	return;
}

# The same of start with the programs of both majors, and of preseed.
sub starts_nothing
{
	my ($cluster, $pattern, $name, @programs) = @_;
	refuses($cluster, [ command($cluster, $_), '--initialize', '--restore', '--repository', "file://$cluster->{dir}" ], 18, $pattern, "$name, start of $_") for @programs;
	refuses($cluster, [ 'preseed', '--data-dir', $cluster->{data}, '--bindir', $bindir, '--initialize' ], 18, $pattern, "$name, preseed");
	return;
}

# Become the server, and look at it. Returns what was said.
sub runs
{
	my ($cluster, $name, $look, @arguments) = @_;
	my $output = '';
	my $run = IPC::Run::start([ 'pg_steward', command($cluster), @arguments ], '<', \undef, '>&', \$output);
	$server = $run->{KIDS}[0]{PID};
	poll_until(sub { $run->pump_nb; !$run->pumpable || (eval { slurp("$cluster->{data}/postmaster.pid") } // '') =~ /\A$server\n.*^ready *$/ms }, 'the server is ready');
	ok($run->pumpable, "$name: the server is ready") or diag($output);
	like(slurp("$cluster->{data}/PG_VERSION"), qr/^\Q$to\E$/, "$name: it is of the new major");
	is($cluster->sql('postgres', 'SELECT count(*) FROM t'), 1000, "$name: with the data");
	$look->() if $look;
	kill('INT', $server);
	$run->finish;
	$server = undef;
	is($run->result(0) || 0, 0, "$name: it ends as it should");
	return $output;
}

# Kill a start as soon as the condition is true.
sub kill_start_when
{
	my ($cluster, $condition, @arguments) = @_;
	my $output = '';
	my $run = IPC::Run::start([ 'pg_steward', command($cluster), @arguments, '--prepare-only' ], '<', \undef, '>&', \$output);
	my $deadline = time() + Steward::Test::timeout();
	while ($run->pumpable && !$condition->())
	{
		die "timed out waiting to kill: $output" if time() > $deadline;
		$run->pump_nb;
		Time::HiRes::usleep(1000);
	}
	$run->signal('KILL') if $run->pumpable;
	$run->finish;
	ok(($? & 127) == 9, 'it was killed in time') or diag($output);
	return;
}

sub has_begun { my ($cluster, $step) = @_; return (eval { slurp("$cluster->{data}.upgrade/journal") } // '') =~ /"event":"step",[^\n]*"step":"\Q$step\E"/; }

# Take the last line off the journal, as if a power cut had come before it.
sub forget_last_line
{
	my ($cluster) = @_;
	my $journal = slurp("$cluster->{data}.upgrade/journal");
	spew("$cluster->{data}.upgrade/journal", $journal =~ s/[^\n]*\n\z//r);
	return;
}

sub move { my ($from, $to_where) = @_; rename($from, $to_where) or die "could not rename \"$from\": $!"; return; }

# Slots and subscriptions are carried over from 17 on, and since 18 subscriptions count against a limit that older majors do not have.
use constant kSubscriptions => 11;
sub carries_replication { my ($from) = @_; return $from >= 17; }

# A value that the new major refuses: naming the setting, or in other words.
sub refused_line
{
	my ($from) = @_;
	return 'password_encryption = on' if $from < 14;
	return $to >= 19 ? 'standard_conforming_strings = off' : undef;
}

sub old_cluster
{
	my ($from, %options) = @_;
	my $cluster = Steward::OldCluster->create($from, $older{$from}, %options);
	$cluster->start;
	$cluster->sql('postgres', q{CREATE ROLE app LOGIN}, 'CREATE TABLE t AS SELECT generate_series(1, 1000) AS a');
	return $cluster;
}

# With all that makes an upgrade do more: its WAL elsewhere, replication, a setting that is refused.
sub elaborate_cluster
{
	my ($from) = @_;
	my $wal = PostgreSQL::Test::Utils::tempdir_short() . '/wal';
	my $cluster = old_cluster($from, initdb => [ '--waldir', $wal ], settings => [ 'wal_level = logical', 'max_replication_slots = 30', grep { defined } refused_line($from) ]);
	$cluster->{wal} = $wal;
	if (carries_replication($from))
	{
		$cluster->sql('postgres', "CREATE SUBSCRIPTION s$_ CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)") for 1 .. kSubscriptions;
		$cluster->sql('postgres', q{SELECT pg_create_logical_replication_slot('carried', 'pgoutput')});
	}
	$cluster->stop;
	return $cluster;
}

# What the new cluster has of that.
sub check_elaborate
{
	my ($cluster, $from) = @_;
	my $report = slurp("$cluster->{data}.upgrade/logs/$to-configuration.txt");
	is(readlink("$cluster->{data}/pg_wal"), "$cluster->{wal}.$to", 'its WAL is beside that of the old one');
	if (my $line = refused_line($from))
	{
		like(slurp("$cluster->{data}/postgresql.conf"), qr/^# pg_steward: \S.*\n#\Q$line\E$/m, 'a value that is refused is commented out');
		like($report, qr/"postgresql.conf", line \d+, @{[ $line =~ s{ .*}{}r ]}: \S.*commented out/, 'which is reported');
	}
	return if !carries_replication($from);
	is($cluster->sql('postgres', q{SELECT count(*) FROM pg_subscription}), kSubscriptions, 'the subscriptions came along');
	is($cluster->sql('postgres', q{SELECT slot_name FROM pg_replication_slots}), 'carried', 'so did the slot');
	is($cluster->sql('postgres', 'SHOW max_replication_slots'), 30, 'a limit that is enough is left alone');
	return if $from >= 18;
	is($cluster->sql('postgres', 'SHOW max_active_replication_origins'), kSubscriptions, 'there is room for them');
	like($report, qr/"max_active_replication_origins = @{[kSubscriptions]}" at its end: .*it was "10"/, 'which is reported');
	return;
}

sub test_refusals
{
	my ($cluster, $from) = @_;
	refuses($cluster, [ command($cluster) ], 21, qr/is of PostgreSQL $from, and the programs are of $to.*--auto-upgrade or AUTO_UPGRADE.*upgrade run/s, 'without permission');
	local $ENV{AUTO_UPGRADE} = 'no';
	refuses($cluster, [ command($cluster) ], 21, qr/--auto-upgrade/, 'against permission');
	$ENV{AUTO_UPGRADE} = 'yes';
	refuses($cluster, [ command($cluster), '--old-bindir', $bindir ], 21, qr/are of PostgreSQL $to, and the cluster is of $from.*--old-bindir/s, 'with the wrong old programs');
	refuses($cluster, [ command($cluster), '--upgrade-method', 'magic' ], 2, qr/no upgrade method "magic"/, 'by no method');
	return;
}

sub test_dry_run
{
	my ($cluster, $from) = @_;
	local @ENV{qw(AUTO_UPGRADE RESET_PASSWORD POSTGRES_PASSWORD)} = ('1', 'app', 'secret');
	my $told = program_ok([ command($cluster), '--dry-run' ], 'a dry run');
	like($told, qr/^upgrade: to do: The cluster is of PostgreSQL $from, .*^password: to do.*^upgrade of "\Q$cluster->{data}\E" from $from by \w+, to $to\n.*^server: \Q$bindir\E\/postgres/ms, 'tells what would be done');
	ok(!-e "$cluster->{data}.upgrade", 'and makes nothing');
	like(slurp("$cluster->{data}/PG_VERSION"), qr/^$from$/, 'the cluster is the old one');
	return;
}

# Killed while the data are carried over.
sub test_killed
{
	my ($cluster, $from) = @_;
	kill_start_when($cluster, sub { has_begun($cluster, 'transfer') }, '--auto-upgrade');
	starts_nothing($cluster, qr/from $from to $to is in state "can be resumed".*pg_steward upgrade run.*upgrade rollback/s, 'killed', $older{$from}, $bindir);
	refuses($cluster, [ command($cluster, $older{$from}), '--auto-upgrade' ], 21, qr/to $to is under way, and the programs are of $from.*upgrade rollback/s, 'going on with the old programs');
	refuses($cluster, [ command($cluster), '--auto-upgrade', '--upgrade-method', 'dump' ], 2, qr/not by dump/, 'going on by another method');
	my $said = program_ok([ command($cluster), '--auto-upgrade', '--prepare-only' ], 'going on');
	like($said, qr/^preseed: nothing to do.*^upgrade: to do: An upgrade from $from to $to is under way.*^The upgrade from $from to $to is not committed: .*upgrade commit/ms, 'tells what it does, and what is left to do');
	return;
}

# In the middle of an exchange, between its two renames where the file system cannot do it at once.
sub test_amid_exchange
{
	my ($cluster, $from) = @_;
	my $data = $cluster->{data};
	forget_last_line($cluster);
	move($data, "$data.upgrade/$to");
	starts_nothing($cluster, qr/exchange of the directories is to be finished/, 'without a data directory', $older{$from}, $bindir);
	# As a container's entry point does.
	mkdir($data, 0700) or die $!;
	starts_nothing($cluster, qr/exchange of the directories is to be finished/, 'with an empty one', $older{$from}, $bindir);
	spew("$cluster->{dir}/password", "it's secret\n");
	local @ENV{qw(AUTO_UPGRADE RESET_PASSWORD POSTGRES_PASSWORD_FILE)} = ('on', 'app', "$cluster->{dir}/password");
	my $said = runs($cluster, 'with an empty one', sub { check_elaborate($cluster, $from); like($cluster->sql('postgres', q{SELECT rolpassword FROM pg_authid WHERE rolname = 'app'}), qr/^SCRAM-SHA-256/, 'the password was set'); });
	like($said, qr/going on with step "exchange".*is not committed/s, 'it was gone on with');
	return;
}

# Behind the exchange, before the old cluster has its name.
sub test_behind_exchange
{
	my ($cluster, $from) = @_;
	my $data = $cluster->{data};
	forget_last_line($cluster);
	move("$data.upgrade/old", "$data.upgrade/$to");
	starts_nothing($cluster, qr/exchange of the directories is to be finished/, 'with the new cluster in place', $bindir);
	runs($cluster, 'with the new cluster in place', undef, '--auto-upgrade');
	like(program_ok([ command($cluster), '--prepare-only' ], 'the next time'), qr/^upgrade: nothing to do: Cluster and programs are of PostgreSQL $to\. The upgrade from $from to $to is not committed: .*upgrade commit/m, 'it is told that the upgrade is not committed');
	move($data, "$data.away");
	starts_nothing($cluster, qr/holds no cluster.*the old one is kept.*upgrade rollback/s, 'moved away', $bindir);
	move("$data.away", $data);
	return;
}

sub test_rolled_back
{
	my ($cluster, $from) = @_;
	my $data = $cluster->{data};
	is((upgrade('rollback', $cluster, '--discard-changes'))[1], 0, 'rolled back');
	ok(-d "$cluster->{wal}/archive_status" && !-e "$cluster->{wal}.$to", 'the new WAL is gone, and the old one is there');
	like(program_ok([ command($cluster, $older{$from}), '--prepare-only' ], 'the old cluster with its programs'), qr/An upgrade from $from to $to was rolled back/, 'is started');
	move($data, "$data.away");
	refuses($cluster, [ command($cluster), '--initialize' ], 5, qr/holds no cluster any more/, 'what was rolled back and is gone is not made anew');
	move("$data.away", $data);
	return;
}

# A cluster that is used up by the upgrade cannot have its WAL elsewhere, and none is made for such a method to find that out.
sub test_method_for_wal_elsewhere
{
	my ($cluster, $from) = @_;
	my ($verdict) = grep { $_->{method} eq 'link' } @{ $cluster->check($to)->{methods} };
	is($verdict->{possible}, JSON::PP::false, 'the check says that it cannot be linked');
	like($verdict->{reason}, qr/WAL is elsewhere/, 'and why');
	program_fails([ command($cluster), '--auto-upgrade', '--upgrade-method', 'link' ], 4, qr/by method "link".*WAL is elsewhere/s, 'nor is it');
	ok(!-e "$cluster->{data}.upgrade", 'and nothing is made');
	return;
}

# By link, the old cluster is put out of use before there is a new one.
sub test_link
{
	my ($cluster, $from) = @_;
	my $data = $cluster->{data};
	kill_start_when($cluster, sub { -e "$data/global/pg_control.old" }, '--auto-upgrade', '--upgrade-method', 'link');
	# What pg_upgrade has started ends a moment after it.
	poll_until(sub { !grep { (readlink("$_/cwd") // '') =~ /^\Q$data\E/ } glob('/proc/[0-9]*') }, 'nobody works on it any more');
	starts_nothing($cluster, qr/"can be resumed"/, 'by link, put out of use', $older{$from}, $bindir);
	runs($cluster, 'by link', undef, '--auto-upgrade', '--upgrade-method', 'link');
	# A commit that was killed leaves the new cluster alone.
	spew("$data.upgrade/journal", slurp("$data.upgrade/journal") . qq({"event":"step","at":"2026-01-01T00:00:00.000000Z","hop":0,"step":"remove_old"}\n));
	like(program_ok([ command($cluster), '--prepare-only' ], 'amid a commit'), qr/commit of the upgrade from $from to $to is to be finished with .*upgrade commit/, 'the new cluster is started');
	is((upgrade('commit', $cluster))[1], 0, 'committed');
	unlike(program_ok([ command($cluster), '--prepare-only' ], 'the new cluster'), qr/commit/, 'nothing is left to be told');
	return;
}

if (my @majors = sort { $a <=> $b } keys %older)
{
	my $from = $majors[-1];
	note("from $from to $to");
	my $cluster = elaborate_cluster($from);
	test_refusals($cluster, $from);
	test_method_for_wal_elsewhere($cluster, $from);
	test_dry_run($cluster, $from);
	test_killed($cluster, $from);
	test_amid_exchange($cluster, $from);
	test_behind_exchange($cluster, $from);
	test_rolled_back($cluster, $from);
	my $plain = old_cluster($from);
	$plain->stop;
	test_link($plain, $from);
}

# What needs no older major: a cluster of this one, and journals of upgrades that are said to be on it.
my $node = Steward::Node->create('own', preload => 0);
my $own = { data => $node->data_dir, dir => PostgreSQL::Test::Utils::tempdir() };
my $data = $own->{data};

sub write_journal
{
	my ($from, $target, @lines) = @_;
	my %request = (data_directory_hex => unpack('H*', $data), from => $from, path => [$target], method => 'copy', bindirs_hex => [ (unpack('H*', $bindir)) x 2 ],
		config_file_hex => unpack('H*', "$data/postgresql.conf"), system_identifier => '42', statistics => JSON::PP::true, jobs => 1);
	my $at = '2026-01-01T00:00:00.000000Z';
	mkdir("$data.upgrade");
	spew("$data.upgrade/journal", join('', map { JSON::PP::encode_json($_) . "\n" } { event => 'begin', at => $at, version => 1, request => \%request },
		map { { event => $_->[0], at => $at, hop => 1, step => $_->[1] } } @lines));
	return;
}

write_journal($to, $to + 1);
starts_nothing($own, qr/from $to to @{[ $to + 1 ]} is in state "can be resumed".*--data-dir \Q$data\E/s, 'an upgrade from this major', $bindir);
write_journal($to - 1, $to, [ step => 'transfer' ]);
starts_nothing($own, qr/"must be rolled back"/, 'an upgrade that lost its cluster', $bindir);
write_journal($to - 1, $to, [ done => 'exchange' ], [ step => 'bring_back' ]);
starts_nothing($own, qr/"rollback to be finished"/, 'half a rollback', $bindir);
refuses($own, [ command($own), '--auto-upgrade' ], 18, qr/"rollback to be finished".*upgrade rollback/s, 'half a rollback, also by permission');
write_journal($to - 1, $to, [ done => 'exchange' ]);
like(program_ok([ command($own), '--dry-run' ], 'an upgrade to this major'), qr/is not committed.*^decision: present$/ms, 'is started');
move($data, "$data.away");
starts_nothing($own, qr/"upgraded, not committed".*holds no cluster/s, 'an upgrade whose cluster is gone', $bindir);
move("$data.away", $data);
spew("$data.upgrade/journal", "nonsense\n");
refuses($own, [ command($own) ], 8, qr/line 1 of the journal/, 'a journal that is damaged');
unlink("$data.upgrade/journal") or die $!;

# A mount point cannot be renamed, and so not be upgraded, which is told before anything is made.
my @in_a_mount = ('unshare', '--user', '--map-current-user', '--keep-caps', '--mount', 'sh', '-c', 'mount --bind "$0" "$0" && exec "$@"', $data);
if (!$ENV{STEWARD_IN_MATRIX} && system("@in_a_mount[0 .. 4] true 2>/dev/null") == 0)
{
	my ($stdout, $stderr) = ('', '');
	IPC::Run::run([ @in_a_mount, 'pg_steward', 'upgrade', 'run', '--data-dir', $data, '--to', 98 ], '<', \undef, '>', \$stdout, '2>', \$stderr);
	is($? >> 8, 18, 'a mount point: exit status');
	like($stderr, qr/is a mount point.*hint: Move what is in it into a directory below it/s, 'a mount point: cure');
	is(join(' ', glob("$data.upgrade/*")), '', 'a mount point: nothing is made');
}
done_testing();
