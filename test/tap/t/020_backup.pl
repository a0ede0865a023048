# Base backups: what the function returns, what the views show, and every way in which one fails cleanly.
use Steward::Test;

my $node = Steward::Node->create('primary', initdb => ['--data-checksums']);
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t AS SELECT i, md5(i::text) AS x FROM generate_series(1, 50000) i');
$node->sql('CHECKPOINT');

# One backup.
is($node->sql(q{SELECT backup_label, stop_lsn > start_lsn, timeline, stopped_at >= started_at, data_bytes > 20000000, repository_bytes > 100000,
		files > 500, checksum_failures, from_standby FROM steward.backup(label => 'first')}),
	'first|t|1|t|t|t|t|0|f', 'a backup reports what it did');
my $manifest = $node->cluster_dir . '/backups/first/manifest';
ok(-s $manifest, 'its manifest is in the repository when the function returns');
is($node->sql('SELECT label FROM steward.backups'), 'first', 'steward.backups shows it at once');
is($node->sql('SELECT label, state, bytes_done = bytes_total, error FROM steward.backup_progress'), 'first|succeeded|t|', 'progress ends at its total');
my ($stop) = $node->sql('SELECT pg_walfile_name(stop_lsn) FROM steward.backups');
ok(-f $node->wal_object($stop), 'all WAL it needs is stored');
like($node->sql(q{SELECT backup_label FROM steward.backup()}), qr/^\d{8}-\d{6}Z$/, 'without a label the backup is named by the time');

# Labels.
for my $label ('first', '', 'a/b', '../x', '.hidden', 'x' x 65)
{
	my ($code, undef, $err) = $node->psql('postgres', "SELECT * FROM steward.backup(label => '$label')");
	isnt($code, 0, "label \"$label\" is refused");
	like($err, $label eq 'first' ? qr/backup "first" exists already in repository/ : qr/invalid backup label "\Q$label\E"/, 'by name');
	like($err, qr/HINT:  /, 'with a hint');
}
is($node->sql(q{SELECT count(*) FROM steward.backups WHERE label = 'first'}), '1', 'nothing was overwritten');

# Two at once: the second gets a clear error. A backup that waits for its checkpoint holds the first one still.
sub start_slow_backup
{
	my ($label) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	$node->sql('INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 20000) i');
	$session->query_until(qr/begun/, "\\echo begun\nSELECT * FROM steward.backup(label => '$label', fast_checkpoint => false);\n");
	$node->wait_for_sql(qq{SELECT label = '$label' AND state = 'running' AND pid IS NOT NULL FROM steward.backup_progress}, "backup \"$label\" runs");
	return $session;
}

SKIP:
{
	skip 'no background_psql with query_until in this PostgreSQL\'s test modules', 1 unless PostgreSQL::Test::Cluster->can('background_psql');
	my $session = start_slow_backup('slow');
	my ($code, undef, $err) = $node->psql('postgres', q{SELECT * FROM steward.backup(label => 'second')});
	isnt($code, 0, 'a second backup is refused while one runs');
	like($err, qr/a backup is already running\nDETAIL:  Backup "slow" runs in the worker with PID [1-9]\d*\.\nHINT:  /, 'naming the one that runs');

	# Cancel by its worker's PID.
	ok($node->sql('SELECT pg_cancel_backend(pid) FROM steward.backup_progress') eq 't', 'the worker is cancelled');
	$node->wait_for_sql(q{SELECT state = 'failed' AND error ~ 'cancel' FROM steward.backup_progress}, 'the backup ends as canceled');
	$session->quit;

	# Cancel by the session that waits for it.
	$session = start_slow_backup('slow2');
	$node->sql(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%slow2%' AND pid <> pg_backend_pid()});
	$node->wait_for_sql(q{SELECT state = 'failed' AND error ~ 'cancel' FROM steward.backup_progress}, 'cancelling the waiting session cancels the backup');
	$session->quit;

	# End that session.
	$session = start_slow_backup('slow3');
	$node->sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%slow3%' AND pid <> pg_backend_pid()});
	$node->wait_for_sql(q{SELECT label = 'slow3' AND state = 'failed' AND error ~ 'cancel' FROM steward.backup_progress},
		'terminating the waiting session cancels the backup');
	eval { $session->quit };
}
is($node->sql(q{SELECT count(*) FROM steward.backups WHERE label LIKE 'slow%'}), '0', 'cancelled backups do not exist');
is($node->sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'steward backup'}), '0', 'and leave no worker');

# Without waiting.
is($node->sql(q{SELECT backup_label, start_lsn IS NULL FROM steward.backup(label => 'later', wait => false)}), 'later|t', 'wait => false returns at once');
$node->wait_for_sql(q{SELECT EXISTS (SELECT FROM steward.backups WHERE label = 'later')}, 'the backup is made all the same');

# A damaged page: found, named, counted, and backed up as it is.
my $path = $node->sql(q{SELECT pg_relation_filepath('t')});
$node->stop('fast');
my $file = $node->data_dir . "/$path";
my $content = slurp($file);
substr($content, 3 * 8192 + 5000, 1) ^= "\x01";
spew($file, $content);
$node->start;
is($node->sql(q{SELECT checksum_failures FROM steward.backup(label => 'damaged')}), '1', 'a wrong page checksum is counted');
like(slurp($node->logfile), qr/checksum of block 3 in file "\Q$path\E" is wrong/, 'the log names file and block');
is($node->sql(q{SELECT checksum_failures FROM steward.backups WHERE label = 'damaged'}), '1', 'steward.backups shows it');

# Without archiving there is no backup.
my $plain = Steward::Node->create('plain', archiving => 0, settings => { archive_mode => 'off' });
$plain->start;
$plain->sql('CREATE EXTENSION pg_steward');
my ($code, undef, $err) = $plain->psql('postgres', 'SELECT * FROM steward.backup()');
isnt($code, 0, 'no backup without archiving');
like($err, qr/WAL is not archived by pg_steward\nDETAIL:  A backup needs the WAL.*\nHINT:  Set archive_mode = on/, 'with the cure');
$plain->stop;
$node->stop;
done_testing();
