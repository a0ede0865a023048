# Random histories of writes, vacuum, truncate, drop and re-create, tablespace moves, databases made by both strategies, crashes and
# promotions, with a backup after each: random backups are restored, and their files are those of a copy made at their time.
use Steward::Test;
use Digest::MD5 ();
use File::Find ();

my $seed = $ENV{STEWARD_TEST_SEED} // 20261121;
srand($seed);
diag("seed $seed");
my $rounds = 10;
my $summaries = pg_major() >= 17;

my $node = Steward::Node->create('n0',
	initdb => ['--data-checksums'],
	settings => { autovacuum => 'off', fsync => 'off', max_wal_size => '1GB', $summaries ? (summarize_wal => 'on') : () });
my $repository = 'file://' . $node->repository_dir;
my $space_root = PostgreSQL::Test::Utils::tempdir();
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
mkdir("$space_root/space");
$node->sql("CREATE TABLESPACE space LOCATION '$space_root/space'");
for my $table (1 .. 5)
{
	make_table($table);
}

sub make_table
{
	my ($n) = @_;
	my $rows = 200 + int(rand(3000));
	$node->sql("CREATE TABLE t$n AS SELECT i, md5(i::text) || repeat('x', (random() * 300)::int) AS t FROM generate_series(1, $rows) i");
	$node->sql("CREATE INDEX ON t$n (i)");
	return;
}

my %change = (
	update => sub { $node->sql("UPDATE t$_[0] SET t = md5(t) WHERE i % " . (2 + int(rand(50))) . ' = 0') },
	insert => sub { $node->sql("INSERT INTO t$_[0] SELECT i, md5(i::text) FROM generate_series(1, " . int(rand(3000)) . ') i') },
	delete => sub { $node->sql("DELETE FROM t$_[0] WHERE i > " . int(rand(3000))) },
	vacuum => sub { $node->sql("VACUUM t$_[0]") },
	rewrite => sub { $node->sql("VACUUM FULL t$_[0]") },
	truncate => sub { $node->sql("TRUNCATE t$_[0]"); $node->sql("INSERT INTO t$_[0] SELECT i, 'new' FROM generate_series(1, 100) i") },
	recreate => sub { $node->sql("DROP TABLE t$_[0]"); make_table($_[0]) },
	move => sub { $node->sql("ALTER TABLE t$_[0] SET TABLESPACE " . (rand() < 0.5 ? 'space' : 'pg_default')) },
	reindex => sub { $node->sql("REINDEX TABLE t$_[0]") },
	database => sub {
		$node->sql('DROP DATABASE IF EXISTS other');
		$node->sql('CREATE DATABASE other TEMPLATE template0 STRATEGY ' . (rand() < 0.5 ? 'wal_log' : 'file_copy') . ' OID = 99999');
		$node->sql("CREATE TABLE o AS SELECT i FROM generate_series(1, 1000) i", database => 'other');
	},
	unlogged => sub { $node->sql('DROP TABLE IF EXISTS u'); $node->sql('CREATE UNLOGGED TABLE u AS SELECT i FROM generate_series(1, 500) i') },
	crash => sub {
		$node->stop('immediate');
		$node->start;
	},
);

# Digests of all relation files, by path. Nothing may be running that writes them.
sub relation_files
{
	my ($data) = @_;
	my %files;
	my $take = sub {
		my $path = $File::Find::name =~ s{^\Q$data\E/}{}r;
		return unless -f $_ and $path =~ m{^(?:base|global|pg_tblspc)/(?:.*/)?\d+(?:_[a-z]+)?(?:\.\d+)?$};
		open(my $file, '<:raw', $_) or return;
		$files{$path} = Digest::MD5->new->addfile($file)->hexdigest;
	};
	File::Find::find({ wanted => $take, follow => 1, no_chdir => 1 }, grep { -d } map { "$data/$_" } qw(base global pg_tblspc));
	return \%files;
}

# What a backup of a server that nobody uses must hold: files that are the same before and after it.
my %reference;

sub back_up
{
	my ($label) = @_;
	# What a first reader would write is written before.
	$node->sql("SELECT count(*) FROM t$_") for 1 .. 5;
	$node->sql('CHECKPOINT');
	my $before = relation_files($node->data_dir);
	is($node->sql("SELECT backup_label FROM steward.backup('$label')"), $label, "$label: backed up");
	my $after = relation_files($node->data_dir);
	my %same = map { $_ => $before->{$_} } grep { ($after->{$_} // '') eq $before->{$_} } keys %$before;
	cmp_ok(scalar(keys %same), '>', 0.9 * keys %$before, "$label: the server was quiet");
	$reference{$label} = \%same;
	program_ok([ 'keep', $label, '--repository', $repository ], "$label is pinned");
	return;
}

my $copies = 0;

sub check_backup
{
	my ($label) = @_;
	my $target = PostgreSQL::Test::Utils::tempdir_short() . '/r' . $copies++;
	program_ok([ 'restore', '--repository', $repository, '--backup', $label, '--target-immediate', '--data-dir', $target, '--tablespace-map-all', "$target.spaces" ],
		"$label: restored");
	$node->command_ok([ 'pg_verifybackup', $target ], "$label: pg_verifybackup accepts it");
	my $files = relation_files($target);
	# Unlogged relations are made anew by recovery: what a backup leaves out is not restored.
	my @missing = grep { !exists $files->{$_} } keys %{ $reference{$label} };
	my @different = grep { exists $files->{$_} and $files->{$_} ne $reference{$label}{$_} } keys %{ $reference{$label} };
	is_deeply(\@different, [], "$label: every file is as it was");
	cmp_ok(scalar(@missing), '<=', 1, "$label: and none is missing") or diag("@missing");
	PostgreSQL::Test::Utils::system_log('rm', '-rf', $target, "$target.spaces");
	return;
}

# Remove one backup and everything that only it refers to. All others are pinned.
sub remove_backup
{
	my ($label) = @_;
	delete $reference{$label};
	my ($cluster) = glob(($repository =~ s{^file://}{}r) . '/cluster/main/*');
	# Young packs stay in case that somebody is writing the backup they are for.
	utime(time - 3 * 86400, time - 3 * 86400, glob("$cluster/packs/*/*"));
	program_ok([ 'keep', $label, '--release', '--repository', $repository ], "$label is released");
	program_ok([ 'expire', '--retention', '1', '--repository', $repository ], "$label: expire");
	ok(!-e "$cluster/backups/$label/manifest", "$label is gone");
	my $report = run_program_json([ 'verify', '--repository', $repository, '--output', 'json' ]);
	is_deeply($report, [], "$label is removed: verify finds nothing wrong");
	return;
}

sub run_program_json
{
	my ($arguments) = @_;
	require JSON::PP;
	my %run = run_program(@$arguments);
	return [ map { @{ $_->{problems} } } @{ JSON::PP::decode_json($run{stdout}) } ];
}

my $generation = 0;

# Recover to the end of WAL in a new place, as after a disaster, and go on there on a new timeline.
sub move_to_new_timeline
{
	$node->sql('SELECT steward.archive_now()');
	$node->stop('fast');
	$generation++;
	my $old = $node;
	$node = Steward::Node->restored("n$generation", $old,
		archiving => 1, repository => $repository, arguments => [ '--tablespace-map-all', "$space_root/g$generation", '--target-action', 'promote' ]);
	$node->start_and_promote;
	return;
}

for my $round (1 .. $rounds)
{
	for (1 .. 3 + int(rand(5)))
	{
		my @names = sort keys %change;
		my $name = $names[ rand @names ];
		note("round $round: $name");
		$change{$name}->(1 + int(rand(5)));
	}
	back_up("b$round");
	my @kept = sort keys %reference;
	check_backup($kept[ rand @kept ]);
	# The newest one always stays.
	my @older = grep { $_ ne "b$round" } @kept;
	remove_backup($older[ rand @older ]) if @older > 2;
	if ($round % 4 == 0)
	{
		move_to_new_timeline();
	}
}
check_backup($_) for sort keys %reference;

done_testing();
