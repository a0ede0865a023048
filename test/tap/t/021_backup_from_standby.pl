# State is readable on a standby, and a backup taken there is as good as one from the primary.
use Steward::Test;

my $primary = Steward::Node->create('primary', settings => { max_wal_senders => 5, wal_level => 'replica' });
$primary->start;
$primary->sql('CREATE EXTENSION pg_steward');
$primary->sql('CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) i');
$primary->append_conf('pg_hba.conf', 'local replication all trust');
$primary->reload;
$primary->backup('base');

my $standby = bless PostgreSQL::Test::Cluster->new('standby'), 'Steward::Node';
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
is($standby->sql('SELECT pg_is_in_recovery()'), 't', 'the standby is one');
$standby->wait_for_sql(q{SELECT count(*) = 1 FROM steward.wal_archive WHERE last_error IS NULL}, 'the standby shows the state of archiving');
is($standby->sql(q{SELECT engine_state FROM steward.workers WHERE worker = 'wal'}), 'running', 'its engine runs');
my ($code, undef, $err) = $standby->psql('postgres', 'SELECT steward.archive_now()');
like($err, qr/recovery is in progress\nHINT:  Run this on the primary/, 'archive_now() says where to run it');

# The standby's stop segment comes from the primary: finish it there while the backup waits.
is($standby->sql(q{SELECT backup_label FROM steward.backup(label => 'from-standby', wait => false)}), 'from-standby', 'a backup starts on the standby');
$standby->wait_for_sql(q{SELECT state = 'running' AND phase = 'waiting for WAL' AND waiting_for IS NOT NULL OR state <> 'running'
	FROM steward.backup_progress}, 'it says which WAL file it waits for');
$primary->sql('INSERT INTO t VALUES (1)');
$primary->sql('SELECT steward.archive_now()');
$standby->wait_for_sql(q{SELECT state = 'succeeded' FROM steward.backup_progress}, 'it ends once the primary has archived the WAL');
is($standby->sql(q{SELECT from_standby FROM steward.backups WHERE label = 'from-standby'}), 't', 'and is known as one from a standby');
$primary->wait_for_sql(q{SELECT EXISTS (SELECT FROM steward.backups WHERE label = 'from-standby')}, 'the primary sees it too');
$standby->stop;
$primary->stop;
done_testing();
