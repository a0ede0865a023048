# steward.verify() and steward.drill(): the same from within the server, recorded as jobs.
use Steward::Test;

my $directory = PostgreSQL::Test::Utils::tempdir_short();
my $node = Steward::Node->create('primary', settings => { 'steward.drill_query' => 'SELECT count(*) = 1000 FROM t' });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t AS SELECT i, md5(i::text) AS x FROM generate_series(1, 1000) i');
$node->sql(q{SELECT * FROM steward.backup(label => 'a')});
my $lsn = $node->sql('SELECT pg_current_wal_lsn()');
$node->archive_current_segment;
sub fails
{
	my ($statement, $pattern, $name) = @_;
	my ($code, undef, $err) = $node->psql('postgres', $statement);
	isnt($code, 0, "$name: fails");
	return like($err, $pattern, "$name: with its error");
}

# Verification.
is($node->sql('SELECT result, objects_read = objects, backups, problems FROM steward.verify()'), 'good|t|1|{}', 'a verification');
is($node->sql('SELECT result, objects_read < objects FROM steward.verify()'), 'good|t', 'a second one reads less');
is($node->sql('SELECT objects_read = objects FROM steward.verify(recheck => true)'), 't', 'unless it is told to read everything');
my ($name, $repair) = $node->damage_largest_pack;
like($node->sql('SELECT result, problems FROM steward.verify(recheck => true)'), qr/^damaged\|.*\Q$name\E/, 'a damaged pack is named in the row');
ok($node->log_contains(qr/WARNING: .*\Q$name\E/), 'and in a warning in the log');
fails(q{SELECT steward.run_job('verify', '{"strict": true}')}, qr/verification found 1 problem, .*\Q$name\E/s, 'a strict one fails');

# Drills.
fails('SELECT * FROM steward.drill()', qr/no directory for restore drills is set/, 'a drill without a directory');
$node->set('steward.drill_directory' => $directory);
$node->sql('SELECT pg_reload_conf()');
$node->wait_for_sql("SELECT current_setting('steward.drill_directory') = '$directory'", 'the setting is known');
my $from = -s $node->logfile;
fails('SELECT * FROM steward.drill()', qr/\Q$name\E/, 'a drill of a damaged pack');
ok($node->log_contains(qr/WARNING: .*\Q$name\E/, $from), 'and a warning in the log');
is($node->sql(q{SELECT result FROM steward.jobs WHERE job = 'drill' ORDER BY number DESC LIMIT 1}), 'failed', 'its row says so');
$repair->();
is($node->sql("SELECT backup_label, recovered_lsn >= '$lsn', timeline, recovery_time > interval '0' FROM steward.drill()"), 'a|t|1|t', 'a drill');
is($node->sql(q{SELECT result FROM steward.jobs WHERE job = 'drill' ORDER BY number DESC LIMIT 1}), 'succeeded', 'its row says so');
is_deeply([ glob("$directory/*") ], [], 'the directory is empty afterwards');
$node->sql('DELETE FROM t');
$node->archive_current_segment;
fails('SELECT * FROM steward.drill()', qr/query did not return true/, 'a query that is not true');

# The engine is killed: its server goes with it.
my ($psql_out, $psql_err) = ('', '');
my $session = IPC::Run::start([ 'psql', '-X', '-h', $node->host, '-p', $node->port, '-d', 'postgres', '-c', 'SELECT * FROM steward.drill()' ], '>', \$psql_out, '2>', \$psql_err);
my $pid = wait_for_drill_server($directory);
my ($engine) = slurp("/proc/$pid/status") =~ /^PPid:\s+(\d+)/m;
kill('KILL', $engine) or die;
IPC::Run::finish($session);
wait_until_gone($pid);
is($node->sql(q{SELECT result FROM steward.jobs WHERE job = 'drill' ORDER BY number DESC LIMIT 1}), 'failed', 'a killed drill has failed');
$node->sql('INSERT INTO t SELECT i FROM generate_series(1, 1000) i');
$node->archive_current_segment;
is($node->sql('SELECT backup_label FROM steward.drill()'), 'a', 'the next one succeeds');
is_deeply([ glob("$directory/*") ], [], 'and leaves nothing');
$node->stop;
done_testing();
