# After a major upgrade the repository continues under the new system identifier: the new cluster takes the name over by the mark that the
# upgrade leaves, takes a backup at once, and what the old one stored stays restorable. Both clusters are of the major under test: the mark
# is all that an upgrade adds (that it is left is tested with the upgrade itself), and no older major has the extension everywhere.
use Steward::Test;
use JSON::PP ();

my $old = Steward::Node->create('old');
$old->start;
$old->sql('CREATE EXTENSION pg_steward');
$old->sql('CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) i');
$old->sql(q{SELECT * FROM steward.backup(label => 'of-the-old')});
$old->sql('INSERT INTO t VALUES (0)');
my $before = $old->sql('SELECT clock_timestamp()');
$old->sql('INSERT INTO t VALUES (-1)');
$old->sql('SELECT steward.archive_now()');
my $old_id = $old->sql('SELECT system_identifier FROM pg_control_system()');
my $repository = 'file://' . $old->repository_dir;
$old->stop;

my $new = Steward::Node->create('new', repository => $repository);
my $new_id = identifier_of($new);
isnt($new_id, $old_id, 'the new cluster has another system identifier');

sub control_data
{
	my ($node, $line) = @_;
	my ($stdout) = PostgreSQL::Test::Utils::run_command([ 'pg_controldata', $node->data_dir ]);
	return $stdout =~ /^\Q$line\E:\s+(.*)$/m ? $1 : die $stdout;
}

sub identifier_of { my ($node) = @_; return control_data($node, 'Database system identifier'); }

# The mark, as an upgrade leaves it.
sub leave_mark
{
	my ($own, $end) = @_;
	my $dir = $new->data_dir . '/pg_steward';
	mkdir($dir, 0700);
	spew("$dir/succession.json", JSON::PP::encode_json({ system_identifier => $own, postgresql_major => 0 + pg_major(), time => '2026-11-20 10:00:00Z',
		predecessors => [ { system_identifier => $old_id, postgresql_major => 0 + pg_major(), timeline => 1, end => $end } ] }));
	return;
}

sub identities { return join ' ', map { s{.*/}{}r } glob($old->repository_dir . '/identity/main/*'); }

sub jobs { my ($node) = @_; return $node->sql(q{SELECT string_agg(concat_ws(' ', job, trigger, result), ', ' ORDER BY number) FROM steward.jobs}); }

# Start a server that is not let into the repository, and stop it. It would try again for a while.
sub is_refused
{
	my ($node, $pattern, $name) = @_;
	my $offset = -e $node->logfile ? -s $node->logfile : 0;
	$node->start;
	ok($node->wait_for_log($pattern, $offset), $name);
	$node->stop('immediate');
	return is(identities(), '0001', "$name: and the name is whose it was");
}

my @preseed = ('preseed', '--data-dir', $new->data_dir, '--dry-run');
is_refused($new, qr/holds another database cluster as "main".*succeed --predecessor $old_id/s, 'another cluster');
leave_mark(identifier_of($old), control_data($old, 'Latest checkpoint location'));
is_refused($new, qr/holds another database cluster as "main"/, 'a mark that was copied from another cluster');
program_fails(\@preseed, 10, qr/another database cluster than the expected one/, 'nor would preseed have it started');
leave_mark($new_id, '0/1000000');
is_refused($new, qr/cluster $old_id, which has the name "main" .* was used after this one was made of it/, 'the successor of a cluster that goes on');

# The upgraded cluster is started for the first time. No backup is scheduled.
leave_mark($new_id, control_data($old, 'Latest checkpoint location'));
like(program_ok(\@preseed, 'preseed lets it start'), qr/knows it as $old_id, as which it was upgraded/, 'and knows why');
$new->start;
$new->sql('CREATE EXTENSION pg_steward');
$new->wait_for_sql(q{SELECT count(*) = 1 FROM steward.jobs WHERE result = 'succeeded'}, 'a backup is taken at once');
is(jobs($new), 'backup succession succeeded', 'the history tells why');
is(identities(), '0001 0002', 'the name is the new one\'s');
$new->sql('SELECT steward.archive_now()');
$new->wait_for_sql('SELECT count(*) = 1 FROM steward.backups', 'which is the only backup that its views show');
$new->wait_for_sql('SELECT count(*) = 1 FROM steward.recovery_window', 'and what can be reached with it');
$new->restart;
$new->wait_for_sql('SELECT count(*) = 1 FROM steward.recovery_window', 'after another start the window has been read');
is(jobs($new), 'backup succession succeeded', 'and nothing is owed any more');

# The old one is started by hand.
my $offset = -s $old->logfile;
$old->start;
ok($old->wait_for_log(qr/holds another database cluster as "main"/, $offset), 'the old server archives nothing any more');
my ($code, undef, $error) = $old->psql('postgres', 'SELECT * FROM steward.backup()');
isnt($code, 0, 'nor is a backup of it taken');
like($error, qr/holds another database cluster as "main"/, 'for the same reason');
$old->stop('immediate');
is(identities(), '0001 0002', 'it has not taken the name back');

# What the old one stored.
my @from = ('--repository', $repository);
my $info = program_ok([ 'info', @from ], 'info');
like($info, qr/cluster main: PostgreSQL \d+, system identifier $new_id.*cluster main before: PostgreSQL \d+, restored with --system-identifier $old_id\n.*of-the-old/s,
	'shows both apart');
my $json = JSON::PP::decode_json(program_ok([ 'info', @from, '--output', 'json' ], 'info for programs'));
is($json->[0]{clusters}[0]{former}[0]{backups}[0]{label}, 'of-the-old', 'has it too');
my $way = qr/had the name "main" before and has .*--system-identifier $old_id"/;
my @nowhere = ('--data-dir', $new->basedir . '/nowhere', '--dry-run');
program_fails([ 'restore', @from, @nowhere, '--backup', 'of-the-old' ], 5, $way, 'a backup of before');
program_fails([ 'restore', @from, @nowhere, '--target-time', $before ], 20, $way, 'a time of before');
program_fails([ 'restore', @from, @nowhere, '--system-identifier', 42 ], 5, qr/no cluster "main" with system identifier 42.*it has $new_id .*$old_id/s, 'a cluster that never was');
like(program_ok([ 'restore', @from, @nowhere ], 'without more words'), qr/^backup: +\d{8}-\d{6}Z,/m, 'the new one is restored');
my @of_old = ('--system-identifier', $old_id);
my $to_time = Steward::Node->restored('to_time', $old, arguments => [ @of_old, '--target-time', $before, '--target-action', 'promote' ]);
$to_time->start_and_promote;
is($to_time->sql('SELECT count(*), min(i) FROM t'), '1001|0', 'the old one comes back as it was at that time');
$to_time->stop;
my $to_end = Steward::Node->restored('to_end', $old, arguments => \@of_old);
$to_end->start_and_promote;
is($to_end->sql('SELECT count(*), min(i) FROM t'), '1002|-1', 'and with all of its WAL');
is(identifier_of($to_end), $old_id, 'under its own identifier');
$to_end->stop;

# Keeping it, and letting it go.
like(program_ok([ 'verify', @from, @of_old ], 'verify'), qr/1 backups: all good/, 'reads it');
program_ok([ 'keep', 'of-the-old', @from, @of_old ], 'its backup is kept');
program_fails([ 'expire', @from, '--all' ], 2, qr/--all requires --system-identifier/, 'all of what is in use');
program_fails([ 'expire', @from, @of_old, '--all' ], 18, qr/backups of cluster $old_id .* are kept/, 'what is kept is not removed');
program_ok([ 'keep', 'of-the-old', '--release', @from, @of_old ], 'released');
program_fails([ 'expire', @from, '--system-identifier', $new_id, '--all' ], 4, qr/cluster $new_id has the name "main"/, 'nor is who has the name');
my $would = program_ok([ 'expire', @from, @of_old, '--all', '--dry-run' ], 'what would be removed');
like($would, qr/would remove \d+ objects, .*, among them 1 backups$/m, 'is told');
ok(-d $old->repository_dir . '/cluster/main/' . sprintf('%016x', $old_id), 'and is still there');
is(program_ok([ 'expire', @from, @of_old, '--all' ], 'all of it goes'), $would =~ s/would remove/removed/r, 'as it was told');
unlike(program_ok([ 'info', @from ], 'info afterwards'), qr/$old_id/, 'shows the new one only');
like(program_ok([ 'verify', @from ], 'verify of the new one'), qr/1 backups: all good/, 'which is whole');
$new->stop;

# Taken back by the operator's word, while the server runs.
$old->start;
$old->wait_for_sql(q{SELECT last_error LIKE '%holds another%' FROM steward.wal_archive}, 'the old server is still not let in');
program_fails([ 'succeed', '--data-dir', $old->data_dir, '--predecessor', $old_id ], 4, qr/is the system identifier of the cluster in .* itself/, 'of itself');
program_ok([ 'succeed', '--data-dir', $old->data_dir, '--predecessor', $new_id, '--dry-run' ], 'a dry run');
ok(!-e $old->data_dir . '/pg_steward/succession.json', 'leaves no mark');
program_ok([ 'succeed', '--data-dir', $old->data_dir, '--predecessor', $new_id ], 'the old one is to go on');
$old->wait_for_sql(q{SELECT count(*) = 1 FROM steward.jobs WHERE trigger = 'succession' AND result = 'succeeded'}, 'it does, with a backup, since it has none any more');
is(identities(), '0001 0002 0003', 'the name is its own again');
$old->stop;
like(program_ok([ 'info', @from ], 'info at last'), qr/cluster main: PostgreSQL \d+, system identifier $old_id.*cluster main before: .*--system-identifier $new_id\n/s, 'has changed sides');
done_testing();
