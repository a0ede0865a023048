# A later backup stores what changed, reads only that where the server summarises its WAL, and restores by itself.
use Steward::Test;

my $summaries = pg_major() >= 17;
my $node = Steward::Node->create('primary', initdb => ['--data-checksums'], settings => { autovacuum => 'off', $summaries ? (summarize_wal => 'on') : () });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
# Noise, so that what is stored is as large as what was read.
$node->sql('CREATE TABLE wide AS SELECT i, (SELECT string_agg(md5(i::text || j), \'\') FROM generate_series(1, 100) j) AS t FROM generate_series(1, 6000) i');
$node->sql('ALTER TABLE wide SET (autovacuum_enabled = off)');
$node->sql('VACUUM (FREEZE) wide');

# The summary, the manifest's first line, of a backup.
sub summary_of
{
	my ($label) = @_;
	my $json = program_ok([ 'info', '--repository', 'file://' . $node->repository_dir, '--output', 'json' ], "info for $label");
	my ($backup) = grep { $_->{label} eq $label } map { @{ $_->{backups} } } map { @{ $_->{clusters} } } @{ JSON::PP::decode_json($json) };
	return $backup;
}

require JSON::PP;
my $stored = sub { $node->sql("SELECT repository_bytes FROM steward.backup('$_[0]'" . ($_[1] // '') . ')') };
my $first = $stored->('first');
cmp_ok($first, '>', 10_000_000, 'the first backup stores everything');
is(summary_of('first')->{base}, undef, 'and goes on from nothing');

my $second = $stored->('second');
cmp_ok($second, '<', 1_000_000, 'the second one stores next to nothing');
is(summary_of('second')->{base}, 'first', 'and goes on from the first');

$node->sql('UPDATE wide SET t = reverse(t) WHERE i % 100 = 0');
my $third = $stored->('third');
cmp_ok($third, '>', 60 * 3300, 'the third one stores the rows that changed');
cmp_ok($third, '<', $first / 10, 'and not much more');

my $data = $node->sql("SELECT data_bytes FROM steward.backups WHERE label = 'third'");
my $read = summary_of('third')->{read_bytes};
if ($summaries)
{
	cmp_ok($read, '<', $data / 5, 'where WAL is summarised, what did not change is not even read');
	my $full_read = $stored->('read', ', full_read => true');
	cmp_ok(summary_of('read')->{read_bytes}, '>', $data * 0.9, 'all is read when asked for');
	cmp_ok($full_read, '<', 1_000_000, 'and found to be the same');
	$node->sql("ALTER SYSTEM SET steward.full_read_interval = 0");
	$node->reload;
	$node->wait_for_sql("SELECT current_setting('steward.full_read_interval') = '0'");
	$stored->('interval');
	cmp_ok(summary_of('interval')->{read_bytes}, '>', $data * 0.9, 'and when the interval has passed');
	isnt(summary_of('interval')->{last_full_read}, summary_of('third')->{last_full_read}, 'which is remembered');
}
else
{
	cmp_ok($read, '>', $data * 0.9, 'every page is read');
}

my $alone = $stored->('alone', ', reuse => false');
cmp_ok($alone, '>', $first * 0.9, 'reuse => false stores everything anew');
is(summary_of('alone')->{base}, undef, 'and goes on from nothing');

# Each restores by itself.
for my $label (qw(first second third alone))
{
	my $copy = Steward::Node->restored("copy_$label", $node, arguments => [ '--backup', $label, '--target-immediate', '--target-action', 'promote' ]);
	$copy->start_and_promote;
	is($copy->sql('SELECT count(*) FROM wide WHERE md5(t) <> \'\''), 6000, "$label: every row is there");
	$copy->amcheck_ok;
	$copy->stop;
}

# What the first stored goes; what the others need of it does not: here by hand, as if a disk had lost it.
my ($pack) = sort { -s $b <=> -s $a } glob($node->cluster_dir . '/packs/*/*');
rename($pack, "$pack.away") or die "could not rename: $!";
my %verified = run_program('verify', '--repository', 'file://' . $node->repository_dir);
is($verified{exit}, 8, 'a missing pack is found');
like($verified{stdout}, qr/which backup "\w+" needs, is missing/, 'and those who need it');
my $healed = $stored->('healed');
cmp_ok($healed, '>', (-s "$pack.away") / 2, 'a backup does not refer to a pack that is gone, but stores its content anew');
my $copy = Steward::Node->restored('copy_healed', $node, arguments => [ '--backup', 'healed', '--target-immediate', '--target-action', 'promote' ]);
$copy->start_and_promote;
is($copy->sql('SELECT count(*) FROM wide WHERE md5(t) <> \'\''), 6000, 'healed: every row is there');

done_testing();
