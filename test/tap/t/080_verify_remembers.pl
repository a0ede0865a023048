# Verifying reads once what does not change, and finds on demand what changed without looking so.
use Steward::Test;
use JSON::PP ();

# Pieces of the tail come and go.
my $node = Steward::Node->create('primary', settings => { 'steward.archive_tail_interval' => 0 });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t AS SELECT i, md5(i::text) AS x FROM generate_series(1, 20000) i');
$node->sql(q{SELECT * FROM steward.backup(label => 'b')});
$node->archive_current_segment for 1 .. 3;
$node->stop;    # from here on nothing changes the repository but the test

my $repository = 'file://' . $node->repository_dir;
my @verify = ('verify', '--repository', $repository);
sub verify
{
	my ($exit, $name, @arguments) = @_;
	my %run = run_program(@verify, '--output', 'json', @arguments);
	is($run{exit}, $exit, $name) or diag($run{stderr});
	return (%{ JSON::PP::decode_json($run{stdout})->[0] }, stderr => $run{stderr});
}
sub records { my @found = glob($node->cluster_dir . '/proofs/verification/*'); return @found; }

my %first = verify(0, 'a sound repository verifies');
is($first{objects_read}, $first{objects}, 'the first run reads everything');
is($first{bytes_read}, $first{bytes}, 'every byte of it');
is(scalar(records()), 1, 'and remembers it in the repository');
my %second = verify(0, 'it verifies again');
is($second{objects_read}, 2, 'the second run reads the manifest and the record');
cmp_ok($second{bytes_read}, '<', $first{bytes} / 10, 'which is little');
is(scalar(records()), 1, 'there is one record');
is({ verify(0, 'with --recheck-after 0', '--recheck-after', 0) }->{objects_read}, $second{objects}, 'all of it is too old');
is({ verify(0, 'with --recheck', '--recheck') }->{objects_read}, $second{objects}, 'everything is read again');
like(program_ok(\@verify, 'for people'), qr/2 objects, .*, were read now/, 'it says how much was read');

# What is new, in a server that goes on.
$node->start;
my $segment = $node->archive_current_segment;
$node->stop;
my %third = verify(0, 'what is new is read');
cmp_ok($third{objects_read}, '>=', 3, 'as well as the manifest and the record');
cmp_ok($third{objects_read}, '<=', 2 + $third{objects} - $second{objects}, 'and nothing else');

# A bit flips on the disk: neither size nor time tell.
my ($pack) = sort { -s $b <=> -s $a } glob($node->cluster_dir . '/packs/*/*');
my ($pack_name) = $pack =~ m{(packs/.*)};
my $sound = $node->basedir . '/sound';
sub run { my (@command) = @_; system(@command) == 0 or die "could not run @command"; return; }
run('cp', '-p', $pack, $sound);
my $content = slurp($pack);
substr($content, 5000, 1) = chr(ord(substr($content, 5000, 1)) ^ 0x10);
spew($pack, $content);
run('touch', '-r', $sound, $pack);
verify(0, 'a run that trusts what was verified does not see it');
for my $run ([ 'one that reads everything again names it', '--recheck' ], ['and what was found is not remembered as verified'])
{
	my ($name, @arguments) = @$run;
	my %found = verify(8, $name, @arguments);
	like($found{problems}[0]{object}, qr/\Q$pack_name\E$/, 'the pack is named');
}
# What a backup would have referred to in the damaged pack is stored anew.
my @restore = ('restore', '--repository', $repository, '--target-immediate');
program_fails([ @restore, '--backup', 'b', '--data-dir', $node->basedir . '/b' ], 8, qr/\Q$pack_name\E/, 'a restore that needs the pack');
$node->start;
$node->sql(q{SELECT * FROM steward.backup(label => 'c')});
$node->stop;
program_ok([ @restore, '--backup', 'c', '--data-dir', $node->basedir . '/c' ], 'the next backup does without it');
$node->command_ok([ 'pg_verifybackup', '-n', $node->basedir . '/c' ], 'and is whole');

run('cp', '-p', $sound, $pack);
verify(0, 'repaired, it verifies');

# Damage to the memory itself.
my ($record) = records();
$content = slurp($record);
substr($content, -1, 1) = chr(ord(substr($content, -1, 1)) ^ 1);
spew($record, $content);
my %damaged = verify(8, 'a damaged record is a problem');
is($damaged{objects_read}, $damaged{objects} - 1, 'nothing it says counts');
verify(0, 'the run replaced it');

# A repository that may not be written to.
my @closed = (glob($node->cluster_dir . '/proofs/verification'), $node->repository_dir . '/.pg_steward.tmp');
@closed = grep { -d } @closed;
chmod(0500, @closed) or die;
my %closed = verify(0, 'a repository that may not be written to verifies', '--recheck');
ok(!$closed{remembered}, 'and is known not to remember');
like($closed{stderr}, qr/could not remember/, 'which is said');
chmod(0700, @closed) or die;

# A hole in the WAL behind the backup. What was stored a moment ago could still be filled.
my @stored = $node->stored_segments;
my ($lost, @after) = @stored[ -3 .. -1 ];
unlink($node->wal_object($lost)) or die;
my $old = time() - 3600;
utime($old, $old, $node->wal_object($_)) or die for @after;
my %hole = verify(19, 'a missing segment is a problem');
is($hole{problems}[0]{object}, $lost, 'it is named');
done_testing();
