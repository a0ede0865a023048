# A backup that yields to the server's work: it reads no faster than it may, and is niced.
use Steward::Test;

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
$node->stop;
done_testing();
