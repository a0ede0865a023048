# steward.archive_queue_limit: in an outage the oldest WAL is given up, nothing else is; the gap is recorded, and a backup closes it.
use IPC::Run ();
use JSON::PP qw(decode_json);
use Steward::Test;

my $node = Steward::Node->create('primary', initdb => ['--wal-segsize=1'], settings => { 'steward.archive_queue_limit' => 4 });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t (i int)');
my $repository = $node->repository_dir;
my $rows = 0;

sub ready { return grep { /[0-9A-F]{24}\.ready$/ } glob($node->data_dir . '/pg_wal/archive_status/*.ready'); }
sub listed { return decode_json(eval { slurp($node->data_dir . '/pg_steward/given_up_wal.json') } // '{"gaps":[]}')->{gaps}; }
# Fill this many segments. Returns the name of the last one.
sub fill
{
	my ($segments) = @_;
	my $last;
	for (1 .. $segments)
	{
		$node->sql('INSERT INTO t VALUES (' . ++$rows . ')');
		$last = $node->sql('SELECT pg_walfile_name(pg_switch_wal())');
	}
	return $last;
}
sub ask_in_background
{
	my ($statement) = @_;
	my %session = (out => '', err => '');
	$session{run} = IPC::Run::start([ 'psql', '-X', '-h', $node->host, '-p', $node->port, '-d', 'postgres', '-c', $statement ], '>', \$session{out}, '2>', \$session{err});
	return \%session;
}

$node->sql(q{SELECT * FROM steward.backup(label => 'first')});
fill(2);
my $last_stored = $node->sql('SELECT steward.archive_now()');
is_deeply(listed(), [], 'while all is well nothing is given up');

# The repository is gone.
chmod(0000, $repository) or die;
$node->sql("INSERT INTO t VALUES (" . ++$rows . ")");
my $asking = ask_in_background(q{SELECT steward.archive_now('10 minutes')});
$node->wait_for_sql(q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'SELECT steward.archive_now%' AND pid <> pg_backend_pid()}, 'a session waits for its segment');
my $last = fill(12);
poll_until(sub { ready() <= 4 }, 'no more waits than is allowed');
is(scalar(ready()), 4, 'and no less');
ok(-e $node->data_dir . "/pg_wal/archive_status/$last.ready", 'the newest WAL waits');
IPC::Run::finish($asking->{run});
like($asking->{err}, qr/ERROR: .*WAL segment "[0-9A-F]{24}" was given up/, 'who waits for a segment that goes is told so');
like(slurp($node->logfile), qr/WARNING:.*WAL segments? "[0-9A-F]{24}".* dropped when too much WAL waited for the repository/, 'a warning names what goes');
like(slurp($node->logfile), qr/DETAIL:.*"steward.archive_queue_limit" allows, which is 4/, 'and why');
my @given_up = @{ listed() };
is(scalar @given_up, 1, 'the server remembers one range');
is($given_up[0]{reason}, 'dropped', 'as dropped');

# It goes on so, also with another engine and after a crash of the server.
$node->kill_by_sql(q{SELECT engine_pid FROM steward.workers WHERE worker = 'wal'});
fill(3);
poll_until(sub { ready() <= 4 }, 'another engine goes on with it');
$node->stop('immediate');
$node->start;
my $lost_until = fill(3);
poll_until(sub { ready() <= 4 }, 'so does one that never saw the repository');
is(scalar @{ listed() }, 1, 'it is one range still');

# The repository is back.
chmod(0700, $repository) or die;
$node->wait_for_sql(q{SELECT count(*) = 1 FROM steward.wal_gaps WHERE reason = 'dropped'}, 'the gap is recorded');
$node->wait_for_sql(q{SELECT count(*) = 1 FROM steward.jobs WHERE trigger = 'gap' AND result = 'succeeded'}, 'a backup is taken at once, with no schedule');
$node->wait_for_sql(q{SELECT backup_after = (SELECT label FROM steward.backups ORDER BY started_at DESC LIMIT 1) FROM steward.wal_gaps}, 'what is after the gap can be recovered');
poll_until(sub { @{ listed() } == 0 }, 'the server has nothing to remember any more');
is(scalar(() = glob($node->cluster_dir . '/gaps/*')), 1, 'the ledger has one entry');
# A segment's name by a position within it: on its boundary, 15 names the one before.
my ($first_lost, $last_lost, $note) = split /\|/, $node->sql(q{SELECT pg_walfile_name(begin_lsn + 1), pg_walfile_name(end_lsn - 1), note FROM steward.wal_gaps});
like($note, qr/limit of 4/, 'with a note');
is_deeply([ grep { $_ gt $last_stored && $_ lt $first_lost } $node->stored_segments ], [], 'the gap begins where the outage did');
is_deeply([ grep { $_ ge $first_lost && $_ le $last_lost } $node->stored_segments ], [], 'and nothing of it is stored');
ok(-f $node->wal_object($lost_until), 'what waited at the end was stored');
unlike(slurp($node->logfile), qr/is missing in repository/, 'nobody took it for a loss');

# What can be restored, and what cannot.
my @restore = ('restore', '--repository', "file://$repository");
program_fails([ @restore, '--data-dir', $node->basedir . '/target', '--backup', 'first' ], 19, qr/dropped when too much WAL waited/, 'a restore across the gap');
fill(1);
$node->sql('SELECT steward.archive_now()');
my $copy = Steward::Node->restored('copy', $node);
$copy->start_and_promote;
is($copy->sql('SELECT count(*), max(i) FROM t'), "$rows|$rows", 'the new backup has every row');
$copy->stop;

# A backup that waits for WAL that goes fails at once, and the next one is taken without being asked for.
my $wal = $node->cluster_dir . '/wal/00000001/00000000';
chmod(0500, $wal) or die;
my $backup = ask_in_background(q{SELECT * FROM steward.backup(label => 'unlucky')});
$node->wait_for_sql(q{SELECT phase = 'waiting for WAL' FROM steward.backup_progress}, 'a backup waits for WAL');
fill(8);
IPC::Run::finish($backup->{run});
like($backup->{err}, qr/ERROR: .*WAL segment "[0-9A-F]{24}", which the backup needs, was given up/, 'it fails when that is given up');
chmod(0700, $wal) or die;
$node->wait_for_sql(q{SELECT count(*) = 2 FROM steward.jobs WHERE trigger = 'gap' AND result = 'succeeded'}, 'and one is taken that succeeds');
$node->wait_for_sql(q{SELECT count(*) = 2 AND bool_and(backup_after IS NOT NULL) FROM steward.wal_gaps WHERE reason = 'dropped'}, 'both gaps have a backup behind them');
is($node->sql(q{SELECT count(*) FROM steward.jobs WHERE trigger = 'gap' AND result = 'succeeded'}), '2', 'and no more are taken than are needed');
$node->stop;
done_testing();
