# The continuous tail: a server that is lost with all its processes and its data directory comes back with everything it committed up to
# the tail interval before, also on a new timeline.
use Steward::Test;

use File::Path qw(rmtree);

use constant kInterval => 1;
# What the interval does not cover: the worker's wake-up, reading, storing and flushing a piece, on a machine that is busy with the load, the
# server and perhaps other tests. The loss is bounded by both together.
use constant kGrace => 10;

my $node = Steward::Node->create('primary', settings => { 'steward.archive_tail_interval' => kInterval, 'steward.compression' => 'none' });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE noted (i int, at timestamptz DEFAULT clock_timestamp())');
$node->sql('CREATE TABLE load (at timestamptz DEFAULT clock_timestamp(), filler text)');
$node->sql(q{SELECT * FROM steward.backup(label => 'one')});

# Pieces of the tail, by segment.
sub pieces
{
	my ($segment) = @_;
	return glob($node->cluster_dir . "/wal-tail/*/$segment/*");
}

# Commit a row and wait until the tail has it. Returns the position behind it.
sub note_row
{
	my ($server, $i) = @_;
	$server->sql("INSERT INTO noted VALUES ($i)");
	my $lsn = $server->sql('SELECT pg_current_wal_flush_lsn()');
	$server->wait_for_sql("SELECT tail_lsn >= '$lsn' FROM steward.wal_archive", "the tail has row $i");
	return $lsn;
}

# All processes of the server and its engines.
sub processes_of
{
	my ($server) = @_;
	my ($postmaster) = split /\n/, slurp($server->data_dir . '/postmaster.pid');
	my %parent;
	for my $file (glob('/proc/[0-9]*/stat'))
	{
		open(my $stat, '<', $file) or next;
		$parent{$1} = $2 if (<$stat> // '') =~ /^(\d+) \(.*\) \S (\d+)/;
	}
	my @found = ($postmaster);
	for (my $i = 0; $i < @found; $i++) { push @found, grep { $parent{$_} == $found[$i] } sort keys %parent; }
	return @found;
}

# The machine is gone.
sub lose
{
	my ($server) = @_;
	my @pids = processes_of($server);
	cmp_ok(scalar(@pids), '>', 5, 'the server has processes to be killed');
	kill('KILL', @pids);
	# Children of a killed postmaster become init's: whether they are gone is told by their state.
	poll_until(sub { !grep { (eval { slurp("/proc/$_/stat") } // '') =~ /\) [^ZX] / } @pids }, 'all processes are gone');
	$server->{_pid} = undef;
	rmtree($server->data_dir);
	return;
}

# The pieces of a segment cost what was written, and go when it is stored.
$node->sql('SELECT steward.archive_now()');
my $begin = $node->sql(q{SELECT pg_walfile_name(pg_current_wal_insert_lsn())});
my $end;
for my $i (1 .. 4)
{
	$node->sql(q{INSERT INTO load (filler) SELECT repeat('x', 1000) FROM generate_series(1, 100)});
	$end = note_row($node, $i);
}
my $segment = $node->sql("SELECT pg_walfile_name('$end')");
is($segment, $begin, 'one segment holds all of it');
my @pieces = pieces($segment);
cmp_ok(scalar(@pieces), '>=', 4, 'there is a piece for each row that was waited for');
my $stored = 0;
$stored += -s $_ for @pieces;
my $written = $node->sql("SELECT (pg_walfile_name_offset('$end')).file_offset");
# What is stored may be ahead of the last row by what the server writes by itself.
cmp_ok($stored, '>=', $written, 'all WAL of the segment is stored');
cmp_ok($stored, '<=', 1.1 * $written + 1000 * @pieces + 65536, 'and hardly more than that');
like(program_ok([ 'info', '--repository', 'file://' . $node->repository_dir ], 'info'), qr/unfinished +$segment up to/, 'info shows the tail');
program_ok([ 'verify', '--repository', 'file://' . $node->repository_dir ], 'verify accepts the tail');
is($node->sql('SELECT steward.archive_now()'), $segment, 'the segment is stored whole');
$node->sql('INSERT INTO noted VALUES (5)');
poll_until(sub { !pieces($segment) }, 'the pieces of the stored segment are gone');
ok(-f $node->wal_object($segment), 'the segment itself is there');

# The machine is lost under load.
my $script = $node->basedir . '/script.sql';
spew($script, "INSERT INTO load (filler) VALUES (repeat('y', 100));\n");
my $load = IPC::Run::start([ 'pgbench', '-n', '-c', '2', '-T', '300', '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ], '>', \my $out, '2>', \my $err);
my %at;
for my $i (6 .. 8)
{
	note_row($node, $i);
	$at{$i} = $node->sql('SELECT clock_timestamp()');
}
my $fork = $node->sql('SELECT tail_lsn FROM steward.wal_archive');
note_row($node, 9);
my $last = $node->sql('SELECT max(at) FROM load');
lose($node);
$load->kill_kill;

my $restored = Steward::Node->restored('restored', $node);
$restored->start_and_promote;
is($restored->sql('SELECT string_agg(i::text, $$,$$ ORDER BY i) FROM noted'), '1,2,3,4,5,6,7,8,9', 'every row that the tail had is there');
my $lost = $restored->sql("SELECT extract(epoch FROM '$last'::timestamptz - max(at)) FROM load");
cmp_ok($lost, '<=', kInterval + kGrace, 'no commit is lost that is older than the interval');
note("lost: $lost s of commits");
$restored->amcheck_ok;
$restored->stop;

# A target within the tail.
my $earlier = Steward::Node->restored('earlier', $node, arguments => [ '--target-time', $at{7}, '--target-action', 'promote' ]);
$earlier->start_and_promote;
is($earlier->sql('SELECT max(i) FROM noted'), 7, 'a target time within the tail is reached');
$earlier->stop;

# The second life forks off within the tail of the first one, and is lost before it has finished a segment.
my $second = Steward::Node->restored('second', $node, archiving => 1, arguments => [ '--target-lsn', $fork, '--target-action', 'promote' ]);
$second->start_and_promote;
is($second->sql('SELECT max(i) FROM noted'), 8, 'the second life begins within the tail');
note_row($second, 20);
like($second->sql('SELECT pg_walfile_name(pg_current_wal_insert_lsn())'), qr/^00000002/, 'on a timeline of its own');
lose($second);

my $third = Steward::Node->restored('third', $node);
$third->start_and_promote;
is($third->sql('SELECT string_agg(i::text, $$,$$ ORDER BY i) FROM noted WHERE i > 7'), '8,20', 'the end of the WAL is that of the new timeline');
$third->stop;
my $left = Steward::Node->restored('left', $node, arguments => [ '--target-timeline', '1' ]);
$left->start_and_promote;
is($left->sql('SELECT string_agg(i::text, $$,$$ ORDER BY i) FROM noted WHERE i > 7'), '8,9', 'the tail of the old timeline is there for who asks for it');
$left->stop;

# Without the tail.
my $off = Steward::Node->create('off', settings => { 'steward.archive_tail_interval' => 0 });
$off->start;
$off->sql('CREATE EXTENSION pg_steward');
$off->sql('CREATE TABLE t AS SELECT 1 AS i');
$off->sql('SELECT steward.archive_now()');
$off->sql('CREATE TABLE t2 AS SELECT 1 AS i');
$off->sql('SELECT steward.archive_now()');
ok(!-e $off->cluster_dir . '/wal-tail', 'with the interval 0 nothing but whole segments is stored');
is($off->sql('SELECT tail_lsn IS NULL FROM steward.wal_archive'), 't', 'and no tail is reported');
$off->sql(q{ALTER SYSTEM SET steward.archive_tail_interval = 1});
$off->sql('SELECT pg_reload_conf()');
$off->sql('INSERT INTO t VALUES (2)');
$off->wait_for_sql(q{SELECT tail_lsn > coalesce(last_lsn, '0/0') FROM steward.wal_archive}, 'a reload switches it on');
$off->stop;
done_testing();
