# Shutdown and reload while archiving: the last WAL gets out, nothing blocks, nothing is lost.
use Steward::Test;
use Time::HiRes qw(time);

my $node = Steward::Node->create('primary', settings => { wal_keep_size => '1GB' });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t (x text)');

# A fast shutdown archives what was written since the last switch: the server switches the segment when workers are gone
# already, and the archiver's last round starts an engine of its own.
$node->sql('INSERT INTO t SELECT md5(i::text) FROM generate_series(1, 1000) i');
my $last = $node->sql('SELECT pg_walfile_name(pg_current_wal_lsn())');
$node->stop('fast');
ok(-f $node->wal_object($last), "fast shutdown leaves segment $last in the repository");
ok(-e $node->data_dir . "/pg_wal/archive_status/$last.done", 'and marks it as done');

# Under load.
sub load
{
	return IPC::Run::start([ 'pgbench', '-n', '-c', '4', '-T', '60', '-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', \my $out, '2>', \my $err);
}
$node->start;
$node->command_ok([ 'pgbench', '-i', '-q', '-s', '5', '-h', $node->host, '-p', $node->port, 'postgres' ], 'pgbench tables');
for my $mode (qw(fast immediate))
{
	my $load = load();
	$node->sql('SELECT pg_switch_wal()') for 1 .. 3;
	$node->poll_query_until('postgres', 'SELECT sum(xact_commit) > 500 FROM pg_stat_database') or die;
	my $engine = $node->sql('SELECT engine_pid FROM steward.workers');
	my $started = time;
	$node->stop($mode);
	cmp_ok(time - $started, '<', 60, "$mode shutdown under load ends soon");
	$load->kill_kill(grace => 1);
	ok(poll_until(sub { !kill(0, $engine) }, "engine $engine is gone"), "no engine outlives $mode shutdown");
	$node->start;
	my $segment = $node->archive_current_segment;
	my @all = $node->stored_segments;
	is($all[-1], $segment, "archiving goes on after $mode shutdown");
	is(scalar(@all), Steward::Node::segments_from_to($all[0], $all[-1]), "no segment is missing after $mode shutdown");
}

# Reload to another repository: the engine follows, and the new one begins with what is ready from then on.
my $other = $node->basedir . '/other';
mkdir($other, 0700) or die;
$node->sql(qq{ALTER SYSTEM SET steward.repository = 'file://$other'});
$node->sql('SELECT pg_reload_conf()');
$node->wait_for_sql(qq{SELECT repository = 'file://$other' FROM steward.wal_archive}, 'a reload moves archiving to the new repository');
my $moved = $node->archive_current_segment;
my ($object) = glob("$other/cluster/main/*/wal/*/*/$moved");
ok($object, 'the next segment is stored there');
is($node->sql('SELECT engine_starts FROM steward.workers'), '1', 'without restarting the engine');

# Two repositories: a segment goes to both.
my $url = 'file://' . $node->repository_dir;
$node->sql(qq{ALTER SYSTEM SET steward.repository = '$url, file://$other'});
$node->sql('SELECT pg_reload_conf()');
$node->wait_for_sql(q{SELECT count(*) = 2 FROM steward.wal_archive}, 'two repositories, two rows');
$node->sql('INSERT INTO t VALUES (1)');
my $both = $node->sql('SELECT steward.archive_now()');
ok(-f $node->wal_object($both), 'the segment is in the first repository');
ok(scalar(glob("$other/cluster/main/*/wal/*/*/$both")), 'and in the second');
$node->stop;

done_testing();
