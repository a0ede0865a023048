# A restore into the directory of the same cluster writes only what differs, and one that was interrupted is gone on with.
use Steward::Test;

my ($node, $tablespace) = Steward::Node->create_with_tablespace('primary', 100000, 'CREATE INDEX ON t (i)', 'CREATE TABLE gone AS SELECT generate_series(1, 1000) i');

my @map = ('--tablespace-map', "$tablespace=" . $node->basedir . '/moved');
my $restored = Steward::Node->restored('restored', $node, arguments => \@map);
my @restore = ('restore', '--repository', 'file://' . $node->repository_dir, '--data-dir', $restored->data_dir, @map);
$restored->start_and_promote;
program_fails([ @restore, '--delta' ], 17, qr/running/, 'the directory of a running server');
$restored->sql($_)
  for 'UPDATE t SET x = upper(x) WHERE i < 50', 'DROP TABLE gone', 'INSERT INTO u SELECT generate_series(1, 1000)', 'CREATE DATABASE more';
$restored->stop;

# No process has a number as large.
spew($restored->data_dir . '/postmaster.pid', "4194305\n");
program_fails([ @restore, '--delta' ], 17, qr/postmaster\.pid/, 'a server that may run elsewhere');
unlink($restored->data_dir . '/postmaster.pid');
program_fails(\@restore, 18, qr/not empty.*--delta/s, 'a directory in use without --delta');
my $control = slurp($restored->data_dir . '/global/pg_control');
like(program_ok([ @restore, '--delta', '--dry-run' ], 'dry run'), qr/compared; only what differs.*removed first:\s+\d+ files and \d+ directories/s,
	'the plan says what is compared and removed');
is(slurp($restored->data_dir . '/global/pg_control'), $control, 'and changes nothing');

# Restore over what is there. Returns how many bytes were there, and how many of them were wrong.
sub delta_ok
{
	my ($name, @options) = @_;
	my %run = run_program(@restore, @options);
	is($run{exit}, 0, $name) or diag($run{stderr});
	my ($compared, $to_write) = $run{stderr} =~ /bytes_compared=(\d+) bytes_to_write=(\d+)/;
	$restored->command_ok([ 'pg_verifybackup', $restored->data_dir ], "$name: pg_verifybackup accepts the directory");
	return ($compared, $to_write);
}
my ($compared, $to_write) = delta_ok('delta restore', '--delta');
cmp_ok($compared, '>', 20_000_000, 'most was there');
cmp_ok($to_write, '<', $compared / 4, 'and a fraction of it was written');
ok(!glob($restored->data_dir . '/pg_wal/00000002*'), "the other timeline's WAL is gone");
$restored->set(port => $restored->port, archive_mode => 'off');
$restored->start_and_promote;
is($restored->sql('SELECT count(*), count(x), count(*) FILTER (WHERE x <> lower(x)) FROM t'), '100001|100000|0', 'the table is as it was');
is($restored->sql('SELECT count(*) FROM gone'), '1000', 'what was dropped is back');
is($restored->sql('SELECT count(*) FROM u'), '0', 'unlogged tables are empty');
is($restored->sql(q{SELECT count(*) FROM pg_database WHERE datname = 'more'}), '0', 'what was made is gone');
$restored->amcheck_ok;
$restored->stop;

# As an interrupted restore leaves it. It is gone on with, whether --delta is asked for or not.
rename($restored->data_dir . '/global/pg_control', $restored->data_dir . '/global/pg_control.pg_steward') or die;
spew($restored->data_dir . '/pg_steward.restore', qq({"backup":"x","tablespaces":["@{[ $node->basedir ]}/moved"]}\n));
($compared, $to_write) = delta_ok('a restore goes on');
cmp_ok($to_write, '<', $compared / 4, 'with what is there already');

# Another cluster's directory stays as it is.
my $other = Steward::Node->create('other', preload => 0);
$control = slurp($other->data_dir . '/global/pg_control');
program_fails([ 'restore', '--repository', 'file://' . $node->repository_dir, '--data-dir', $other->data_dir, @map, '--delta' ],
	18, qr/another cluster/, "another cluster's directory");
is(slurp($other->data_dir . '/global/pg_control'), $control, 'is left alone');
$node->stop;
done_testing();
