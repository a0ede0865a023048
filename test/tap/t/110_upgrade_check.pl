# pg_steward upgrade check finds what is in the way of a major upgrade, and each cure that it names works.
use Steward::Test;
use JSON::PP ();
use Steward::OldCluster;

my $to = pg_major();
my %older = Steward::OldCluster::older_majors();

sub names_of { return Steward::OldCluster::names_of(@_); }
sub finding { return Steward::OldCluster::finding(@_); }

my $odd = 'we"ird';

# What every major may have, and what some have.
sub spoil
{
	my ($cluster, $tablespace) = @_;
	my $from = $cluster->{major};
	my @expected = qw(closed_databases column_options invalid_databases open_template0 prepared_transactions reg_columns system_row_columns tablespace_leftovers);
	$cluster->sql('template1', 'CREATE DATABASE "we""ird"', 'CREATE DATABASE closed ALLOW_CONNECTIONS false', 'ALTER DATABASE template0 ALLOW_CONNECTIONS true',
		"CREATE TABLESPACE fast LOCATION '$tablespace'", q{SELECT pg_create_physical_replication_slot('standby')}, 'CREATE DATABASE half_dropped', q{UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half_dropped'},
		"CREATE SUBSCRIPTION feed CONNECTION 'dbname=none' PUBLICATION all_of_it WITH (connect = false)");
	$cluster->sql($odd, q{BEGIN; CREATE TABLE of_transaction (a int); PREPARE TRANSACTION 'it''s mine'});
	$cluster->sql($odd, 'CREATE DOMAIN procs AS regprocedure', 'CREATE TYPE pair AS (a int, b procs)', 'CREATE TABLE "odd table" (a regproc, "b c" pair[], plain regclass)',
		'CREATE TABLE fine (a regrole, b regtype)', 'CREATE TABLE catalog_rows (a pg_class, b int)', 'CREATE MATERIALIZED VIEW seen AS SELECT 1::regoper AS a',
		'CREATE TYPE span AS RANGE (subtype = regoperator)', 'CREATE TABLE ranges (a span)');
	# As some minors store it with every column: pg_upgrade --check is content, and then pg_upgrade fails.
	$cluster->sql($odd, q{UPDATE pg_attribute SET attoptions = '{pg_attver=1,n_distinct=7}' WHERE attrelid = 'fine'::regclass AND attname = 'b'});
	mkdir("$tablespace/PG_${to}_209900000") or die "could not create directory: $!";
	if ($from <= 15 && $to >= 16)
	{
		$cluster->sql($odd, 'CREATE TABLE rights (a aclitem, b aclitem[])');
		push @expected, 'aclitem_columns';
	}
	if ($from < 18 && $to >= 18)
	{
		$cluster->sql($odd, 'CREATE TABLE parent (a int)', 'CREATE TABLE child () INHERITS (parent)', 'ALTER TABLE ONLY parent ALTER a SET NOT NULL');
		push @expected, 'not_null_in_children';
	}
	if ($from <= 15 && $to >= 16)
	{
		$cluster->sql('template1', 'ALTER DATABASE "we""ird" SET force_parallel_mode = off', 'ALTER ROLE boss IN DATABASE "we""ird" SET force_parallel_mode = off');
		push @expected, 'unrestorable_settings';
	}
	if ($from <= 18 && $to >= 19)
	{
		$cluster->sql('template1', qq{CREATE ROLE "two\nlines"}, q{CREATE DATABASE mule TEMPLATE template0 ENCODING 'MULE_INTERNAL' LC_COLLATE 'C' LC_CTYPE 'C'});
		$cluster->sql($odd, 'CREATE EXTENSION btree_gist', 'CREATE TABLE nets (a inet, EXCLUDE USING gist (a WITH =))', 'CREATE INDEX nets_a ON nets USING gist (a)');
		push @expected, qw(gist_inet_indexes removed_encodings unprintable_names);
	}
	if ($from <= 13)
	{
		$cluster->sql($odd, 'CREATE OPERATOR !!# (LEFTARG = bigint, FUNCTION = numeric_fac)', q(CREATE AGGREGATE collect(anyelement) (SFUNC = array_append, STYPE = anyarray, INITCOND = '{}')),
			q{CREATE CONVERSION own FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8});
		push @expected, qw(postfix_operators polymorphic_functions conversions);
	}
	return join ' ', sort @expected;
}

# The server that goes on, and is asked.
sub test_running
{
	my ($cluster, $expected) = @_;
	my $from = $cluster->{major};
	my $running = $cluster->check($to);
	is(names_of($running, 'obstacle'), $expected, "$from, running: every obstacle is found");
	is($running->{pg_upgrade_check}, undef, 'pg_upgrade is not asked');
	is($running->{exit}, 18, 'which is no success');
	is_deeply(finding($running, 'closed_databases')->{objects}, ['database closed'], 'the database is named');
	is_deeply(finding($running, 'invalid_databases')->{cures}, ['DROP DATABASE half_dropped;'], 'so is one that is half dropped');
	return;
}

sub test_major
{
	my ($from, $running_too) = @_;
	my $tablespace = PostgreSQL::Test::Utils::tempdir_short() . '/fast';
	mkdir($tablespace) or die "could not create directory: $!";
	my $cluster = Steward::OldCluster->create($from, $older{$from}, settings => [ 'max_prepared_transactions = 3', $from < 16 ? 'vacuum_defer_cleanup_age = 0' : (),
		$from < 14 ? 'password_encryption = on' : (), $from < 19 ? 'standard_conforming_strings = off' : () ]);
	$cluster->start;
	my $expected = spoil($cluster, $tablespace);
	test_running($cluster, $expected) if $running_too;

	$cluster->stop;
	my $down = $cluster->check($to);
	is(names_of($down, 'obstacle'), $expected, "$from, down: the same is found");
	is($down->{pg_upgrade_check}, JSON::PP::false, 'pg_upgrade is not content either');
	like($cluster->run('pg_controldata', $cluster->{data}), qr/state: +shut down$/m, 'the cluster is as after a shutdown');
	is(finding($down, 'lost_slots')->{objects}[0], 'physical slot standby', 'a slot that is lost is told');
	is_deeply(finding($down, 'subscriptions')->{objects} // [], $from < 17 ? ['database template1: subscription feed'] : [], 'and a subscription that loses its position');
	my @columns = @{ finding($down, 'reg_columns')->{objects} };
	is(scalar(@columns), 4, 'columns that cannot be carried over, and no others') or diag(@columns);
	like($columns[0], qr/^database "we""ird": public\."odd table", column a, type regproc$/, 'and named');
	ok(!grep({ /fine/ } @columns), 'regrole and regtype can be carried over');
	like(finding($down, 'column_options')->{objects}[0], qr/^database "we""ird": 1 columns with option pg_attver=1, one is public\.fine, column b: /, 'an option that is not to be had');
	my $line = qr{\(\Q$cluster->{data}\E/postgresql\.conf, line \d+\)};
	like(finding($down, 'removed_settings')->{objects}[0], qr/^vacuum_defer_cleanup_age $line$/, 'a setting that is gone, with file and line') if $from < 16 && $to >= 16;
	like(finding($down, 'refused_values')->{objects}[0], qr/^password_encryption = on $line: /, 'a value that is not taken any more') if $from < 14;
	like(finding($down, 'refused_values')->{objects}[-1], qr/^standard_conforming_strings = off $line: /, 'another one') if $from < 19 && $to >= 19;

	# An encoding that is no more is the one thing that takes more than a statement.
	$cluster->cure($down, $to >= 19 && $from <= 18 ? 'DROP DATABASE mule' : ());
	my $cured = $cluster->check($to);
	is(names_of($cured, 'obstacle'), '', "$from: what was said cures it");
	is_deeply(finding($cured, 'column_options'), {}, 'options of columns, too');
	is($cured->{pg_upgrade_check}, JSON::PP::true, 'pg_upgrade is content');
	is($cured->{exit}, 0, 'a success');
	ok(scalar(grep { $_->{method} eq 'copy' && $_->{possible} } @{ $cured->{methods} }), 'it can be copied');
	is((grep { $_->{method} eq 'swap' } @{ $cured->{methods} })[0]{possible}, $to >= 18 ? JSON::PP::true : JSON::PP::false, 'swap is of 18');

	spew("$cluster->{data}/standby.signal", '');
	is(names_of($cluster->check($to), 'obstacle'), 'standby', "$from: a standby");
	unlink("$cluster->{data}/standby.signal");
	$cluster->start;
	$cluster->stop('immediate');
	my $crashed = $cluster->check($to);
	is(names_of($crashed, 'obstacle'), 'not_shut_down', "$from: not shut down");
	unlike($cluster->run('pg_controldata', $cluster->{data}), qr/state: +shut down$/m, 'and it is not recovered by looking');
	return;
}

# A library of the old cluster that the new major does not have.
sub test_libraries
{
	my ($from) = @_;
	my $cluster = Steward::OldCluster->create($from, $older{$from}, initdb => ['--data-checksums']);
	my ($libdir) = qx("$older{$from}/pg_config" --pkglibdir);
	if (!defined $libdir || $? != 0) { $libdir = $older{$from} =~ s{/bin$}{/lib}r; }
	chomp $libdir;
	my $own = PostgreSQL::Test::Utils::tempdir_short();
	PostgreSQL::Test::Utils::system_or_bail('cp', "$libdir/citext.so", "$own/own.so");
	$cluster->start;
	$cluster->sql('template1', "CREATE FUNCTION ci(text, text) RETURNS integer AS '$own/own', 'citext_cmp' LANGUAGE C", 'CREATE EXTENSION hstore', 'CREATE EXTENSION pg_stat_statements');
	$cluster->stop;
	my $report = $cluster->check($to);
	is(names_of($report, 'obstacle'), 'missing_libraries', "$from: a library is missing");
	like(finding($report, 'missing_libraries')->{objects}[0], qr{^library "\Q$own\E/own", used in database "template1": incompatible library}, 'it is named, with the reason');
	is($report->{pg_upgrade_check}, JSON::PP::false, 'pg_upgrade misses it too');
	$cluster->start;
	$cluster->sql('template1', 'DROP FUNCTION ci(text, text)');
	$cluster->stop;
	is($cluster->check($to)->{exit}, 0, 'without it there is no obstacle');
	return;
}

my @majors = sort { $a <=> $b } keys %older;
note("from @majors to $to");
# How a running server is asked does not depend on its major.
test_major($_, $_ == $majors[0]) for @majors;
test_libraries($majors[-1]) if @majors;

# Refusals need no older major.
my $node = Steward::Node->create('own', preload => 0);
my ($own_bindir) = qx("@{[ $ENV{PG_CONFIG} // 'pg_config' ]}" --bindir);
chomp $own_bindir;
my @own = ('upgrade', 'check', '--data-dir', $node->data_dir, '--bindir', $own_bindir);
my %same = run_program(@own, '--to', $to);
is($same{exit}, 2, 'the same major is no upgrade');
like($same{stderr}, qr/\Q$to is no upgrade for a cluster of $to\E/, 'which is said');
my %missing = run_program(@own, '--to', 98);
is($missing{exit}, 5, 'a major that is not installed');
like($missing{stderr}, qr{has no program ".*/98/bin/postgres".*Install PostgreSQL 98}s, 'is to be installed');
my %wrong = run_program(@own, '--to', 98, '--new-bindir', $own_bindir);
is($wrong{exit}, 21, 'programs of another major');
my %nothing = run_program('upgrade', 'check', '--data-dir', $node->basedir . '/nothing', '--to', $to + 1);
is($nothing{exit}, 5, 'no directory');
done_testing();
