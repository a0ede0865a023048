# A cluster of an older major that is installed beside the one under test: what an upgrade begins with.
package Steward::OldCluster;

use strict;
use warnings;

use IPC::Run ();
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Steward::Test;
use Test::More;

# What a report of "upgrade check" found: names of one weight, and one finding by its name.
sub names_of { my ($report, $weight) = @_; return join ' ', sort map { $_->{check} } grep { $_->{weight} eq $weight } @{ $report->{findings} }; }
sub finding { my ($report, $name) = @_; return (grep { $_->{check} eq $name } @{ $report->{findings} })[0] // {}; }

# The programs' directories of the installed majors that are older than the one under test, by major.
sub older_majors
{
	my $own = qx("@{[ $ENV{PG_CONFIG} // 'pg_config' ]}" --bindir);
	chomp $own;
	my $major = pg_major();
	my %found;
	for my $bindir (glob("$own/../../*/bin"))
	{
		my ($other) = $bindir =~ m{/(\d+)/bin$} or next;
		$found{$other} = $own =~ s{/\Q$major\E/bin$}{/$other/bin}r if $other < $major && -x "$bindir/initdb" && -x "$bindir/psql";
	}
	return %found;
}

# Make a cluster, not started. settings: lines for postgresql.conf; initdb: its arguments; dir: where, a directory of a short path.
sub create
{
	my ($class, $major, $bindir, %options) = @_;
	my $dir = $options{dir} // PostgreSQL::Test::Utils::tempdir_short();
	my $self = bless { major => $major, bindir => $bindir, dir => $dir, data => "$dir/the data" }, $class;
	$self->run('initdb', '-D', $self->{data}, '-A', 'trust', '-U', 'boss', '--no-sync', '-E', 'UTF8', '--locale=C.UTF-8', @{ $options{initdb} // [] });
	spew("$self->{data}/postgresql.conf", slurp("$self->{data}/postgresql.conf") . join "\n", "listen_addresses = ''", "unix_socket_directories = '$dir'", 'port = 5999', 'fsync = off',
		@{ $options{settings} // [] }, '');
	return $self;
}

# Run one of its programs, which must succeed. Returns what it prints.
sub run
{
	my ($self, $program, @arguments) = @_;
	my ($stdout, $stderr) = ('', '');
	IPC::Run::run([ "$self->{bindir}/$program", @arguments ], '<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(Steward::Test::timeout()))
	  or die "$program failed: $stdout$stderr";
	return $stdout;
}

# pg_ctl's own output goes to a file: the server would keep a pipe open.
sub start
{
	my ($self) = @_;
	my @command = ("$self->{bindir}/pg_ctl", '-D', $self->{data}, '-l', "$self->{dir}/log", '-w', 'start');
	IPC::Run::run(\@command, '<', \undef, '>', "$self->{dir}/start", '2>&1') or die slurp("$self->{dir}/start") . slurp("$self->{dir}/log");
	$self->{running} = 1;
	return;
}

sub stop
{
	my ($self, $mode) = @_;
	$self->run('pg_ctl', '-D', $self->{data}, '-m', $mode // 'fast', '-w', 'stop');
	# Its last processes may outlive the postmaster for a moment.
	Steward::Test::poll_until(sub { !grep { (readlink("$_/cwd") // '') eq $self->{data} } glob('/proc/[0-9]*') }, 'all of the server has ended');
	$self->{running} = 0;
	return;
}

sub sql
{
	my ($self, $database, @statements) = @_;
	my $answer = $self->run('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', $self->{dir}, '-p', 5999, '-U', 'boss', '-d', $database, map { ('-c', $_) } @statements);
	chomp $answer;
	return $answer;
}

# Run "pg_steward upgrade check" on it. Returns the report, with the exit status as "exit".
sub check
{
	my ($self, $to, @arguments) = @_;
	my %run = run_program('upgrade', 'check', '--data-dir', $self->{data}, '--to', $to, '--bindir', $self->{bindir}, @arguments, '--output', 'json');
	my $report = eval { JSON::PP::decode_json($run{stdout}) } or die "$run{stdout}$run{stderr}";
	$report->{exit} = $run{exit};
	return $report;
}

# Do what a report says about obstacles, as somebody would who copies its lines: commands with the server down, and statements with it up;
# more: other statements.
sub cure
{
	my ($self, $report, @more) = @_;
	my @lines = map { @{ $_->{cures} } } grep { $_->{weight} eq 'obstacle' } @{ $report->{findings} };
	my @commands = grep { /^(?:rm|chmod) / } @lines;
	PostgreSQL::Test::Utils::system_or_bail('sh', '-c', s/ -- .*//r) for @commands;
	$self->start;
	for my $line (grep { !/^(?:rm|chmod) / } @lines)
	{
		my ($statement, $database) = $line =~ /^(.*?)(?: -- .*?(?:in database (.*))?)?$/s;
		$database = defined $database ? $database =~ s/^"|"$//gr =~ s/""/"/gr : 'template1';
		note("$line => $database");
		$self->sql($database, $statement);
	}
	$self->sql('template1', $_) for @more;
	$self->stop;
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local $?;
	eval { $self->stop('immediate') } if $self->{running};
	return;
}

1;
