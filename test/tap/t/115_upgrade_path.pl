# pg_steward upgrade run goes from major to major, with one exchange at the end.
use Steward::Test;
use Steward::OldCluster;
use Steward::RichCluster;

my $to = pg_major();
my $bindir = own_bindir();
my %older = Steward::OldCluster::older_majors();
my @majors = sort { $a <=> $b } keys %older;

if (@majors > 1)
{
	# One run is as many upgrades as there are hops.
	local $ENV{PG_TEST_TIMEOUT_DEFAULT} = @majors * Steward::Test::timeout();
	my $cluster = Steward::RichCluster::create($majors[0], $older{ $majors[0] });
	my $before = dump_with($cluster, $older{ $majors[0] });
	my $path = join(',', @majors[ 1 .. $#majors ], $to);
	my %run = upgrade('run', $cluster, '--path', $path, '--bindir', $older{ $majors[0] });
	is($run{exit}, 0, "$majors[0] by $path");
	is_same_dump($before, dump_with($cluster, $bindir), 'the dump is the same');
	my %other = upgrade('run', $cluster, '--to', $to);
	is($other{exit}, 18, 'another run has to wait');
	like($other{stderr}, qr/in state "upgraded, not committed".*upgrade commit/s, 'for the commit');
	upgrade('rollback', $cluster, '--discard-changes');
	is_same_dump($before, dump_with($cluster, $older{ $majors[0] }), 'rolled back, the old cluster is what it was');
	is(leftovers_in($cluster->{tablespace}, $majors[0]), '', 'and nothing of the majors between is left');
}

# A path needs programs of every major on it.
my $node = Steward::Node->create('own', preload => 0);
program_fails([ 'upgrade', 'run', '--data-dir', $node->data_dir, '--path', '97,98', '--bindir', $bindir ], 5, qr{has no program ".*/97/bin/postgres"}, 'a major that is not installed');
done_testing();
