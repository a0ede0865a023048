# pg_steward doctor finds what is wrong with an installation; what it says to type cures it; of a sound one it says that nothing is wrong.
use Steward::Test;
use IPC::Run ();
use JSON::PP ();

my $node = Steward::Node->create('primary');
my $data = $node->data_dir;
my $files = $node->basedir;
my $repository = $node->repository_dir;
my $conf = slurp("$data/postgresql.conf");
my @doctor = ('doctor', '--data-dir', $data);

# The findings of a look, and the exit status.
sub examine
{
	my (@arguments) = @_;
	my @place = grep({ $_ eq '--data-dir' } @arguments) ? () : ('--data-dir', $data);
	my %run = run_program('doctor', '--output', 'json', @place, @arguments);
	my $json = eval { JSON::PP->new->utf8->decode($run{stdout}) } // die "no JSON: $run{stdout}$run{stderr}";
	is($run{exit}, $json->{errors} + $json->{warnings} ? 18 : 0, 'exit status');
	return @{ $json->{findings} };
}

sub names_of { return join(' ', map { "$_->{weight}:$_->{name}" } grep { $_->{weight} ne 'note' } @_); }

# Test that these, "WEIGHT:NAME", are wrong, and no others. Returns the first one's cure.
sub finds
{
	my ($expected, $name, @arguments) = @_;
	my @found = examine(@arguments);
	is(names_of(@found), $expected, $name) or diag(JSON::PP->new->pretty->encode(\@found));
	return $found[0]{cure} // '';
}

sub is_sound { my ($name) = @_; finds('', "$name: nothing is wrong"); return; }

# What a cure says to type: as the program's arguments, in psql, into the configuration.
sub command_in { my ($command) = $_[0] =~ /"pg_steward ([^"]*)"/ or die "no command in: $_[0]"; return split / /, $command; }
sub statement_in { my ($statement) = $_[0] =~ /"(SELECT [^"]*)"/ or die "no statement in: $_[0]"; return $statement; }
sub setting_in { my ($setting) = $_[0] =~ /[Ss]et "([^"]* = [^"]*)"/ or die "no setting in: $_[0]"; return $setting; }

sub configure { my (@lines) = @_; spew("$data/postgresql.conf", join("\n", $conf, @lines, '')); return; }

# With nothing at all.
{
	local $ENV{PGDATA};
	my %run = run_program('doctor');
	is($run{exit}, 18, 'nothing is configured: exit status');
	like($run{stdout}, qr/^data directory: none given\n.*^warning: no_repository: .*^  cure: .*steward\.repository.*^note: no_data_directory: .*--data-dir.*^0 errors, 1 warning, /ms, 'nothing is configured: page');
}
my $nowhere = "$files/nowhere";
like(names_of(examine('--data-dir', $nowhere, '--repository', "file://$repository")), qr/error:no_cluster error:repository_unused/, 'no data directory');

# A server that was never started, and one without a backup. Each cure is followed to the letter.
finds('error:repository_unused', 'nothing was archived');
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->archive_current_segment;
my $cure = finds('error:no_backup', 'there is no backup');
$node->sql(statement_in($cure));
$cure = finds('warning:never_verified', 'it was never verified');
like($cure, qr/steward\.verify_schedule/, 'which a schedule would do');
program_ok([ command_in($cure) ], 'verify as it says');
is_sound('a running server');
like(program_ok(\@doctor, 'the page of a sound installation'),
	qr/^data directory: \Q$data\E, PostgreSQL \d+, cluster \d+, running \(process \d+\)\nprograms: .*module \d.*engine \d.*\nrepository file:.*with backups, 1 of them, the newest.*recoverable from .*^note: never_drilled.*^Nothing is wrong\.\n\z/ms,
	'says what it saw');

# What is damaged. What was found by a verification is told by it, not searched for.
my ($pack, $repair) = $node->damage_largest_pack;
run_program('verify', '--recheck', '--repository', "file://$repository");
$cure = finds('error:verification_failed', 'a damaged pack that a verification has found');
like({ run_program(command_in($cure)) }->{stderr} . { run_program(command_in($cure)) }->{stdout}, qr/\Q$pack\E/, 'the command names it');
$repair->();
program_ok([ command_in($cure), '--recheck' ], 'it is repaired');
is_sound('repaired');

# WAL that waits, and WAL that is missing.
rename($repository, "$repository.away") or die;
$node->sql('SELECT pg_switch_wal() FROM pg_logical_emit_message(true, $$steward$$, $$x$$)');
poll_until(sub { my @ready = glob("$data/pg_wal/archive_status/*.ready"); @ready }, 'a segment waits');
utime(time() - 900, time() - 900, glob("$data/pg_wal/archive_status/*.ready"));
finds('error:permissions error:archiving_behind error:repository_unreachable', 'an unreachable repository');
($cure) = map { $_->{cure} } grep { $_->{name} eq 'archiving_behind' } examine();
like($node->sql(statement_in($cure)), qr/\Q$repository\E/, 'the statement shows more');
rename("$repository.away", $repository) or die;
$node->archive_current_segment;
$node->archive_current_segment;
is_sound('the repository is back');
my @segments = $node->stored_segments;
unlink($node->wal_object($segments[-2])) or die;
$cure = finds('error:wal_missing', 'a missing segment behind the backup');
$node->sql(statement_in($cure));
my @found = examine();
is(names_of(@found), '', 'a new backup cures it');
like(join(' ', map { $_->{name} } @found), qr/\bwal_missing_before\b/, 'the hole is still noted');

# Settings that the server has not even seen yet.
for my $case (
	[ 'error:archive_mode', "archive_mode = off" ],
	[ 'error:wal_level', "wal_level = minimal" ],
	[ 'error:archive_library', "archive_library = 'basic_archive'" ],
	[ 'error:not_preloaded', "shared_preload_libraries = 'auto_explain'" ])
{
	my ($expected, $line) = @$case;
	configure($line);
	$cure = finds($expected, $line);
	configure($line, setting_in($cure));
	is_sound("cured of $line");
}
like(setting_in($cure), qr/'auto_explain,pg_steward'/, 'what is preloaded already stays');
configure("archive_command = 'true'");
finds('error:archive_command', 'both ways to archive');
configure("steward.retention = 'nonsense'");
like(finds('error:settings', 'a setting that makes no sense'), qr/./, 'with a cure');
configure("steward.program = '/nowhere/pg_steward'");
finds('error:no_engine', 'no program for the server');
configure("steward.repository = 'file://$nowhere'");
finds('error:permissions error:repository_unreachable', 'another repository in the configuration, which is not there');
configure();
is_sound('the configuration as it was');

# Another cluster's repository, other programs.
my $stranger = Steward::Node->create('stranger');
$stranger->start;
$stranger->archive_current_segment;
$stranger->stop;
finds('error:repository_foreign', 'the repository is of another cluster', '--repository', 'file://' . $stranger->repository_dir);
my $other = pg_major() + 1;
mkdir("$files/bin") or die;
spew("$files/bin/postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) $other.1'\n");
chmod(0755, "$files/bin/postgres") or die;
finds('error:other_release', 'programs of another release', '--bindir', "$files/bin");
finds('error:no_server_programs', 'no programs', '--bindir', $files);

# Permissions, without a server; then a server that was killed.
$node->stop;
my @notes = examine();
is(names_of(@notes), '', 'a server that was stopped is nothing wrong');
like(join(' ', map { $_->{name} } @notes), qr/\bserver_down\b/, 'but noted');
chmod(0777, $data) or die;
$cure = finds('error:permissions', 'a directory that is open to all');
program_ok([ command_in($cure), '--save-old', "$files/list" ], 'fix as it says');
is_sound('the permissions are right');
chmod(0, $data) or die;
finds('error:data_directory_unreadable', 'a directory that cannot be read');
chmod(0700, $data) or die;
$node->start;
kill('KILL', (split /\n/, slurp("$data/postmaster.pid"))[0]);
$node->{_pid} = undef;
poll_until(sub { names_of(examine()) =~ /server_ended/ }, 'the processes are gone');
$cure = finds('warning:server_ended_abnormally', 'a server that was killed');
my $output = '';
my $run = IPC::Run::start([ 'pg_steward', command_in($cure) ], '<', \undef, '>&', \$output);
poll_until(sub { $run->pump_nb; $node->answers || !$run->pumpable }, 'the server is started as it says') or diag($output);
is_sound('it runs again');
kill('INT', $run->{KIDS}[0]{PID});
$run->finish;

# What is no cluster.
mkdir($nowhere, 0700) or die;
spew("$nowhere/photo", 'x');
my @elsewhere = ('--data-dir', $nowhere, '--repository', "file://$repository");
finds('error:not_a_data_directory', 'something else', @elsewhere);
rename("$nowhere/photo", "$nowhere/pg_steward.restore") or die;
$cure = finds('error:restore_interrupted', 'half of a restore', @elsewhere);
like($cure, qr/preseed --data-dir \Q$nowhere\E --restore --dry-run/, 'and how to finish it');
rename("$nowhere/pg_steward.restore", "$nowhere/PG_VERSION") or die;
finds('error:cluster_damaged', 'a part of a cluster', @elsewhere);
done_testing();
