# kill -9 of everything that takes part in archiving, under load: afterwards it goes on, and no segment is lost.
use Steward::Test;

my $node = Steward::Node->create('primary', settings => { wal_keep_size => '2GB', max_wal_size => '2GB' });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->command_ok([ 'pgbench', '-i', '-q', '-s', '10', '-h', $node->host, '-p', $node->port, 'postgres' ], 'pgbench tables');

my %victims = (
	engine => sub { $node->sql('SELECT engine_pid FROM steward.workers') },
	worker => sub { $node->sql(q{SELECT pid FROM steward.workers WHERE worker = 'wal'}) },
	archiver => sub { $node->sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'archiver'}) },
	postmaster => sub { my ($pid) = split /\n/, slurp($node->data_dir . '/postmaster.pid'); $pid },
);

for my $victim (qw(engine worker archiver postmaster engine))
{
	my $load = IPC::Run::start([ 'pgbench', '-n', '-c', '4', '-T', '60', '-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', \my $out, '2>', \my $err);
	my $before = $node->stored_segments;
	# Keep archiving busy while the blow falls.
	$node->sql('INSERT INTO pgbench_history SELECT 1, 1, 1, 1, now(), left(md5(i::text), 22) FROM generate_series(1, 100000) i') for 1 .. 3;
	$node->sql('SELECT pg_switch_wal()');
	my $pid = $victims{$victim}->();
	my $engine = $victims{engine}->();
	like($pid, qr/^[0-9]+$/, "$victim runs");
	kill('KILL', $pid) or die "could not kill $victim: $!";
	# Whichever it was, the engine ends with it or with the server's restart, which a session could otherwise still precede.
	poll_until(sub { !kill(0, $engine) }, "engine $engine is gone");
	$load->kill_kill(grace => 1);
	if ($victim eq 'postmaster')
	{
		$node->start_after_kill;
	}
	else
	{
		poll_until(sub { $node->answers }, 'the server answers again');
	}
	$node->wait_for_sql(q{SELECT engine_state = 'running' FROM steward.workers WHERE worker = 'wal'}, "an engine runs again after the $victim was killed");
	my $last = $node->archive_current_segment;
	my @all = $node->stored_segments;
	is($all[-1], $last, "archiving goes on after the $victim was killed");
	is(scalar(@all), Steward::Node::segments_from_to($all[0], $last), 'no segment is missing');
}
my $temporary = () = glob($node->repository_dir . '/.pg_steward.tmp/*');
cmp_ok($temporary, '<=', 20, 'kills leave little behind');
like(slurp($node->logfile), qr/engine with PID \d+ ended unexpectedly/, 'the log tells of the engine that was killed');
$node->stop;
done_testing();
