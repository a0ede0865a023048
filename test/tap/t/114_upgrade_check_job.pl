# steward.upgrade_check(): the same as the program's verb, from within the server, without a repository.
use Steward::Test;

my $own = pg_major();
my ($bindir) = qx("@{[ $ENV{PG_CONFIG} // 'pg_config' ]}" --bindir);
chomp $bindir;
my ($newer) = sort { $b <=> $a } grep { $_ > $own } map { m{/(\d+)/bin$} && -x "$_/pg_upgrade" ? $1 : () } glob("$bindir/../../*/bin");

my $node = Steward::Node->create('primary', archiving => 0, settings => { 'steward.repository' => '' });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');

sub fails
{
	my ($statement, $pattern, $name) = @_;
	my ($code, undef, $err) = $node->psql('postgres', $statement);
	isnt($code, 0, "$name: fails");
	return like($err, $pattern, "$name: with its error");
}

fails("SELECT * FROM steward.upgrade_check($own)", qr/\Q$own is no upgrade for a cluster of $own\E/, 'its own major');
fails('SELECT * FROM steward.upgrade_check(98)', qr{has no program ".*/98/bin/postgres".*Install PostgreSQL 98}s, 'a major that is not installed');
fails("SELECT * FROM steward.upgrade_check(98, 'bin')", qr/"bin" is not an absolute path/, 'a directory that depends on where one is');
fails("SELECT * FROM steward.upgrade_check(98, '$bindir')", qr/the programs in "\Q$bindir\E" are of PostgreSQL $own/, 'programs of another major');
fails('SELECT * FROM steward.upgrade_check(NULL)', qr/needs a major of PostgreSQL/, 'no major');
is($node->sql(q{SELECT count(*) FROM steward.jobs WHERE job = 'upgrade_check' AND result = 'failed'}), '5', 'each is a job that failed');
$node->sql('CREATE ROLE visitor LOGIN');
fails('SET ROLE visitor; SELECT * FROM steward.upgrade_check(98)', qr/permission denied/, 'somebody who was not granted it');

if (defined $newer)
{
	# Whether the newer major has this module is another matter.
	my $others = q{weight = 'obstacle' AND "check" <> 'missing_libraries'};
	is($node->sql(qq{SELECT count(*) FROM steward.upgrade_check($newer) WHERE $others}), '0', "nothing is in the way of $newer");
	$node->sql('CREATE TABLE "odd table" (a regproc)');
	is($node->sql(qq{SELECT "check", objects, cures FROM steward.upgrade_check($newer) WHERE $others}),
		q(reg_columns|{"database \"postgres\": public.\"odd table\", column a, type regproc"}|{"ALTER TABLE public.\"odd table\" ALTER COLUMN a TYPE text; -- in database \"postgres\""}),
		'an obstacle, with its cure');
	like($node->sql(q{SELECT result, summary FROM steward.jobs WHERE job = 'upgrade_check' ORDER BY number DESC LIMIT 1}),
		qr/^succeeded\|PostgreSQL $own to $newer: \d+ obstacles? in the way$/, 'its job');
}
$node->stop;
done_testing();
