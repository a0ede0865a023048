# Where a restore may write: tablespaces moved, existing directories refused or preserved, never mixed.
use Steward::Test;

my ($node, $tablespace) = Steward::Node->create_with_tablespace('primary', 20000, 'CREATE INDEX ON t (x) TABLESPACE fast');
my $repository = 'file://' . $node->repository_dir;
my @restore = ('restore', '--repository', $repository);

# The tablespace's directory is in use by the original: refused unless it is moved.
my $never = $node->basedir . '/never';
program_fails([ @restore, '--data-dir', $never ], 4, qr/\Q$tablespace\E/, 'a tablespace directory that is not empty');
ok(!-e $never, 'nothing is written');
my $moved = $node->basedir . '/moved';
my $restored = Steward::Node->restored('moved', $node, arguments => [ '--tablespace-map', "$tablespace=$moved" ]);
$restored->start_and_promote;
is($restored->sql(q{SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'fast'}), $moved, 'the tablespace has moved');
is($restored->sql('SELECT count(*), count(x) FROM t'), '20001|20000', 'with its content');
is($restored->sql('SELECT count(*) FROM u'), '0', 'unlogged tables come back empty');
$restored->amcheck_ok;

# A directory in use by a running server, whatever the options.
my $data = $restored->data_dir;
for my $option ([], ['--preserve-existing'])
{
	program_fails([ @restore, '--data-dir', $data, '--tablespace-map', "$tablespace=$moved-2", @$option ], 17, qr/running|in use/, "a running server's directory @$option");
}
is($restored->sql('SELECT 1'), '1', 'the server goes on');
$restored->stop;

# An existing directory: refused, or preserved aside.
my $kept = slurp("$data/PG_VERSION");
program_fails([ @restore, '--data-dir', $data, '--tablespace-map', "$tablespace=$moved-2" ], 18, qr/not empty/, 'an existing directory');
is(slurp("$data/PG_VERSION"), $kept, 'is left alone');
spew("$data/mine", 'precious');
program_ok([ @restore, '--data-dir', $data, '--tablespace-map', "$tablespace=$moved-2", '--preserve-existing' ], 'restore with --preserve-existing');
my ($aside) = glob("$data.before-restore-*");
ok($aside && -e "$aside/mine", 'the old directory is kept beside');
ok(!-e "$data/mine", 'and nothing of it is in the new one');
$restored->set(port => $restored->port, archive_mode => 'off');
$restored->start_and_promote;
is($restored->sql('SELECT count(*) FROM t'), '20001', 'what was restored works');
$restored->stop;

# An empty one is fine.
my $empty = $node->basedir . '/empty';
mkdir($empty, 0700) or die;
program_ok([ @restore, '--data-dir', $empty, '--tablespace-map', "$tablespace=$moved-3" ], 'restore into an empty directory');
ok(-s "$empty/global/pg_control", 'is complete');

# An interrupted restore has no control file, does not start, and can be started over.
unlink("$empty/global/pg_control") or die;
spew("$empty/pg_steward.restore", qq({"backup":"x","tablespaces":["$moved-3"]}\n));
program_ok([ @restore, '--data-dir', $empty, '--tablespace-map', "$tablespace=$moved-3" ], 'an interrupted restore is started over');
$node->command_ok([ 'pg_verifybackup', $empty ], 'and comes out whole');
ok(!-e "$empty/pg_steward.restore", 'without the mark of an unfinished one');
$node->stop;
done_testing();
