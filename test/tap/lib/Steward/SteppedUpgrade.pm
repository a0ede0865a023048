# A run, rollback or commit of an upgrade that stands still where its journal says that a step has begun.
#
# The program tells of each step after it has journaled it and before it does anything for it. Here it tells that to a pipe that holds one line:
# for the next one it waits until that is read. It is read only when /proc says that the program waits, and when the step has not begun. So the
# program stands still exactly there, however busy the machine is, and nothing in the program knows of it.
package Steward::SteppedUpgrade;

use strict;
use warnings;

use Fcntl qw(O_DIRECT F_GETFL F_SETFL);
use POSIX ();
use Steward::Test;
use Time::HiRes ();

use constant kSetPipeSize => 1031;    # F_SETPIPE_SZ
use constant kOnePage => 4096;
use constant kLookSeconds => 0.001;

# Lines of the journal that say that this step was begun; of that hop, or of any.
sub times_begun
{
	my ($cluster, $step, $hop) = @_;
	my $journal = eval { slurp("$cluster->{data}.upgrade/journal") } // '';
	$hop //= qr/\d+/;
	return scalar(() = $journal =~ /"event":"step","at":"[^"]*","hop":$hop,"step":"\Q$step\E"/g);
}

# Start a verb of upgrade.
sub start
{
	my ($class, $cluster, $verb, @arguments) = @_;
	note("# running step by step: pg_steward upgrade $verb --data-dir $cluster->{data} @arguments");
	pipe(my $reader, my $writer) or die "could not make a pipe: $!";
	# Each write is a packet of its own then, and takes a page.
	fcntl($writer, F_SETFL, fcntl($writer, F_GETFL, 0) | O_DIRECT) or die "could not make a pipe of packets: $!";
	fcntl($writer, kSetPipeSize, kOnePage) or die "could not make a small pipe: $!";
	my $errors = PostgreSQL::Test::Utils::tempdir() . '/errors';
	spew($errors, '');
	my $pid = fork() // die "could not fork: $!";
	if (!$pid)
	{
		open(STDIN, '<', '/dev/null') && POSIX::dup2(fileno($writer), 1) && open(STDERR, '>', $errors)
		  && exec('pg_steward', 'upgrade', $verb, '--data-dir', $cluster->{data}, @arguments);
		POSIX::_exit(127);
	}
	close($writer);
	return bless { cluster => $cluster, pid => $pid, reader => $reader, errors => $errors, stdout => '', deadline => time() + Steward::Test::timeout() }, $class;
}

# Let it go on until a step begins (once more, if it was begun before by another process). Returns whether it stands there; 0 when it has ended.
sub stand_at
{
	my ($self, $step, $hop) = @_;
	# What it has begun so far, it has told before it waits to tell this.
	my $before = $self->{before}{ $step . ($hop // '') } //= times_begun($self->{cluster}, $step, $hop);
	until ($self->{ended})
	{
		if ($self->waits_to_tell)
		{
			return 1 if times_begun($self->{cluster}, $step, $hop) > $before;
			$self->listen;
		}
		$self->look;
	}
	return 0;
}

# Let it go on to its end, or until the condition is true, if there is one. Returns a hash: exit (128 + signal when killed), stdout, stderr.
sub go_on
{
	my ($self, $condition) = @_;
	until ($self->{ended} || ($condition && $condition->()))
	{
		$self->listen if $self->has_told;
		$self->look;
	}
	return $self->outcome;
}

# Kill it where it is. Returns whether it was killed, and had not ended.
sub kill
{
	my ($self) = @_;
	CORE::kill('KILL', $self->{pid}) unless $self->{ended};
	$self->look until $self->{ended};
	my %outcome = $self->outcome;
	return $outcome{exit} == 128 + POSIX::SIGKILL();
}

sub outcome
{
	my ($self) = @_;
	return unless $self->{ended};
	1 while $self->{reader} && $self->listen;
	delete $self->{reader};
	my $stderr = slurp($self->{errors});
	note($stderr) if length $stderr;
	my $status = $self->{status};
	return (exit => $status & 127 ? 128 + ($status & 127) : $status >> 8, stdout => $self->{stdout}, stderr => $stderr);
}

# Whether there is something to be read, or the end of it.
sub has_told
{
	my ($self) = @_;
	vec(my $readable = '', fileno($self->{reader}), 1) = 1;
	return select($readable, undef, undef, 0) > 0;
}

# Whether it sleeps in a write to standard output since the pipe is full. The first words are the system call's number and argument.
sub waits_to_tell
{
	my ($self) = @_;
	return $self->has_told && (eval { slurp("/proc/$self->{pid}/syscall") } // '') =~ /^\d+ 0x1 /;
}

# Read what it has told. Returns how much that was.
sub listen
{
	my ($self) = @_;
	my $told = '';
	sysread($self->{reader}, $told, kOnePage);
	$self->{stdout} .= $told;
	return length $told;
}

# See whether it has ended, and wait a moment if not.
sub look
{
	my ($self) = @_;
	if (waitpid($self->{pid}, POSIX::WNOHANG()) == $self->{pid})
	{
		@{$self}{qw(status ended)} = ($?, 1);
		return;
	}
	die "timed out, or /proc/$self->{pid}/syscall cannot be read: $self->{stdout}" . slurp($self->{errors}) if time() > $self->{deadline};
	Time::HiRes::sleep(kLookSeconds);
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local ($?, $@);
	eval { $self->kill } unless $self->{ended};
	return;
}

1;
