# Restores across a timeline switch, and to a timeline that was left behind.
use Steward::Test;

my $node = Steward::Node->create('primary');
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t (i int, timeline int)');
$node->sql('INSERT INTO t VALUES (1, 1)');
$node->sql(q{SELECT * FROM steward.backup(label => 'one')});
$node->sql('INSERT INTO t VALUES (2, 1)');
$node->sql(q{SELECT pg_create_restore_point('fork')});
$node->sql('INSERT INTO t VALUES (3, 1)');
$node->sql('SELECT steward.archive_now()');
$node->stop;

# The second life begins at the fork and archives to the same repository: timeline 2.
my $second = Steward::Node->restored('second', $node, archiving => 1, arguments => [ '--target-name', 'fork', '--target-action', 'promote' ]);
$second->start_and_promote;
is($second->sql('SELECT string_agg(i::text, $$,$$ ORDER BY i) FROM t'), '1,2', 'the second life begins at the restore point');
$second->sql('INSERT INTO t VALUES (4, 2)');
$second->sql('SELECT steward.archive_now()');
ok(-f $node->wal_object('00000002.history'), 'the history of timeline 2 is in the repository');
$second->sql(q{SELECT * FROM steward.backup(label => 'two')});
is($second->sql(q{SELECT string_agg(label || timeline, $$,$$ ORDER BY timeline) FROM steward.backups}), 'one1,two2', 'backups know their timelines');
$second->sql('INSERT INTO t VALUES (5, 2)');
my $end = $second->sql('SELECT steward.archive_now()');
like($end, qr/^00000002/, 'WAL goes on in timeline 2');
$second->stop;

# From the backup of timeline 1, through the switch.
my $through = Steward::Node->restored('through', $node, arguments => [ '--backup', 'one' ]);
$through->start_and_promote;
is($through->sql('SELECT string_agg(i::text, $$,$$ ORDER BY i) FROM t'), '1,2,4,5', 'a restore goes through the timeline switch');
$through->amcheck_ok;
$through->stop;

# From the newest backup.
my $newest = Steward::Node->restored('newest', $node);
$newest->start_and_promote;
is($newest->sql('SELECT string_agg(i::text, $$,$$ ORDER BY i) FROM t'), '1,2,4,5', 'so does one from the newest backup');
$newest->stop;

# What timeline 1 went on to do before it was left.
my $left = Steward::Node->restored('left', $node, arguments => [ '--target-timeline', '1' ]);
$left->start_and_promote;
is($left->sql('SELECT string_agg(i::text, $$,$$ ORDER BY i) FROM t'), '1,2,3', 'the timeline that was left can be restored as well');
$left->stop;

# A backup of timeline 2 does not lie on timeline 1.
program_fails([ 'restore', '--repository', 'file://' . $node->repository_dir, '--data-dir', $node->basedir . '/never', '--backup', 'two', '--target-timeline', '1' ],
	20, qr/timeline/, 'a backup that is not on the target timeline');
done_testing();
