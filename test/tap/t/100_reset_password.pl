# pg_steward reset-password sets a role's password while the server is down, whatever the names, passwords and settings are.
use Steward::Test;
use JSON::PP ();
use Steward::HostileRoles;

my $node = Steward::Node->create('primary', preload => 0, settings => { wal_level => 'replica', max_wal_senders => 4, log_statement => 'all', log_min_duration_statement => 0, log_min_error_statement => 'debug5' });
my $data = $node->data_dir;
my $bindir = qx("@{[ $ENV{PG_CONFIG} // 'pg_config' ]}" --bindir);
chomp $bindir;
my @reset = ('reset-password', '--data-dir', $data);
my $files = $node->basedir;
# The pg_hba.conf of this cluster trusts everybody; later it asks.
sub ask_for_passwords
{
	spew("$data/pg_hba.conf", "local all all scram-sha-256\n");
	return;
}

sub reset_to { my ($password, @arguments) = @_; return reset_password_to($password, '--data-dir', $data, @arguments); }

sub reset_ok
{
	my ($password, $name, @arguments) = @_;
	my %run = reset_to($password, @arguments);
	is($run{exit}, 0, $name) or diag($run{stderr});
	return $run{stdout};
}

sub login { return login_as(@_, '-h', $node->host, '-p', $node->port, '-d', 'gone'); }

sub state_of { return (qx(LC_ALL=C pg_controldata "$data") =~ /Database cluster state:\s+(.*)/)[0]; }

my %hostile = hostile_roles(pg_major());

$node->start;
$node->sql(q{CREATE ROLE plain LOGIN PASSWORD 'old'});
$node->sql(q{CREATE ROLE nologin PASSWORD 'old' VALID UNTIL '2001-02-03 04:05:06+00' CONNECTION LIMIT 0});
$node->sql(q{CREATE ROLE without LOGIN});
$node->sql(q{CREATE DATABASE latin TEMPLATE template0 ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C'});
$node->psql('latin', statement_making($_, 'old'), on_error_die => 1) for sort keys %hostile;
my $superuser = $node->sql('SELECT rolname FROM pg_roles WHERE oid = 10');
$node->sql(q{CREATE ROLE helper SUPERUSER LOGIN});
$node->sql(q{ALTER DATABASE postgres RENAME TO gone}, database => 'template1');

# A standby that was stopped, and that no longer knows what it was.
$node->backup('for_standby');
my $standby = Steward::Node->new('standby');
$standby->init_from_backup($node, 'for_standby', has_streaming => 1);
$standby->start;
$standby->stop;
program_fails([ 'reset-password', '--data-dir', $standby->data_dir, '--role', 'plain', '--generate' ], 18, qr/It is a standby/, 'a standby');
unlink($standby->data_dir . '/standby.signal') or die;
program_fails([ 'reset-password', '--data-dir', $standby->data_dir, '--role', 'plain', '--generate' ], 18, qr/shut down in recovery.*its signal file is gone/,
	'a standby without its signal file');

# A running server.
my %run = reset_to('new', '--role', 'plain');
is($run{exit}, 17, 'a running server: exit status');
like($run{stderr}, qr/in use by a running server.*hint:.*\\password "plain".*ALTER ROLE "plain" PASSWORD/s, 'and the SQL to use instead');
$node->psql('template1', qq{ALTER ROLE "$superuser" RENAME TO "the boss"}, extra_params => [ '-U', 'helper' ], on_error_die => 1);
ask_for_passwords();
$node->stop;

# Without a server: what there is.
my $control = slurp("$data/global/pg_control");
my $told = program_ok([ @reset, '--role', 'nologin', '--dry-run' ], 'dry run');
like($told, qr/^role "nologin": OID \d+, password so far: scram-sha-256$/m, 'names the role');
like($told, qr/^would be run: ALTER ROLE "nologin" PASSWORD 'SCRAM-SHA-256\$\.\.\.'$/m, 'and the statement');
like($told, qr/NOLOGIN.*VALID UNTIL 2001-02-03T04:05:06.*CONNECTION LIMIT 0.*Nothing was changed/s, 'and what is in the way');
my $json = JSON::PP->new->utf8->decode(program_ok([ @reset, '--role', 'without', '--dry-run', '--output', 'json' ], 'dry run in JSON'));
is($json->{old_password}, 'none', 'without a password');
is_deeply($json->{obstacles}, [], 'and without obstacles');
program_fails([ @reset, '--role', 'nobody', '--dry-run' ], 5, qr/there is no role "nobody".*roles that can log in are.*"helper"/s, 'dry run of an unknown role');
is(slurp("$data/global/pg_control"), $control, 'a dry run changes nothing');
program_fails([ @reset, '--role', 'plain' ], 4, qr/password is empty/, 'no password');
{
	# Somebody who has not made up their mind: a pipe that stays open, and Ctrl-C.
	my ($input, $stdout, $stderr) = ('half a pass', '', '');
	my $asking = IPC::Run::start([ 'pg_steward', @reset, '--role', 'plain' ], '<', \$input, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(Steward::Test::timeout()));
	my $pid = $asking->{KIDS}[0]{PID};
	poll_until(sub { my ($blocked) = slurp("/proc/$pid/status") =~ /^SigBlk:\s+[[:xdigit:]]*([[:xdigit:]])$/m; hex($blocked // 0) & 2 }, 'it looks out for signals');
	$asking->pump_nb;
	kill 'INT', $pid;
	wait_until_gone($pid);
	$asking->finish;
	is($asking->full_result(0) >> 8, 16, 'a password that does not come to its end can be interrupted') or diag($stderr);
}
program_fails([ @reset, '--role', 'plain', '--generate', '--password-file', '/dev/null' ], 2, qr/excludes/, 'two sources');
program_fails([ 'reset-password', '--data-dir', "$files/none", '--role', 'plain', '--generate' ], 5, qr/could not look at data directory/, 'no directory');
%run = reset_to('new', '--role', 'nobody', '--save-old', "$files/old.sql");
is($run{exit}, 5, 'an unknown role: exit status');
like($run{stderr}, qr/roles that can log in are.*"plain"/s, 'and the roles there are');
ok(!-e "$files/old.sql", 'and no file with a way back');
is(state_of(), 'shut down', 'the cluster is shut down');

%run = reset_to('new', '--role', 'pg_monitor');
is($run{exit}, 23, 'a predefined role: exit status');
like($run{stderr}, qr/error: role name "pg_monitor" is reserved/, 'and what the server says');
unlike($run{stderr}, qr/SCRAM-SHA-256\$/, 'without the statement');

# Hostile names and passwords.
for my $role (sort keys %hostile)
{
	reset_ok("$hostile{$role}\n", 'hostile role and password ' . unpack('H*', $role), '--role', $role);
}
spew("$files/password", "from a file\n");
like(program_ok([ @reset, '--role', 'plain', '--password-file', "$files/password", '--save-old', "$files/old.sql" ], 'password from a file'),
	qr/stored for SCRAM-SHA-256, with \d+ iterations/, 'is stored');
is((stat("$files/old.sql"))[2] & 07777, 0600, 'the way back is for the owner alone');
%run = run_program(@reset, '--role', 'without', '--generate');
like($run{stdout}, qr/\A[a-z2-9]{26}\n\z/, 'the generated password stands alone');
like($run{stderr}, qr/password so far: none/, 'the rest is on standard error');
chomp(my $generated = $run{stdout});
reset_ok('shared', 'a role in whose way something is', '--role', 'nologin');
reset_ok('boss', 'the renamed superuser', '--role', 'helper');
is(state_of(), 'shut down', 'the cluster is shut down in order');
$node->start;
is(login($_, $hostile{$_}), 'in', 'hostile login') for sort keys %hostile;
is(login($_, 'old'), 'refused', 'and another password is refused') for sort keys %hostile;
is(login("\xc3\xbcml\xc3\xa4ut", "\xc3\xbcfiIX"), 'in', 'prepared as the server does');
is(login('plain', 'from a file'), 'in', 'password from a file');
is(login('plain', 'old'), 'refused', 'the old one fails');
is(login('without', $generated), 'in', 'generated password');
is(login('nologin', 'shared'), 'refused', 'what is in the way stays unless asked');
$node->stop;

# Cured on request, and the way back.
like(reset_ok('cured', 'enable login', '--role', 'nologin', '--enable-login', '--save-old', "$files/undo.sql"), qr/NOLOGIN.*It was changed/, 'says what was changed');
program_fails([ @reset, '--role', 'plain', '--generate', '--save-old', "$files/undo.sql" ], 6, qr/exists/, 'a file with content is not written over');
$node->start;
is(login('nologin', 'cured'), 'in', 'can log in now');
{
	local $ENV{PGUSER} = 'helper';
	local $ENV{PGPASSWORD} = 'boss';
	$node->command_ok([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('template1'), '-f', $_ ], "run $_") for "$files/old.sql", "$files/undo.sql";
	is($node->sql(q{SELECT rolcanlogin, rolvaliduntil = '2001-02-03 04:05:06+00', rolconnlimit FROM pg_authid WHERE rolname = 'nologin'}, database => 'template1'),
		'f|t|0', 'what was cured is back');
}
is(login('plain', 'old'), 'in', 'the old password is back');

# After a crash, and without template1.
{
	local $ENV{PGUSER} = 'helper';
	local $ENV{PGPASSWORD} = 'boss';
	$node->sql('ALTER DATABASE template1 RENAME TO template_one', database => 'gone');
	$node->sql('SELECT count(*) FROM pg_database; CHECKPOINT', database => 'gone');
}
$node->stop('immediate');
like(program_ok([ @reset, '--role', 'plain', '--dry-run' ], 'dry run after a crash'), qr/not shut down in order.*nothing is said/s, 'does not recover');
like(state_of(), qr/in production/, 'and changes nothing');
like(reset_ok('after crash', 'after a crash', '--role', 'plain'), qr/recovered it first/, 'recovers');
is(state_of(), 'shut down', 'and is shut down');

# Settings that would keep the server from starting or from doing it.
$node->set(shared_preload_libraries => 'no_such_library', session_preload_libraries => 'no_such_either', default_transaction_read_only => 'on',
	synchronous_standby_names => 'nobody', logging_collector => 'on', client_encoding => 'latin1');
# No secret where others can see it: neither in arguments nor in the environment, nor in a log.
my $wrapped = "$files/bin";
mkdir($wrapped) or die;
spew("$wrapped/postgres", qq{#!/bin/sh\n{ echo; for word in "\$@"; do echo "\$word"; done; env; cat /proc/\$PPID/cmdline /proc/\$PPID/environ; } >>"$files/seen"\nexec "$bindir/postgres" "\$@"\n});
chmod(0755, "$wrapped/postgres");
my $log = slurp($node->logfile);
like(reset_ok("top secret\n", 'with missing libraries and a sick configuration', '--role', 'plain', '--bindir', $wrapped), qr/The new password is stored/, 'is stored');
my $seen = slurp("$files/seen");
like($seen, qr/^--single$/m, 'the wrapper has seen the server');
unlike($seen, qr/top secret|SCRAM-SHA-256\$/, 'and no secret');
is(slurp($node->logfile), $log, 'nothing is logged');
is_deeply([ glob("$data/log/*") ], [], 'nor by a collector');

# As Debian has it: the configuration is elsewhere, and the last start has named it.
mkdir("$files/etc") or die;
my $settings = slurp("$data/postgresql.conf") =~ s/^(shared_preload_libraries|logging_collector) .*//gmr;
spew("$files/etc/postgresql.conf", "${settings}data_directory = '$data'\nhba_file = '$data/pg_hba.conf'\nident_file = '$data/pg_ident.conf'\n");
rename("$data/postgresql.conf", "$files/postgresql.conf") or die;
$node->command_ok([ 'pg_ctl', '-w', '-D', $data, '-l', $node->logfile, '-o', "-c config_file=$files/etc/postgresql.conf -c session_preload_libraries=", 'start' ], 'a start');
$node->command_ok([ 'pg_ctl', '-w', '-D', $data, '-m', 'fast', 'stop' ], 'and a stop');
reset_ok('elsewhere', 'configuration elsewhere', '--role', 'plain');
unlink("$data/postmaster.opts") or die;
%run = reset_to('x', '--role', 'plain', '--bindir', $bindir);
is($run{exit}, 5, 'no configuration: exit status');
like($run{stderr}, qr/no configuration file.*hint:.*--config-file/s, 'and the cure');
rename("$files/postgresql.conf", "$data/postgresql.conf") or die;

$node->append_conf('postgresql.conf', "this is wrong = =\n");
%run = reset_to('x', '--role', 'plain');
is($run{exit}, 3, 'a broken configuration: exit status');
like($run{stderr}, qr/does not accept its configuration.*postgresql\.conf.*hint:.*--config-file/s, 'and the cure');
spew("$files/other.conf", "\n");
reset_ok('other', 'another configuration', '--role', 'plain', '--config-file', "$files/other.conf");

# States in which single-user mode must not be used.
for my $signal ('standby.signal', 'recovery.signal', 'pg_steward.restore')
{
	spew("$data/$signal", '');
	%run = reset_to('x', '--role', 'plain');
	is($run{exit}, 18, "$signal: exit status");
	like($run{stderr}, qr/single-user mode cannot work on data directory.*hint:/s, "$signal: is explained");
	unlink("$data/$signal") or die;
}

# Nothing asks for passwords.
spew("$data/pg_hba.conf", "local all all trust\n");
like(reset_ok('x', 'no line asks for a password', '--role', 'plain', '--config-file', "$files/other.conf"), qr/stored/, 'is stored all the same');
spew("$files/trust.conf", "hba_file = '$data/pg_hba.conf'\n");
like(program_ok([ @reset, '--role', 'plain', '--dry-run', '--config-file', "$files/trust.conf" ], 'with the file of the cluster'), qr/asks for a password/, 'is said');

# Another user.
SKIP:
{
	my ($foreign) = grep { my $owner = (stat)[4]; defined $owner and $owner != 0 and $owner != $> } glob('/var/cache/* /var/lib/* /var/lib/apt/lists/partial');
	skip 'no directory belongs to somebody else', 2 unless $foreign;
	program_fails([ 'reset-password', '--data-dir', $foreign, '--role', 'plain', '--generate' ], 11, qr/belongs to user "\S+".*hint: Run it as that user/s,
		'a directory of somebody else');
}
program_fails([ 'reset-password', '--data-dir', '/', '--role', 'plain', '--generate' ], 18, qr/belongs to root/, 'a directory of root');
done_testing();
