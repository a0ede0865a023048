# A backup that yields to the server's work: it reads no faster than it may, is niced, and takes its share of busy processors.
use Steward::Test;
use POSIX ();
use Time::HiRes ();

my $node = Steward::Node->create('primary', settings => { 'steward.backup_rate_limit' => 10240, 'steward.backup_nice' => 7 });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');

# The nineteenth field of /proc/PID/stat; the second one may hold blanks.
sub nice_of { my ($path) = @_; return -e $path ? (split / /, slurp($path) =~ s/.*\) //sr)[16] : undef; }

my ($postmaster) = slurp($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
my $own = nice_of("/proc/$postmaster/stat");
my $wanted = $own + 7 > 19 ? 19 : $own + 7;
$node->sql(q{SELECT * FROM steward.backup(label => 'slow', wait => false)});
$node->wait_for_sql(q{SELECT bytes_done > 0 FROM steward.backup_progress}, 'the backup copies');
my $engine = $node->sql(q{SELECT engine_pid FROM steward.workers WHERE worker = 'backup'});
my @niced = grep { (nice_of($_) // 0) == $wanted } glob("/proc/$engine/task/*/stat");
cmp_ok(scalar(@niced), '>=', 2, 'threads of its engine are niced');
my $groups = '/proc/sys/kernel/sched_autogroup_enabled';
SKIP:
{
	skip 'the kernel does not schedule sessions as groups', 1 unless -e $groups and slurp($groups) == 1;
	like(slurp("/proc/$engine/autogroup"), qr/ nice $wanted$/m, 'and so is the session that it leads');
}
$node->wait_for_sql(q{SELECT state = 'succeeded' FROM steward.backup_progress}, 'the backup succeeds');
is($node->sql('SELECT extract(epoch FROM finished_at - started_at) >= 0.9 * bytes_total / (10240 * 1024) FROM steward.backup_progress'), 't',
	'and took as long as the rate demands');

# Two programs for each processor that only count, and a backup that may take a fiftieth of them all.
use constant kShare => 0.02;
use constant kSeconds => 0.3;  # of a processor

my $processors = () = slurp('/proc/stat') =~ /^cpu\d/mg;
my ($test, @busy) = ($$);

sub make_busy
{
	for (1 .. 2 * $processors)
	{
		my $pid = fork() // die "could not fork: $!";
		if ($pid == 0) { 1 while getppid() == $test; POSIX::_exit(0); }
		push @busy, $pid;
	}
	return;
}

sub make_idle
{
	kill 'KILL', @busy;
	waitpid($_, 0) for splice @busy;
	return;
}

# Seconds of a processor that a process has used: fields 14 and 15, in ticks.
sub used_by { my ($pid) = @_; my @field = split / /, slurp("/proc/$pid/stat") =~ s/.*\) //sr; return ($field[11] + $field[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK()); }

$node->set('steward.backup_rate_limit' => 0, 'steward.backup_nice' => 0, 'steward.backup_processor_share' => 100 * kShare, 'steward.compression' => 'zstd:12');
$node->restart;
$node->command_ok([ 'pgbench', '-i', '-q', '-s', '5', '-h', $node->host, '-p', $node->port, 'postgres' ], 'something to copy');
make_busy();
$node->sql(q{SELECT * FROM steward.backup(label => 'considerate', reuse => false, wait => false)});
$node->wait_for_sql(q{SELECT bytes_done > 0 FROM steward.backup_progress}, 'the backup copies');
$engine = $node->sql(q{SELECT engine_pid FROM steward.workers WHERE worker = 'backup'});
my ($used, $begun) = (used_by($engine), Time::HiRes::time());
poll_until(sub { used_by($engine) - $used >= kSeconds }, 'the backup works');
cmp_ok(Time::HiRes::time() - $begun, '>=', kSeconds / (kShare * $processors) / 2, 'and takes no more than its share while others want the processors');
make_idle();
$node->stop('immediate');
done_testing();

END { kill 'KILL', @busy if @busy; }
