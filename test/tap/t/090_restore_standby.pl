# A standby in one command: it catches up from the repository, then follows its running primary through a slot.
use Steward::Test;

my $node = Steward::Node->create('primary', initdb => [ '--data-checksums', '--auth=trust' ], settings => { max_wal_senders => 5, max_replication_slots => 5 });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t AS SELECT 1 AS i');
$node->sql('SELECT * FROM steward.backup()');
$node->sql('INSERT INTO t VALUES (2)');
$node->archive_current_segment;
$node->sql(q{SELECT pg_create_physical_replication_slot('mine')});

my @restore = ('restore', '--repository', 'file://' . $node->repository_dir, '--data-dir', $node->basedir . '/never');
program_fails([ @restore, '--standby', '--target-immediate' ], 2, qr/recovery target/, 'a standby with a recovery target');
program_fails([ @restore, '--slot', 'mine' ], 2, qr/--standby/, 'a slot without a standby');
program_fails([ @restore, '--standby', '--primary-conninfo', 'host=x password=geheim' ], 4, qr/password/, 'a password on the command line');
my $plan = program_ok([ @restore, '--standby', '--primary-host', 'example.org', '--slot', 'mine', '--dry-run' ], 'dry run');
like($plan, qr/standby of:\s+host=example\.org\n.*slot mine/, 'the plan says what it is a standby of');
ok(!-e $node->basedir . '/never', 'nothing is written');

my $standby = Steward::Node->restored('standby', $node,
	arguments => [ '--standby', '--primary-host', $node->host, '--primary-port', $node->port, '--primary-user', $node->sql('SELECT current_user'), '--slot', 'mine' ]);
$standby->start;
is($standby->sql('SELECT pg_is_in_recovery()'), 't', 'the standby is in recovery');
$node->wait_for_sql(q{SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'}, 'it streams');
is($node->sql(q{SELECT active FROM pg_replication_slots WHERE slot_name = 'mine'}), 't', 'through its slot');
$node->sql('INSERT INTO t VALUES (3)');
$node->wait_for_catchup($standby);
is($standby->sql('SELECT array_agg(i ORDER BY i) FROM t'), '{1,2,3}', 'and has what came from the repository and what was streamed');
$standby->stop;

# Without a primary it follows the repository alone.
my $alone = Steward::Node->restored('alone', $node, arguments => ['--standby']);
$alone->start;
$node->sql('INSERT INTO t VALUES (4)');
$node->archive_current_segment;
$alone->wait_for_sql('SELECT max(i) = 4 FROM t', 'a standby without a primary follows the repository');
is($alone->sql('SELECT pg_is_in_recovery()'), 't', 'and stays one');
$alone->stop;
$node->stop;
done_testing();
