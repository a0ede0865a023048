# The program missing or of another version, and settings with nonsense values.
use Steward::Test;

my $node = Steward::Node->create('primary');
my $fake = $node->basedir . '/bin';
mkdir($fake) or die;

# A program that greets with another version, as an old one left behind by an upgrade would.
spew("$fake/old", <<'P');
#!/usr/bin/perl
open(my $socket, '+<&=', 3) or die;
my $text = '{"type":"hello","version":"0.0.1","protocol":1}';
syswrite($socket, pack('V', length $text) . $text);
sysread($socket, my $end, 1);
P
spew("$fake/other", "#!/bin/sh\nexit 3\n");
chmod(0755, "$fake/old", "$fake/other") or die;

$node->set('steward.program' => "$fake/missing");
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
my %expected = (
	missing => [ qr/could not start program "[^"]*missing": No such file or directory/, qr/could not start program/ ],
	old => [ qr/program "[^"]*old" is of version 0\.0\.1, the server's module of version \d/, qr/is of version 0\.0\.1/ ],
	other => [ qr/engine with PID \d+ ended unexpectedly/, qr/It exited with status 3|ended unexpectedly/ ],
);
for my $program (qw(missing old other))
{
	$node->sql(qq{ALTER SYSTEM SET steward.program = '$fake/$program'});
	$node->sql('SELECT pg_reload_conf()');
	my ($message, $backup_message) = @{ $expected{$program} };
	poll_until(sub { $node->sql('SELECT last_failure FROM steward.workers') =~ $message }, "program \"$program\" is reported");
	ok(1, "program \"$program\" is reported in steward.workers");
	like(slurp($node->logfile), $message, 'and in the log');
	my ($code, undef, $err) = $node->psql('postgres', 'SELECT * FROM steward.backup()');
	isnt($code, 0, "a backup with program \"$program\" fails");
	like($err, $backup_message, 'and says why');
}
like(slurp($node->logfile), qr/HINT:  Install the pg_steward program/, 'the log has the cure for a missing program');
like(slurp($node->logfile), qr/It exited with status 3\./, 'and how an engine ended');

# The right one again: what waited goes out.
my $segment = $node->sql(q{SELECT pg_walfile_name(pg_logical_emit_message(true, 'x', 'y'))});
$node->sql('ALTER SYSTEM RESET steward.program');
$node->adjust_conf('postgresql.conf', 'steward.program', undef);
$node->sql('SELECT pg_reload_conf()');
$node->sql('SELECT steward.archive_now()');
ok(-f $node->wal_object($segment), 'with the right program archiving goes on');

# Nonsense is refused where it is entered, and a reload keeps the old value.
my %nonsense = (
	'steward.repository' => [ [ 'relative/path', qr/absolute|scheme|URL/i ], [ 'ftp://host/x', qr/scheme "ftp"|ftp/ ], [ 's3://bucket', qr/not supported by this release/ ] ],
	'steward.cluster' => [ [ '', qr/1 to 64/ ], [ 'a/b', qr/1 to 64/ ], [ '..', qr/1 to 64/ ] ],
	'steward.archive_workers' => [ [ '0', qr/valid range .*\(1 \.\. 64\)/ ], [ 'many', qr/invalid value/ ] ],
	'steward.compression' => [ [ 'zip', qr/Unknown compression|unknown compression/ ], [ 'zstd:99', qr/level from 1 to 19/ ] ],
	'steward.program' => [ [ 'pg_steward', qr/absolute path/ ] ],
	'steward.database' => [ [ '', qr/name a database/ ] ],
);
for my $name (sort keys %nonsense)
{
	for my $case (@{ $nonsense{$name} })
	{
		my ($value, $pattern) = @$case;
		my ($code, undef, $err) = $node->psql('postgres', "ALTER SYSTEM SET $name = '$value'");
		isnt($code, 0, "$name = '$value' is refused");
		like($err, qr/invalid value for parameter "\Q$name\E"|outside the valid range/, 'naming the parameter');
		like($err, $pattern, 'and what is wrong');
	}
}
my ($code, undef, $err) = $node->psql('postgres', q{ALTER SYSTEM SET steward.repositroy = 'file:///x'});
isnt($code, 0, 'a misspelt parameter is refused');
like($err, qr/(invalid configuration parameter name|unrecognized configuration parameter) "steward\.repositroy"/, 'by name');
$node->stop;

# Without being preloaded every function says what to do.
my $bare = Steward::Node->create('bare', preload => 0);
$bare->start;
$bare->sql('CREATE EXTENSION pg_steward');
for my $query ('TABLE steward.wal_archive', 'TABLE steward.backups', 'TABLE steward.workers', 'SELECT steward.archive_now()', 'SELECT * FROM steward.backup()')
{
	my ($bare_code, undef, $bare_err) = $bare->psql('postgres', $query);
	isnt($bare_code, 0, "$query fails without preloading");
	like($bare_err, qr/pg_steward is not loaded at server start\nHINT:  Add pg_steward to "shared_preload_libraries"/, 'with the cure');
}
$bare->stop;
done_testing();
