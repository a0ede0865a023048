# Segments go to the repository ahead of the archiver, the views say so, and a file that is offered again is recognised.
use Steward::Test;

my $node = Steward::Node->create('primary', settings => { wal_keep_size => '1GB' });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');

my $first = $node->sql('SELECT steward.archive_now()');
like($first, qr/^[0-9A-F]{24}$/, 'archive_now() names the segment it finished');
ok(-f $node->wal_object($first), 'the segment is in the repository when archive_now() returns');
is($node->sql("SELECT last_segment FROM steward.wal_archive"), $first, 'the view names the segment');
is($node->sql('SELECT backlog_segments, backlog_bytes, failures FROM steward.wal_archive'), '0|0|0', 'nothing is left to do');
ok($node->sql('SELECT last_lsn > pg_current_wal_lsn() - 16777216 AND last_stored_at > now() - interval $$5 min$$ FROM steward.wal_archive') eq 't',
	'LSN and time of the last stored segment are plausible');
is($node->sql("SELECT worker, engine_state, engine_starts FROM steward.workers"), 'wal|running|1', 'the worker runs one engine');

# Many segments at once.
$node->sql('CREATE TABLE t (x text)');
for (1 .. 8)
{
	$node->sql('INSERT INTO t SELECT repeat(md5(i::text), 10) FROM generate_series(1, 1000) i');
	$node->sql('SELECT pg_switch_wal()');
}
my $last = $node->archive_current_segment;
is($node->sql("SELECT failed_count FROM pg_stat_archiver"), '0', 'the archiver saw no failure');
ok(-f $node->wal_object($last), 'the last of many segments is stored');
my @stored = $node->stored_segments;
is(scalar(@stored), Steward::Node::segments_from_to($first, $last), 'no segment is missing in between');

# What was stored last is known also of an engine that has stored nothing yet, which is not told of a segment that was asked for before.
my $last_stored = 'SELECT last_segment, last_lsn, last_stored_at FROM steward.wal_archive';
$node->wait_for_sql("SELECT last_segment = '$last' FROM steward.wal_archive", 'what was stored last is shown');
my $known = $node->sql($last_stored);
my $killed = $node->kill_by_sql(q{SELECT engine_pid FROM steward.workers WHERE worker = 'wal'});
$node->wait_for_sql("SELECT engine_pid <> $killed AND engine_state = 'running' FROM steward.workers WHERE worker = 'wal'", 'a new engine runs');
$node->wait_for_sql('SELECT stored_files = 0 FROM steward.wal_archive', 'it has reported, and stores nothing once more');
is($node->sql($last_stored), $known, 'what was stored last is still known');

# An older segment that is offered once more does not take the place of the last one.
my $status = $node->data_dir . '/pg_wal/archive_status';
rename("$status/$first.done", "$status/$first.ready") or die "could not rename $first: $!";
$node->wait_for_sql('SELECT stored_files = 1 FROM steward.wal_archive', 'an older segment is offered again');
is($node->sql('SELECT last_segment FROM steward.wal_archive'), $last, 'the last segment is the newest one');

# The server offers a segment again after a crash, since .ready -> .done is not durable: same content succeeds.
$node->stop('fast');
my ($again) = grep { -e "$status/$_.done" } reverse $node->stored_segments;
rename("$status/$again.done", "$status/$again.ready") or die "could not rename $again: $!";
my $before = (stat($node->wal_object($again)))[9];
$node->start;
Steward::Test::poll_until(sub { -e "$status/$again.done" }, "segment $again is archived again");
is((stat($node->wal_object($again)))[9], $before, 'the stored object was left alone');
is($node->sql('SELECT failures FROM steward.wal_archive'), '0', 'the same content again is no failure');

# Other content under the same name is refused, and nothing is overwritten.
$node->stop('fast');
my ($changed) = grep { -e "$status/$_.done" } reverse $node->stored_segments;
my $path = $node->data_dir . "/pg_wal/$changed";
my $original = slurp($path);
my $object = slurp($node->wal_object($changed));
my $other = $original;
substr($other, 9_000_000, 1) = substr($other, 9_000_000, 1) eq 'x' ? 'y' : 'x';
spew($path, $other);
rename("$status/$changed.done", "$status/$changed.ready") or die "could not rename $changed: $!";
my $offset = -s $node->logfile;
$node->start;
$node->wait_for_log(qr/holds other content as "[^"]*\Q$changed\E"/, $offset);
like(slurp($node->logfile), qr/stored content has digest xxh3:[0-9a-f]{32}, this server's has xxh3:[0-9a-f]{32}/, 'the error names both digests');
is(slurp($node->wal_object($changed)), $object, 'what was stored is not overwritten');
$node->wait_for_sql(q{SELECT failures > 0 AND last_error LIKE '%holds other content%' FROM steward.wal_archive}, 'the view shows the failure');
$node->wait_for_sql('SELECT failed_count > 0 FROM pg_stat_archiver', 'the server counts it');

# Others go on, and with the original back the segment is accepted.
$node->sql('INSERT INTO t VALUES (1)');
my $newer = $node->sql(q{SELECT pg_walfile_name(pg_switch_wal())});
Steward::Test::poll_until(sub { -f $node->wal_object($newer) }, 'a newer segment is stored in spite of the refused one');
spew($path, $original);
Steward::Test::poll_until(sub { -e "$status/$changed.done" }, "segment $changed is archived after all");

$node->stop;
done_testing();
