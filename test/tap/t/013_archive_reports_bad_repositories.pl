# A repository that cannot be used: one clear error in the log and in the view, and nothing lost once it is cured.
use Steward::Test;

my $node = Steward::Node->create('primary');
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
my $repository = $node->repository_dir;

# Make some WAL ready, and tell what the view says about it.
sub fill
{
	$node->sql('CREATE TABLE IF NOT EXISTS t (x text)');
	$node->sql('INSERT INTO t SELECT md5(i::text) FROM generate_series(1, 1000) i');
	return $node->sql('SELECT pg_walfile_name(pg_switch_wal())');
}

sub view_shows
{
	my ($pattern, $what) = @_;
	return $node->wait_for_sql("SELECT bool_or(last_error ~ '$pattern') FROM steward.wal_archive", $what);
}

sub use_repository
{
	my ($url) = @_;
	$node->sql("ALTER SYSTEM SET steward.repository = '$url'");
	return $node->sql('SELECT pg_reload_conf()');
}

# Not writable.
$node->sql('SELECT steward.archive_now()');
chmod(0500, $repository) or die;
chmod(0500, $node->cluster_dir . '/wal/00000001/00000000') or die;
my $segment = fill();
view_shows('could not .*: Permission denied', 'an unwritable repository is reported');
ok($node->sql('SELECT backlog_segments > 0 FROM steward.wal_archive') eq 't', 'the segment waits');
$node->wait_for_sql('SELECT failed_count > 0 FROM pg_stat_archiver', 'the server counts failures');
chmod(0700, $repository) or die;
chmod(0700, $node->cluster_dir . '/wal/00000001/00000000') or die;
poll_until(sub { -f $node->wal_object($segment) }, "segment $segment is stored once the repository is writable");
$node->wait_for_sql('SELECT backlog_segments = 0 FROM steward.wal_archive', 'nothing waits any more');

# Missing: a volume that is not mounted. It is not created.
use_repository("file://$repository-missing");
view_shows('does not exist|No such file', 'a missing repository is reported');
ok(!-e "$repository-missing", 'and not created');
my ($code, $out, $err) = $node->psql('postgres', q{SELECT steward.archive_now('2 s')});
isnt($code, 0, 'archive_now() fails in bounded time');
like($err, qr/was not stored within 2000 ms/, 'and says so');
like($err, qr/HINT: .*steward\.wal_archive/, 'with a hint');

# Another database cluster's.
my $other = Steward::Node->create('other', repository => "file://$repository");
$other->start;
$other->sql('CREATE EXTENSION pg_steward');
$other->wait_for_sql(q{SELECT last_error LIKE '%holds another database cluster as "main"%' FROM steward.wal_archive}, 'a foreign repository is refused');
like(slurp($other->logfile), qr/The repository's system identifier is \d+, this server's is \d+\./, 'the log names both system identifiers');
like(slurp($other->logfile), qr/HINT:  Set "steward\.cluster"/, 'and the cure');
$other->sql(q{ALTER SYSTEM SET steward.cluster = 'other'});
$other->sql('SELECT pg_reload_conf()');
$other->sql('CREATE TABLE t (x int)');
like($other->sql('SELECT steward.archive_now()'), qr/^[0-9A-F]{24}$/, 'with a name of its own the second cluster shares the repository');
$other->stop;

# Full.
SKIP:
{
	skip 'no small file system could be mounted (STEWARD_SMALL_DISK)', 4 unless $ENV{STEWARD_SMALL_DISK};
	my $full = "$ENV{STEWARD_SMALL_DISK}/repository";
	mkdir($full, 0700) or die;
	system("head -c 100M /dev/zero >'$ENV{STEWARD_SMALL_DISK}/ballast' 2>/dev/null");    # fails when the disk is full
	use_repository("file://$full");
	my $last = fill();
	view_shows('No space left on device', 'a full repository is reported');
	is(scalar(grep { -s $_ } glob("$full/.pg_steward.tmp/*")), 0, 'no half-written file is left to keep it full');
	unlink("$ENV{STEWARD_SMALL_DISK}/ballast") or die;
	poll_until(sub { scalar(glob("$full/cluster/main/*/wal/*/*/$last")) }, 'the segment is stored once there is room');
	$node->wait_for_sql('SELECT backlog_segments = 0 FROM steward.wal_archive', 'nothing waits any more');
	ok($node->sql('SELECT 1'), 'the server lived through all of it');
}
$node->stop;
done_testing();
