# kill -9 at every step of a backup, under load: the repository stays sound, and the latest backup restores with every acknowledged
# transaction.
use Steward::Test;

my $node = Steward::Node->create('primary',
	settings => { 'steward.compression' => 'zstd:12', 'steward.backup_workers' => 1, max_wal_size => '2GB', wal_keep_size => '1GB' });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->command_ok([ 'pgbench', '-i', '-q', '-s', '15', '-h', $node->host, '-p', $node->port, 'postgres' ], 'pgbench tables');
$node->sql('CREATE TABLE acknowledged (at timestamptz DEFAULT clock_timestamp())');
my $script = $node->basedir . '/script.sql';
spew($script, <<'SQL');
\set account random(1, 1500000)
INSERT INTO acknowledged DEFAULT VALUES;
UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :account;
SQL

my ($load, $load_out);
my $acknowledged = 0;

sub start_load
{
	$load_out = '';
	$load = IPC::Run::start([ 'pgbench', '-n', '-c', '2', '-T', '300', '-P', '1', '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', \$load_out, '2>&1');
	return;
}

# What clients were told is committed: the final report, when the server went, or nothing when we stop them.
sub stop_load
{
	$load->signal('TERM');
	IPC::Run::finish($load);
	$acknowledged += $1 if $load_out =~ /number of transactions actually processed: (\d+)/;
	return;
}

my $wal_dir;
my %step = (
	'waiting for checkpoint' => {},
	'copying' => {},
	'waiting for WAL' => {
		before => sub { $node->sql('SELECT steward.archive_now()'); $wal_dir = $node->cluster_dir . '/wal/00000001/00000000'; chmod(0500, $wal_dir) },
		after => sub { chmod(0700, $wal_dir) },
	},
);
my $label = 'a';
for my $phase ('waiting for checkpoint', 'copying', 'waiting for WAL')
{
	for my $victim (qw(engine worker postmaster))
	{
		$label++;
		start_load();
		$step{$phase}{before}->() if $step{$phase}{before};
		my $fast = $phase eq 'waiting for checkpoint' ? 'false' : 'true';
		$node->sql("SELECT * FROM steward.backup(label => '$label', wait => false, fast_checkpoint => $fast)");
		ok($node->poll_query_until('postgres', "SELECT phase = '$phase' FROM steward.backup_progress"), "the backup is $phase");
		my ($pid) = $victim eq 'postmaster' ? split(/\n/, slurp($node->data_dir . '/postmaster.pid'))
			: $node->sql($victim eq 'worker' ? q{SELECT pid FROM steward.workers WHERE worker = 'backup'} : q{SELECT engine_pid FROM steward.workers WHERE worker = 'backup'});
		like($pid, qr/^\d+$/, "its $victim runs");
		kill('KILL', $pid) or die "could not kill $victim: $!";
		$step{$phase}{after}->() if $step{$phase}{after};
		# A worker that waits for a spread checkpoint looks at its engine when that is done.
		$node->sql('CHECKPOINT') if $victim eq 'engine' and $phase eq 'waiting for checkpoint';
		if ($victim eq 'postmaster')
		{
			stop_load();
			$node->start_after_kill;
		}
		else
		{
			poll_until(sub { $node->answers }, 'the server answers again');
			$node->wait_for_sql(q{SELECT coalesce(bool_and(state = 'failed'), true) FROM steward.backup_progress}, "the backup ends as failed, or is forgotten");
			stop_load();
		}
		ok(!-e $node->cluster_dir . "/backups/$label/manifest", "killing the $victim while $phase leaves no backup");
	}
}
$node->wait_for_sql(q{SELECT engine_state = 'running' FROM steward.workers WHERE worker = 'wal'}, 'archiving runs');
$node->wait_for_sql(q{SELECT backlog_segments = 0 FROM steward.wal_archive}, 'and has caught up');
program_ok([ 'verify', '--repository', 'file://' . $node->repository_dir ], 'the repository verifies');

# A last backup under load, then every acknowledged transaction must come back.
start_load();
$node->sql(q{SELECT * FROM steward.backup(label => 'last')});
stop_load();
my $rows = $node->sql('SELECT count(*) FROM acknowledged');
cmp_ok($rows, '>=', $acknowledged, "the server has all $acknowledged transactions that clients were told of");
$node->sql('SELECT steward.archive_now()');
$node->stop('immediate');

my $restored = Steward::Node->restored('restored', $node);
$restored->start_and_promote;
is($restored->sql('SELECT count(*) FROM acknowledged'), $rows, 'every acknowledged transaction is there');
$restored->amcheck_ok;
$restored->stop;
done_testing();
