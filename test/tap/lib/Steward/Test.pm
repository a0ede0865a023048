# What every TAP test of pg_steward begins with:
#
#   use Steward::Test;
#   my $node = Steward::Node->create('primary');
#
# Brings strict, warnings, Test::More and PostgreSQL's own test modules, and prints the end of the servers' logs when the
# test fails.
package Steward::Test;

use strict;
use warnings;

use parent 'Exporter';
use File::Basename qw(basename);
use File::Find ();
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Steward::Node;
use Test::More;
use Time::HiRes ();

our @EXPORT = (qw(poll_until wait_for_drill_server wait_until_gone run_program program_ok program_fails source_dir pg_major is_exhaustive slurp spew picture_of), @Test::More::EXPORT);

use constant kLogLines => 80;
use constant kOwnLogLines => 15;
use constant kPollSeconds => 0.05;
# The longest test takes a third of this beside two compilers: one that takes longer waits for what never comes.
use constant kMostSeconds => 1200;

sub import
{
	my ($class, @names) = @_;
	strict->import;
	warnings->import;
	$SIG{ALRM} = sub { die sprintf("the test has taken more than %d s\n", most_seconds()) };
	alarm(most_seconds());
	return $class->export_to_level(1, $class, @names);
}

sub most_seconds { return kMostSeconds * (is_exhaustive() ? 4 : 1); }

# Seconds after which a wait has failed.
sub timeout { return $ENV{PG_TEST_TIMEOUT_DEFAULT} || 180; }

# Call the condition until it is true; die when the bound has passed.
sub poll_until
{
	my ($condition, $what) = @_;
	my $deadline = Time::HiRes::time() + timeout();
	until ($condition->())
	{
		die "timed out waiting until $what" if Time::HiRes::time() > $deadline;
		Time::HiRes::sleep(kPollSeconds);
	}
	return 1;
}

# Wait until the server of a drill in this directory runs. Returns its process id.
sub wait_for_drill_server
{
	my ($directory) = @_;
	my $pid;
	poll_until(sub { ($pid) = (eval { slurp("$directory/pg_steward.drill/data/postmaster.pid") } // '') =~ /^(\d+)\n/; $pid }, 'the server of a drill runs');
	return $pid;
}

# Wait until the process has ended. Nobody may be there to reap it.
sub wait_until_gone
{
	my ($pid) = @_;
	return poll_until(sub { (eval { slurp("/proc/$pid/stat") } // 'Z') =~ /^Z|\) Z / }, "process $pid is gone");
}

# Run pg_steward with the arguments. Returns a hash: exit (128 + signal when killed), stdout, stderr.
sub run_program
{
	my (@arguments) = @_;
	my ($stdout, $stderr) = ('', '');
	note('# running: pg_steward ' . join(' ', @arguments));
	my $timer = IPC::Run::timeout(timeout());
	IPC::Run::run([ 'pg_steward', @arguments ], '<', \undef, '>', \$stdout, '2>', \$stderr, $timer);
	my $exit = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	note($stdout) if length $stdout;
	note($stderr) if length $stderr;
	return (exit => $exit, stdout => $stdout, stderr => $stderr);
}

# Test that pg_steward with these arguments succeeds. Returns what it printed.
sub program_ok
{
	my ($arguments, $name) = @_;
	my %run = run_program(@$arguments);
	is($run{exit}, 0, $name) or diag($run{stderr});
	return $run{stdout};
}

# Test that pg_steward fails with this exit status and an error that matches. Returns the error output.
sub program_fails
{
	my ($arguments, $exit, $pattern, $name) = @_;
	my %run = run_program(@$arguments);
	is($run{exit}, $exit, "$name: exit status");
	like($run{stderr}, $pattern, "$name: message");
	return $run{stderr};
}

# Whether tests that choose among many combinations take all of them (STEWARD_EXHAUSTIVE=1), however long that takes.
sub is_exhaustive { return ($ENV{STEWARD_EXHAUSTIVE} // q{}) eq q{1}; }

# Root of the source tree, for golden files.
sub source_dir { return $ENV{STEWARD_SOURCE_DIR} // '.'; }

# Major of the server under test, for example 17.
sub pg_major
{
	my ($major) = qx("@{[ $ENV{PG_CONFIG} // 'pg_config' ]}" --version) =~ /^PostgreSQL (\d+)/;
	return $major;
}

sub slurp { return PostgreSQL::Test::Utils::slurp_file(@_); }

sub spew
{
	my ($path, $content) = @_;
	open(my $file, '>:raw', $path) or die "could not create file \"$path\": $!";
	print $file $content;
	close($file) or die "could not write file \"$path\": $!";
	return;
}

# Everything below a path: names, modes, sizes and times.
sub picture_of
{
	my ($top) = @_;
	return 'missing' unless -e $top or -l $top;
	my @lines;
	File::Find::find({ no_chdir => 1, wanted => sub { my @st = Time::HiRes::lstat($_); push @lines, join(' ', $_, @st[ 2, 7, 9 ]); } }, $top);
	return join("\n", sort @lines);
}

# PostgreSQL's modules send standard error into a log of the test: the message that a test died with is there.
sub show_own_log
{
	my $name = basename($0) =~ s/\.[^.]+$//r;
	open(my $file, '<', "$PostgreSQL::Test::Utils::log_path/regress_log_$name") or return;
	my @log = <$file>;
	splice(@log, 0, @log - kOwnLogLines) if @log > kOwnLogLines;
	chomp @log;
	diag(join("\n", '--- end of the log of the test', @log, '---'));
	return;
}

# Runs before the END block of PostgreSQL::Test::Cluster, which stops the servers and may remove their files: END
# blocks run in the reverse of the order in which they were compiled, and that module is loaded above.
END
{
	my $status = $?;
	show_own_log() if $status != 0;
	Steward::Node::show_logs(kLogLines) if $status != 0 or !Test::More->builder->is_passing;
	$? = $status;
}

1;
