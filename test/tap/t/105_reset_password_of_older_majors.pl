# pg_steward reset-password with clusters of the majors that are older than the one under test.
use Steward::Test;
use Steward::HostileRoles;
use Steward::OldCluster;

sub test_major
{
	my ($major, $bindir) = @_;
	my $cluster = Steward::OldCluster->create($major, $bindir);
	my %hostile = hostile_roles($major);
	$cluster->start;
	$cluster->sql('template1', q{CREATE DATABASE latin TEMPLATE template0 ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C'});
	$cluster->sql('latin', statement_making($_, 'old')) for sort keys %hostile;
	$cluster->stop;
	spew("$cluster->{data}/pg_hba.conf", "local all all scram-sha-256\n");
	for my $role (sort keys %hostile)
	{
		my %run = reset_password_to("$hostile{$role}\n", '--data-dir', $cluster->{data}, '--bindir', $bindir, '--role', $role);
		is($run{exit}, 0, "$major: password of role " . unpack('H*', $role)) or diag($run{stderr});
	}
	my %none = reset_password_to("x\n", '--data-dir', $cluster->{data}, '--bindir', $bindir, '--role', 'nobody');
	is($none{exit}, 5, "$major: there is no such role");
	$cluster->start;
	my @connection = ('-h', $cluster->{dir}, '-p', 5999, '-d', 'latin');
	for my $role (sort keys %hostile)
	{
		is(login_as($role, $hostile{$role}, @connection), 'in', "$major: the new password of " . unpack('H*', $role));
		is(login_as($role, 'old', @connection), 'refused', 'and not the old one');
	}
	$cluster->stop;
	return;
}

my %older = Steward::OldCluster::older_majors();
test_major($_, $older{$_}) for sort { $a <=> $b } keys %older;
pass('every older major that is installed was tested: ' . join(', ', sort { $a <=> $b } keys %older));
done_testing();
