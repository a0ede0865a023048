# Damage in the repository is found by digest and named, and never restored silently.
use Steward::Test;

my $node = Steward::Node->create('primary');
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t AS SELECT i, md5(i::text) AS x FROM generate_series(1, 30000) i');
$node->sql(q{SELECT * FROM steward.backup(label => 'b')});
$node->sql('INSERT INTO t VALUES (0, NULL)');
my @segments;
for (1 .. 4)
{
	$node->sql('INSERT INTO t SELECT i FROM generate_series(1, 100) i');
	push @segments, $node->sql('SELECT steward.archive_now()');
}
my $repository = 'file://' . $node->repository_dir;
my $directory = $node->basedir . '/target';
my @restore = ('restore', '--repository', $repository, '--data-dir', $directory);
my @verify = ('verify', '--repository', $repository);
program_ok(\@verify, 'a sound repository verifies');

# Change a file for one block of tests, then put it back.
sub with_damage
{
	my ($path, $damage, $tests) = @_;
	my $content = slurp($path);
	my $copy = $content;
	$damage->(\$copy);
	defined $copy ? spew($path, $copy) : unlink($path);
	$tests->();
	spew($path, $content);
	return;
}
# Within the first frame: near the end of a segment that was switched early, some bits of a compressed frame mean nothing.
use constant kInFirstFrame => 128 + 64 * 20 + 200;
sub flip { my ($at) = @_; return sub { my ($c) = @_; substr($$c, $at, 1) = chr(ord(substr($$c, $at, 1)) ^ 0x10); }; }
my $remove = sub { ${ $_[0] } = undef; };
my $truncate = sub { my ($c) = @_; $$c = substr($$c, 0, length($$c) - 100); };

my ($pack) = sort { -s $b <=> -s $a } glob($node->cluster_dir . '/packs/*/*');
my ($pack_name) = $pack =~ m{(packs/.*)};
for my $case ([ 'a flipped bit in a pack', flip(5000) ], [ 'a truncated pack', $truncate ], [ 'a missing pack', $remove ])
{
	my ($what, $damage) = @$case;
	with_damage($pack, $damage, sub {
		my %run = run_program(@verify);
		ok($run{exit} != 0 && "$run{stdout}$run{stderr}" =~ /\Q$pack_name\E/, "verify names $what");
		%run = run_program(@restore);
		isnt($run{exit}, 0, "$what: the restore fails");
		like($run{stderr}, qr/\Q$pack_name\E/, "$what: naming the object");
		ok(!-e "$directory/global/pg_control", "$what: what it leaves cannot start");
		system('rm', '-rf', $directory);
	});
}
my $manifest = $node->cluster_dir . '/backups/b/manifest';
with_damage($manifest, flip(200), sub {
	program_fails(\@restore, 8, qr{backups/b/manifest}, 'a damaged manifest');
	program_ok([ 'info', '--repository', $repository ], 'info still works');
});
with_damage($node->wal_object($segments[1]), flip(kInFirstFrame), sub {
	my %run = run_program(@verify);
	ok($run{exit} != 0 && "$run{stdout}$run{stderr}" =~ /\Q$segments[1]\E/, 'verify names a damaged segment');
	my %get = run_program('wal-get', '--repository', $repository, $segments[1], $node->basedir . '/segment');
	cmp_ok($get{exit}, '>', 125, 'wal-get of a damaged segment does not look like the end of WAL');
	ok(!-e $node->basedir . '/segment', 'and leaves nothing');
});

# A segment is missing: beyond the backup, and within it.
with_damage($node->wal_object($segments[1]), $remove, sub {
	my $err = program_fails(\@restore, 19, qr/\Q$segments[1]\E/, 'a restore across a missing segment');
	like($err, qr/hint: .*--target-lsn/s, 'says up to where it could go');
	ok(!-e $directory, 'and writes nothing');
});
my $needed = $node->sql('SELECT pg_walfile_name(start_lsn) FROM steward.backups');
with_damage($node->wal_object($needed), $remove, sub {
	program_fails(\@restore, 19, qr/\Q$needed\E/, 'a backup without the WAL it needs');
	my %run = run_program(@verify);
	ok($run{exit} != 0 && "$run{stdout}$run{stderr}" =~ /\Q$needed\E/, 'verify names the segment');
});

# wal-get: only a proven "not there" exits with 1.
my $target = $node->basedir . '/RECOVERYXLOG';
my %get = run_program('wal-get', '--repository', $repository, $segments[0], $target);
is($get{exit}, 0, 'wal-get fetches a segment');
is(-s $target, 16 * 1024 * 1024, 'whole');
is({ run_program('wal-get', '--repository', $repository, '0000000100000000000000FE', $target) }->{exit}, 1, 'a segment that is not there: 1');
is({ run_program('wal-get', '--repository', $repository, '00000009.history', $target) }->{exit}, 1, 'a history that is not there: 1');
cmp_ok({ run_program('wal-get', '--repository', "$repository-missing", $segments[0], $target) }->{exit}, '>', 125, 'no repository there: above 125');
my $unmounted = $node->basedir . '/unmounted';
mkdir($unmounted) or die;
cmp_ok({ run_program('wal-get', '--repository', "file://$unmounted", $segments[0], $target) }->{exit}, '>', 125, 'an empty mount point: above 125');

# After all of it the repository is as before.
program_ok(\@verify, 'the repository verifies again');
my $restored = Steward::Node->restored('restored', $node);
$restored->start_and_promote;
is($restored->sql('SELECT count(*) FROM t'), $node->sql('SELECT count(*) FROM t'), 'and restores');
$restored->stop;
$node->stop;
done_testing();
