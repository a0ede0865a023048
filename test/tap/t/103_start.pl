# pg_steward start sees to everything before the server runs, and then is the server: the same process, without the secrets of its environment.
use Steward::Test;
use Cwd ();
use IPC::Run ();
use JSON::PP ();

my $bindir = qx("@{[ $ENV{PG_CONFIG} // 'pg_config' ]}" --bindir);
chomp $bindir;
my $major = pg_major();
my $base = PostgreSQL::Test::Utils::tempdir();
my $sockets = PostgreSQL::Test::Utils::tempdir_short();
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $data = "$base/data";
my @start = ('start', '--data-dir', $data, '--bindir', $bindir);
my @initialize = ('--initialize', map { "--initdb-option=$_" } '--username=the boss', '--auth=scram-sha-256', '--no-sync');
my @options = ('--', '-c', "port=$port", '-c', "unix_socket_directories=$sockets", '-c', 'listen_addresses=', '-c', 'fsync=off');
delete @ENV{qw(PG_VERSION POSTGRES_PASSWORD POSTGRES_PASSWORD_FILE RESET_PASSWORD START_POSTGRES AUTO_UPGRADE)};

my $server;
END { kill('QUIT', $server) if $server; }

sub clear { system('rm', '-rf', $data, glob("$data.*")) == 0 or die; return; }

# What a role gets with a password: the statement's result, "refused", or the error.
sub login
{
	my ($role, $password, $statement) = @_;
	local @ENV{qw(PGPASSWORD PGUSER)} = ($password, $role);
	my ($stdout, $stderr) = ('', '');
	IPC::Run::run([ 'psql', '-XAtqw', '-h', $sockets, '-p', $port, '-d', 'postgres', '-c', $statement // 'SELECT 42' ], '>', \$stdout, '2>', \$stderr);
	chomp $stdout;
	return $? == 0 ? $stdout : $stderr =~ /password authentication failed/ ? 'refused' : $stderr;
}

# Start a server, and test that the process that was started has become it. Returns the run, what it prints, and its process id.
sub starts
{
	my ($name, $environment, @arguments) = @_;
	local @ENV{ keys %$environment } = values %$environment;
	my $output = '';
	note('# running: pg_steward ' . join(' ', @start, @arguments));
	my $run = IPC::Run::start([ 'pg_steward', @start, @arguments, @options ], '<', \undef, '>&', \$output);
	$server = $run->{KIDS}[0]{PID};
	my $ready = eval { poll_until(sub { $run->pump_nb; !$run->pumpable || (eval { slurp("$data/postmaster.pid") } // '') =~ /\A$server\n.*^ready *$/ms }, 'the server is ready') } && $run->pumpable;
	ok($ready, "$name: the server is ready") or diag($output);
	is((split /\n/, slurp("$data/postmaster.pid"))[0], $server, "$name: it is the process that was started");
	is(readlink("/proc/$server/exe"), Cwd::realpath("$bindir/postgres"), "$name: which is the server's program");
	unlike(slurp("/proc/$server/environ"), qr/POSTGRES_PASSWORD/, "$name: no password is in its environment");
	unlike($output, qr/secret/, "$name: and none was said");
	return ($run, \$output);
}

# Test that the signal shuts the server down in order.
sub stops
{
	my ($run, $signal, $name) = @_;
	kill($signal, $server);
	$run->finish;
	$server = undef;
	is($run->result(0) || 0, 0, "$name: $signal ends it with exit status 0");
	like(qx(LC_ALL=C "$bindir/pg_controldata" "$data"), qr/cluster state:\s+shut down$/m, "$name: and the cluster is shut down");
	return;
}

# Test that start refuses, dry or not, and leaves everything as it was.
sub refuses
{
	my ($environment, $arguments, $exit, $pattern, $name) = @_;
	local @ENV{ keys %$environment } = values %$environment;
	my $before = picture_of($base);
	for my $dry ([], ['--dry-run'])
	{
		my $told = program_fails([ @start, @$arguments, @$dry ], $exit, $pattern, join(' ', $name, @$dry));
		unlike($told, qr/secret/, "$name: without the password");
	}
	is(picture_of($base), $before, "$name: nothing was changed");
	return;
}

# Where nothing is, nothing is made unasked; what is not understood is an error.
refuses({}, [], 5, qr/holds no cluster.*--restore.*--initialize/s, 'nothing there, nothing asked for');
refuses({ START_POSTGRES => 'maybe' }, [@initialize], 3, qr/variable "START_POSTGRES".*"maybe".*hint: Use on or off/s, 'START_POSTGRES');
refuses({ AUTO_UPGRADE => 'perhaps' }, [@initialize], 3, qr/variable "AUTO_UPGRADE".*"perhaps".*hint: Use on or off/s, 'AUTO_UPGRADE');
refuses({ PG_VERSION => 'latest' }, [@initialize], 3, qr/variable "PG_VERSION".*"latest"/, 'PG_VERSION');
refuses({ PG_VERSION => $major + 1 }, [@initialize], 21, qr/are of PostgreSQL $major, and @{[ $major + 1 ]} is asked for/, 'PG_VERSION of other programs');
refuses({ RESET_PASSWORD => 'app' }, [@initialize], 2, qr/none is given.*POSTGRES_PASSWORD_FILE/s, 'RESET_PASSWORD without a password');
refuses({ POSTGRES_PASSWORD => 'secret', POSTGRES_PASSWORD_FILE => '/f' }, [@initialize], 3, qr/are both set/, 'two passwords');
refuses({ POSTGRES_PASSWORD_FILE => "$base/none" }, [@initialize], 5, qr/could not open file "\Q$base\E\/none"/, 'a password file that is not there');
refuses({ POSTGRES_PASSWORD => 'secret', RESET_PASSWORD => 'app' }, [ '--restore', '--repository', "file://$base" ], 18, qr/yet to be restored/, 'a password after a restore');
refuses({}, [ '--initdb-option=-N' ], 2, qr/need --initialize/, 'initdb without consent');
refuses({}, [ @initialize, '--', '-D', '/elsewhere' ], 2, qr/--data-dir/, 'another data directory');
refuses({}, [ @initialize, '--owner', 'nobody' ], 2, qr/only root/, 'another user');
program_fails([ 'start', '--data-dir', $data, '--bindir', $base, @initialize ], 21, qr/could not find out the version.*--bindir/s, 'programs that are not there');
{
	local $ENV{PGDATA};
	program_fails([ 'start', '--bindir', $bindir ], 2, qr/no data directory/, 'no data directory');
}

# What is there and is no cluster of ours.
mkdir($data, 0700) or die;
spew("$data/pg_steward.restore", "{}\n");
spew("$data/PG_VERSION", "$major\n");
refuses({}, [@initialize], 5, qr/interrupted.*--restore/s, 'half-restored');
unlink("$data/pg_steward.restore") or die;
refuses({}, [@initialize], 8, qr/damaged cluster/, 'damaged');
rename("$data/PG_VERSION", "$data/photo") or die;
refuses({}, [@initialize], 6, qr/something else than a cluster/, 'foreign');
clear();
refuses({}, [ @initialize, '--mount-point', $base ], 18, qr/not mounted/, 'not mounted');
clear();

# A new cluster. A dry run says what would be done.
my $before = picture_of($base);
{
	local $ENV{POSTGRES_PASSWORD} = 'secret';
	like(program_ok([ @start, @initialize, '--dry-run', @options ], 'dry run'),
		qr/^preseed: to do:.*^password: nothing to do: Should preseed make a new cluster.*^decision: initialize\n.*^server: \Q$bindir\E\/postgres -D \Q$data\E -c port=/ms, 'says it');
}
is(picture_of($base), $before, 'a dry run changes nothing');
my ($run, $output) = starts('a new cluster', { POSTGRES_PASSWORD => 'the "secret"\'\\ word' }, @initialize);
is(login('the boss', 'the "secret"\'\\ word'), '42', 'its superuser has the password');
is(login('the boss', 'secret'), 'refused', 'and no other');
like(slurp("$data/pg_hba.conf"), qr/scram-sha-256$/m, 'initdb had its options');
is(login('the boss', 'the "secret"\'\\ word', 'SHOW fsync'), 'off', 'and the server its');
is(login('the boss', 'the "secret"\'\\ word', q{CREATE ROLE app LOGIN PASSWORD 'old'; CREATE ROLE locked; SELECT 1}), '1', 'it works') or die;
program_fails([@start], 17, qr/in use by a running server/, 'a running server');
stops($run, 'TERM', 'a new cluster');
my $known = 'the "secret"\'\\ word';

# It is there. A password without a role is not for it.
($run, $output) = starts('an existing cluster', { POSTGRES_PASSWORD => 'another secret', PG_VERSION => "$major.1-1.pgdg120+1" }, @initialize);
like($$output, qr/^permissions: to do:.*^0 errors.*^decision: present$/ms, 'an existing cluster is checked');
like($$output, qr/^password: nothing to do: A password is given and not used/m, 'and what is not used is said');
is(login('the boss', $known), '42', 'the password is as it was');
stops($run, 'INT', 'an existing cluster');

# A role's password.
spew("$base/password", "file's secret\n");
$before = picture_of($base);
{
	local @ENV{qw(RESET_PASSWORD POSTGRES_PASSWORD_FILE)} = ('app', "$base/password");
	like(program_ok([ @start, '--dry-run' ], 'dry run of a password'), qr/^password: to do:.*^would be run: ALTER ROLE "app" PASSWORD/ms, 'names the statement');
	my $json = program_ok([ @start, '--dry-run', '--output', 'json' ], 'dry run in JSON');
	my @values = JSON::PP->new->utf8->incr_parse($json);
	is_deeply([ map { $_->{step} } grep { $_->{due} } @{ $values[0]{steps} } ], [ 'permissions', 'preseed', 'password', 'server' ], 'the first value has the steps');
	is_deeply($values[-1]{server}, [ "$bindir/postgres", '-D', $data ], 'the last one the command');
	is(scalar(@values), 5, 'and each step has one');
}
is(picture_of($base), $before, 'a dry run of a password changes nothing');
my %reset = (RESET_PASSWORD => 'app', POSTGRES_PASSWORD_FILE => "$base/password");
($run, $output) = starts('a password', \%reset);
is(login('app', "file's secret"), '42', 'the password is set');
is(login('app', 'old'), 'refused', 'the old one is refused');
my $verifier = login('the boss', $known, q{SELECT rolpassword FROM pg_authid WHERE rolname = 'app'});
stops($run, 'TERM', 'a password');
($run, $output) = starts('the same password', \%reset);
like($$output, qr/has this password already. Nothing was changed/, 'the same password is kept');
is(login('the boss', $known, q{SELECT rolpassword FROM pg_authid WHERE rolname = 'app'}), $verifier, 'with the same verifier');

# After a crash.
my $killed = $server;
kill('KILL', $killed);
$run->finish;
$server = undef;
poll_until(sub { my %run = run_program(@start, '--dry-run'); $run{exit} != 17 }, 'the processes of the killed server are gone');
($run, $output) = starts('after a crash', { %reset, POSTGRES_PASSWORD => '' });
like($$output, qr/the server recovered it first.*has this password already/s, 'the cluster is recovered first');
is(login('app', "file's secret"), '42', 'the password is as it was');
stops($run, 'INT', 'after a crash');
{
	local $ENV{POSTGRES_PASSWORD} = 'new secret';
	program_fails([ @start, '--reset-password', 'nobody', @options ], 5, qr/there is no role "nobody"/, 'an unknown role');
	like(program_ok([ @start, '--reset-password', 'locked', '--enable-login', '--prepare-only', @options ], 'prepare only'), qr/NOLOGIN.*It was changed/s, 'sees to the role');
	local $ENV{START_POSTGRES} = 'off';
	program_ok([ @start, '--reset-password', 'app' ], 'START_POSTGRES=off');
	ok(!-e "$data/postmaster.pid", 'starts no server');
}
($run, $output) = starts('both are set', {});
is(login('locked', 'new secret') . login('app', 'new secret'), '4242', 'both passwords are set');
stops($run, 'INT', 'both are set');

# Permissions, and other releases.
chmod(0777, $data) or die;
program_fails([@start], 18, qr/owners or modes.*permissions fix.*--skip-permissions/s, 'a directory that is open to all');
my %run = run_program(@start, '--dry-run');
is($run{exit}, 18, 'the same, dry run: exit status');
like($run{stdout}, qr/^server: /m, 'the same, dry run: the other steps are shown');
chmod(0700, $data) or die;
for my $other ([ $major + 1, qr/is of PostgreSQL $major, and the programs are of @{[ $major + 1 ]}.*--auto-upgrade or AUTO_UPGRADE.*upgrade run/s ], [ $major - 1, qr/older release/ ])
{
	my ($version, $pattern) = @$other;
	my $programs = "$base/programs-$version";
	mkdir($programs) or die;
	spew("$programs/postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) $version.1'\n");
	chmod(0755, "$programs/postgres") or die;
	$before = picture_of($base);
	program_fails([ 'start', '--data-dir', $data, '--bindir', $programs ], 21, $pattern, "programs of $version");
	is(picture_of($base), $before, "programs of $version: nothing was changed");
}
{
	local $ENV{PG_VERSION} = $major;
	my $told = program_ok([ 'start', '--data-dir', $data, '--dry-run' ], 'programs by their version');
	like($told, qr/^server: \S+ -D \Q$data\E$/m, 'programs by their version are found');
	my ($program) = $told =~ m{^server: (/\S+)}m;
	like(qx("$program" --version), qr/PostgreSQL\) $major(?!\d)/, 'and are of that version');
}

# A configuration outside the data directory, as in Debian.
mkdir("$base/etc") or die;
rename("$data/$_", "$base/etc/$_") or die for 'postgresql.conf', 'pg_hba.conf', 'pg_ident.conf';
open(my $conf, '>>', "$base/etc/postgresql.conf") or die;
print $conf "data_directory = '$data'\nhba_file = '$base/etc/pg_hba.conf'\nident_file = '$base/etc/pg_ident.conf'\nport = $port\nunix_socket_directories = '$sockets'\nlisten_addresses = ''\n";
close($conf);
program_ok([ @start, '--config-file', "$base/etc/postgresql.conf", '--prepare-only' ], 'a configuration elsewhere');
($run, $output) = starts('a configuration elsewhere', {}, '--config-file', "$base/etc/postgresql.conf");
is(login('the boss', $known, 'SHOW config_file'), "$base/etc/postgresql.conf", 'is the one that is used');
stops($run, 'TERM', 'a configuration elsewhere');
like(program_ok([ @start, '--dry-run' ], 'the next time'), qr/^server: .* -c config_file=\Q$base\E\/etc\/postgresql.conf -c data_directory=\Q$data\E$/m, 'it is found where it was');

# As root: of a user namespace (see 101_permissions.pl).
if (!$ENV{STEWARD_IN_MATRIX} && system('unshare --user --map-root-user true 2>/dev/null') == 0)
{
	my ($stdout, $stderr) = ('', '');
	IPC::Run::run([ 'unshare', '--user', '--map-root-user', 'pg_steward', @start ], '<', \undef, '>', \$stdout, '2>', \$stderr);
	is($? >> 8, 2, 'a data directory of root: exit status');
	like($stderr, qr/belongs to root.*hint: .*--owner/s, 'a data directory of root: cure');
}

# Where nothing is, from the repository. The module is not there in every place that this test runs in.
my $libraries = qx("@{[ $ENV{PG_CONFIG} // 'pg_config' ]}" --pkglibdir);
chomp $libraries;
if (-e "$libraries/pg_steward.so")
{
	my $node = Steward::Node->create('primary');
	$node->start;
	$node->sql('CREATE EXTENSION pg_steward');
	$node->sql('CREATE TABLE t AS SELECT 42 AS i');
	$node->sql('SELECT * FROM steward.backup()');
	my $user = $node->sql('SELECT current_user');
	$node->stop;
	clear();
	push @options, '-c', 'archive_mode=off';
	($run, $output) = starts('a restore', {}, '--restore', '--repository', 'file://' . $node->repository_dir);
	like($$output, qr/^decision: restore$/m, 'a restore: decided by preseed');
	poll_until(sub { login($user, '') eq '42' }, 'the server answers');
	poll_until(sub { login($user, '', 'SELECT pg_is_in_recovery()') eq 'f' }, 'recovery has ended');
	is(login($user, '', 'SELECT i FROM t'), '42', 'a restore: the data is there');
	stops($run, 'INT', 'a restore');
}
done_testing();
