# A restore of chosen databases brings these back whole, and of the others what recovery and DROP DATABASE need.
use Steward::Test;
use JSON::PP ();

# Without checksums VACUUM's WAL has no page images: recovery meets pages of zeros in what is left out. Since 18 they have to be refused.
my $node = Steward::Node->create('primary', initdb => [ pg_major() >= 18 ? '--no-data-checksums' : () ], settings => { autovacuum => 'off' });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
my $tablespace = $node->basedir . '/tablespace';
mkdir($tablespace) or die;
$node->sql("CREATE TABLESPACE fast LOCATION '$tablespace'");
my $odd = "wei\"rd's \xc3\xbc";
my $quoted = '"' . $odd =~ s/"/""/gr . '"';
$node->sql($_) for 'CREATE DATABASE shop', "CREATE DATABASE $quoted TABLESPACE fast", 'CREATE DATABASE old_name', 'CREATE DATABASE dropped';
my @made = ('shop', $odd, 'old_name');
for my $database (@made)
{
	$node->sql($_, database => $database)
	  for 'CREATE TABLE t AS SELECT i, md5(i::text) AS x FROM generate_series(1, 50000) i', 'CREATE INDEX ON t (i)', 'CREATE INDEX ON t USING hash (x)',
	  'CREATE INDEX ON t USING brin (i)', 'CREATE INDEX ON t USING spgist (x)', 'CREATE INDEX ON t USING gin ((ARRAY[i]))',
	  'CREATE TABLE in_tablespace TABLESPACE fast AS SELECT i FROM generate_series(1, 50000) i';
}
$node->sql('ALTER DATABASE old_name RENAME TO new_name');
$node->sql('DROP DATABASE dropped');
$made[2] = 'new_name';
my %oid = map { $_ => $node->sql('SELECT oid FROM pg_database WHERE datname = $name$' . $_ . '$name$') } @made;
# This look at the table leaves in it what the backup has to know of the rename.
is($node->sql('SELECT count(*) FROM pg_database'), '6', 'six databases');
$node->sql(q{SELECT * FROM steward.backup(label => 'b')});
for my $database (@made)
{
	$node->sql($_, database => $database)
	  for 'CHECKPOINT', 'DELETE FROM t WHERE i % 7 = 0', 'DELETE FROM in_tablespace WHERE i > 20000', 'VACUUM', 'CHECKPOINT', 'VACUUM (FREEZE)', 'INSERT INTO t SELECT i, NULL FROM generate_series(1, 1000) i',
	  'CREATE TABLE after_backup AS SELECT 1 AS i', 'VACUUM', 'VACUUM FULL pg_class';
}
$node->sql($_) for 'CREATE DATABASE later TEMPLATE shop', "CREATE DATABASE hollow TEMPLATE new_name STRATEGY file_copy";
$node->sql('CREATE TABLE of_later AS SELECT 7 AS i', database => 'later');
$node->sql('SELECT steward.archive_now()');

sub dump_of
{
	my ($server, $database) = @_;
	my ($text, $errors) = ('', '');
	IPC::Run::run([ 'pg_dump', '-h', $server->host, '-p', $server->port, '-d', $server->connstr($database) ], '>', \$text, '2>', \$errors) or die "pg_dump: $errors";
	$text =~ s/^\\(un)?restrict .*\n//mg;
	return $text;
}
my %dump = map { $_ => dump_of($node, $_) } @made, 'later';

# Bytes of one database's files: what they seem to have, what they use.
sub sizes_of
{
	my ($server, $database) = @_;
	my ($size, $used) = (0, 0);
	for my $path (map { glob($server->data_dir . "/$_/$oid{$database}/*") } 'base', 'pg_tblspc/*/PG_*')
	{
		my @st = stat($path) or die "stat $path: $!";
		$size += $st[7];
		$used += $st[12] * 512;
	}
	return ($size, $used);
}

sub cannot_be_connected_to
{
	my ($server, $database) = @_;
	my ($exit, $stdout, $stderr) = $server->psql($database, 'SELECT 1');
	isnt($exit, 0, $server->name . ": nobody can connect to $database");
	like($stderr, qr/FATAL:/, 'and the server says why');
	return;
}

sub map_to { return ('--tablespace-map', "$tablespace=" . $node->basedir . "/$_[0]"); }

sub statements_in { return grep { /^(?:DROP|ALTER) / } split /\n/, $_[0]; }

# What is chosen.
my @restore = ('restore', '--repository', 'file://' . $node->repository_dir, '--data-dir', $node->basedir . '/never', map_to('never_fast'));
my $plan = JSON::PP->new->utf8->decode(program_ok([ @restore, qw(--database shop --dry-run --output json) ], 'dry run'))->{databases};
utf8::decode(my $odd_text = $odd);
is_deeply([ map { $_->{names} } @{ $plan->{left_out} } ], [ [$odd_text], ['new_name'] ], 'the plan names what is left out');
is_deeply([ sort map { @{ $_->{names} } } @{ $plan->{restored} } ], [qw(postgres shop template0 template1)], 'and what is restored');
is($plan->{left_out}[0]{oid}, $oid{$odd}, 'with its OID');
cmp_ok($plan->{left_out}[0]{bytes}, '>', 10_000_000, 'and its size');
like(program_ok([ @restore, '--exclude-database', $odd, '--dry-run' ], 'dry run as text'), qr/^databases: .*left out:\s+\Q$quoted\E, OID $oid{$odd}, \d+ files, \d+/ms,
	'names are quoted');
program_fails([ @restore, '--database', 'old_name' ], 5, qr/no database "old_name".*It has "new_name", "postgres", "shop"/s, 'a former name');
program_fails([ @restore, '--exclude-database', 'shop', '--exclude-database', 'nobody' ], 5, qr/no database "nobody"/, 'an unknown name');
program_fails([ @restore, '--exclude-database', 'template1' ], 2, qr/"template1" cannot be left out.*always restored/s, 'a database of initdb');
program_fails([ @restore, '--exclude-database', 'shop', '--database', 'shop' ], 2, qr/excludes/, 'both at once');
program_fails([ @restore, '--database', 'shop', '--standby' ], 2, qr/standby cannot leave out/, 'a standby');
ok(!-e $node->basedir . '/never', 'nothing was written');

# One database.
my $one = Steward::Node->restored('one', $node, arguments => [ map_to('one_fast'), '--database', 'shop' ]);
for my $database ($odd, 'new_name')
{
	my ($size, $used) = sizes_of($one, $database);
	my ($original) = sizes_of($node, $database);
	cmp_ok($size, '>', 10_000_000, "$database: the files are as long as they were");
	cmp_ok($used, '<', 100_000, 'and use almost no disk');
}
my ($size, $used) = sizes_of($one, 'shop');
cmp_ok($used, '>', 10_000_000, 'shop: the files have content');
$one->start_and_promote;
is(dump_of($one, 'shop'), $dump{shop}, 'the chosen database is as it was');
is(dump_of($one, 'later'), $dump{later}, 'and so is one made after the backup');
like(slurp($one->logfile), qr/WARNING:  WAL contains references to invalid pages/, 'recovery met pages without content');
unlike(slurp($one->logfile), qr/page \d+ of relation (?:base|pg_tblspc\/\d+\/PG_\w+)\/(?!$oid{$odd}|$oid{new_name})/, 'of what was left out alone');
cannot_be_connected_to($one, $_) for $odd, 'new_name', 'hollow';
$one->command_ok([ 'pg_amcheck', '-h', $one->host, '-p', $one->port, '--install-missing', 'shop' ], 'pg_amcheck finds nothing');
$one->stop;

# All but one, over a directory that has all of them.
my $full = Steward::Node->restored('full', $node, arguments => [ map_to('full_fast') ]);
$full->start_and_promote;
is(dump_of($full, $_), $dump{$_}, "$_: is there without a choice") for @made;
$full->stop;
my @delta = ('restore', '--repository', 'file://' . $node->repository_dir, '--data-dir', $full->data_dir, map_to('full_fast'), '--delta');
my $last_words = program_ok([ @delta, '--exclude-database', $odd, '--exclude-database', 'shop' ], 'delta restore');
$full->command_ok([ 'pg_verifybackup', $full->data_dir ], 'pg_verifybackup accepts the directory');
cmp_ok((sizes_of($full, $_))[1], '<', 100_000, "$_: what was there is gone") for $odd, 'shop';
my @statements = statements_in($last_words);
is_deeply(\@statements, [ 'DROP DATABASE "shop";', "DROP DATABASE $quoted;", 'ALTER SYSTEM RESET ignore_invalid_pages;' ], 'what remains to be done is said');
$full->set(port => $full->port, archive_mode => 'off', autovacuum => 'on', autovacuum_naptime => '1s');
$full->start_and_promote;
is(dump_of($full, $_), $dump{$_}, "$_: is as it was") for 'new_name', 'later';
cannot_be_connected_to($full, $_) for $odd, 'shop';
$full->sql($_) for @statements;
is($full->sql(q{SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database}), 'hollow later new_name postgres template0 template1', 'the rest can be dropped');
$full->restart;
is($full->sql('SHOW ignore_invalid_pages'), 'off', 'and invalid pages are refused again');
is($full->sql('SELECT count(*) FROM t WHERE x IS NULL', database => 'hollow'), '1000', 'a copy of what was restored has everything');
$full->amcheck_ok;
$full->stop;

# Up to a target.
my $early = Steward::Node->restored('early', $node, arguments => [ map_to('early_fast'), '--database', $odd, '--target-immediate', '--target-action', 'promote' ]);
$early->start_and_promote;
is($early->sql('SELECT count(*) FROM t', database => $odd), '50000', 'the backup itself, one database of it');
cannot_be_connected_to($early, 'shop');
$early->stop;

# A whole restore of the same backup knows nothing of the choice.
unlike(slurp(Steward::Node->restored('whole', $node, arguments => [ map_to('whole_fast') ])->data_dir . '/postgresql.auto.conf'), qr/ignore_invalid_pages/,
	'a whole restore refuses invalid pages');
$node->stop;
done_testing();
