# A cluster with something of everything that an upgrade has to carry over.
package Steward::RichCluster;

use strict;
use warnings;

use parent 'Exporter';
use IPC::Run ();
use JSON::PP ();
use Steward::OldCluster;
use Steward::Test;

our @EXPORT = qw(own_bindir upgrade upgrade_state dump_with leftovers_in is_same_dump upgrade_methods upgrade_steps);

# Settings that some majors have and later ones do not: each with the first major that does not know it.
my %gone = (
	13 => [ 'operator_precedence_warning = off', 14 ],
	15 => [ 'vacuum_defer_cleanup_age = 0', 16 ]);

# The line of a cluster's configuration that a later major refuses; undef where this major has none.
sub refused_line
{
	my ($from, $to) = @_;
	my $line = $gone{$from} or return;
	return $to >= $line->[1] ? $line->[0] : undef;
}

# Make a cluster of an older major, fill it, and stop it. Returns an OldCluster; {tablespace} is the directory of its tablespace.
sub create
{
	my ($major, $bindir) = @_;
	my $tablespace = PostgreSQL::Test::Utils::tempdir_short() . '/fast';
	mkdir($tablespace) or die "could not create directory: $!";
	my @line = $gone{$major} ? $gone{$major}[0] : ();
	my $cluster = Steward::OldCluster->create($major, $bindir, settings => [ @line, "include_dir = 'more'", 'wal_level = logical' ]);
	$cluster->{tablespace} = $tablespace;
	mkdir("$cluster->{data}/more") or die "could not create directory: $!";
	spew("$cluster->{data}/more/memory.conf", "work_mem = '7MB'\n");
	spew("$cluster->{data}/root.crt", "a certificate\n");
	spew("$cluster->{data}/pg_hba.conf", "# ours\nlocal all all trust\n");
	$cluster->start;
	fill_globals($cluster);
	fill_database($cluster, 'app');
	fill_others($cluster);
	$cluster->stop;
	return $cluster;
}

sub fill_globals
{
	my ($cluster) = @_;
	$cluster->sql('postgres',
		"SET password_encryption = 'scram-sha-256'",
		q{CREATE ROLE alice LOGIN PASSWORD 'it''s alice'},
		q{CREATE ROLE staff NOLOGIN},
		q{CREATE ROLE "Odd ""Role" LOGIN CREATEDB CONNECTION LIMIT 3 VALID UNTIL '2031-01-01 00:00:00+00'},
		q{GRANT staff TO alice WITH ADMIN OPTION}, q{GRANT staff TO "Odd ""Role"}, q{GRANT pg_monitor TO staff},
		q{COMMENT ON ROLE staff IS 'those who work'},
		"CREATE TABLESPACE fast OWNER alice LOCATION '$cluster->{tablespace}'",
		q{ALTER TABLESPACE fast SET (random_page_cost = 1.5)},
		q{CREATE DATABASE app OWNER alice}, q{CREATE DATABASE "we""ird" TABLESPACE fast},
		q{CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'},
		($cluster->{major} >= 15 ? q{CREATE DATABASE german TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'} : ()),
		q{COMMENT ON DATABASE app IS 'what it is all about'},
		q{GRANT CONNECT ON DATABASE app TO staff}, q{REVOKE TEMPORARY ON DATABASE app FROM PUBLIC},
		q{ALTER DATABASE app SET statement_timeout = '1h'}, q{ALTER ROLE alice SET work_mem = '9MB'},
		q{ALTER ROLE alice IN DATABASE app SET search_path = 's', 'public'}, q{ALTER DATABASE app CONNECTION LIMIT 50},
		q{ALTER SYSTEM SET maintenance_work_mem = '65MB'});
	return;
}

sub fill_database
{
	my ($cluster, $database) = @_;
	$cluster->sql($database, split /;;\n/, <<'SQL');
CREATE SCHEMA s AUTHORIZATION alice;;
CREATE EXTENSION hstore SCHEMA s VERSION '1.4';;
CREATE EXTENSION pg_trgm;;
CREATE EXTENSION postgres_fdw;;
CREATE COLLATION s.german (provider = icu, locale = 'de-DE');;
CREATE COLLATION s.plain (provider = libc, locale = 'C');;
CREATE TYPE s.mood AS ENUM ('sad', 'ok', 'happy');;
CREATE DOMAIN s.positive AS integer CHECK (VALUE > 0);;
CREATE TYPE s.span AS RANGE (subtype = float8);;
CREATE TABLE s.people (id bigint GENERATED ALWAYS AS IDENTITY (START 7) PRIMARY KEY, name text COLLATE s.german NOT NULL, feels s.mood DEFAULT 'ok', age s.positive,
	twice integer GENERATED ALWAYS AS (age * 2) STORED, tags s.hstore, long text);;
INSERT INTO s.people (name, age, tags, long) SELECT 'name ' || i, i, s.hstore('n', i::text), repeat(md5(i::text), 200) FROM generate_series(1, 300) i;;
CREATE INDEX people_name ON s.people (name);;
CREATE INDEX people_trgm ON s.people USING gin (name gin_trgm_ops) TABLESPACE fast;;
CREATE INDEX people_brin ON s.people USING brin (id);;
CREATE STATISTICS s.people_stats (dependencies, ndistinct) ON name, age FROM s.people;;
ALTER TABLE s.people ALTER COLUMN name SET STATISTICS 300;;
ALTER TABLE s.people ALTER COLUMN name SET (n_distinct = -0.5);;
COMMENT ON TABLE s.people IS 'some';;
COMMENT ON COLUMN s.people.age IS 'in years';;
CREATE TABLE s.dropped (a int, gone int, b int);;
INSERT INTO s.dropped SELECT i, i, i FROM generate_series(1, 10) i;;
ALTER TABLE s.dropped DROP COLUMN gone;;
CREATE TABLE s.parted (day date NOT NULL, n integer) PARTITION BY RANGE (day);;
CREATE TABLE s.parted_2024 PARTITION OF s.parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') TABLESPACE fast;;
CREATE TABLE s.parted_rest PARTITION OF s.parted DEFAULT PARTITION BY HASH (n);;
CREATE TABLE s.parted_rest_0 PARTITION OF s.parted_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);;
CREATE TABLE s.parted_rest_1 PARTITION OF s.parted_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);;
CREATE INDEX ON s.parted (day);;
INSERT INTO s.parted SELECT date '2024-06-01' + i, i FROM generate_series(1, 400) i;;
CREATE TABLE s.older (a integer);;
CREATE TABLE s.younger (b integer) INHERITS (s.older);;
INSERT INTO s.younger VALUES (1, 2), (3, 4);;
CREATE UNLOGGED TABLE s.fleeting AS SELECT generate_series(1, 50) AS a;;
CREATE SEQUENCE s.numbers INCREMENT 5 OWNED BY s.older.a;;
SELECT nextval('s.numbers'), nextval('s.numbers');;
CREATE TABLE s.serial (id serial PRIMARY KEY, at timestamptz DEFAULT '2024-02-29 12:00:00+00', EXCLUDE USING gist (box(point(id, 0), point(id, 1)) WITH &&));;
INSERT INTO s.serial DEFAULT VALUES;;
CREATE MATERIALIZED VIEW s.counted AS SELECT p.feels, count(*) FROM s.people p JOIN s.dropped d ON d.a <= p.id GROUP BY p.feels;;
CREATE MATERIALIZED VIEW s.unfilled AS SELECT 1 AS a WITH NO DATA;;
CREATE VIEW s.young AS SELECT p.id, p.name FROM s.people p JOIN s.dropped d ON d.a = p.id WHERE p.age < 30;;
CREATE FUNCTION s.add(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT a + b';;
CREATE FUNCTION s.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.b := NEW.b + 1; RETURN NEW; END';;
CREATE TRIGGER touch BEFORE INSERT ON s.younger FOR EACH ROW EXECUTE FUNCTION s.touch();;
CREATE AGGREGATE s.total (integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');;
CREATE FUNCTION s.noticed() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';;
CREATE EVENT TRIGGER noticed ON ddl_command_end EXECUTE FUNCTION s.noticed();;
ALTER TABLE s.people ENABLE ROW LEVEL SECURITY;;
CREATE POLICY own ON s.people FOR SELECT TO alice USING (name = current_user);;
GRANT SELECT (name), INSERT ON s.people TO alice WITH GRANT OPTION;;
ALTER DEFAULT PRIVILEGES FOR ROLE alice IN SCHEMA s GRANT SELECT ON TABLES TO staff;;
CREATE PUBLICATION all_people FOR TABLE s.people;;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nowhere');;
CREATE USER MAPPING FOR alice SERVER elsewhere OPTIONS (user 'bob', password 'a secret');;
CREATE FOREIGN TABLE s.distant (a integer) SERVER elsewhere;;
CREATE TABLE "s"."odd "" table" ("a b" integer);;
INSERT INTO s."odd "" table" VALUES (1);;
SELECT lo_create(4711);;
SELECT lo_put(4711, 0, 'a large object'::bytea);;
SELECT lo_from_bytea(4712, decode(repeat('00ff', 5000), 'hex'));;
COMMENT ON LARGE OBJECT 4711 IS 'large';;
GRANT SELECT ON LARGE OBJECT 4711 TO alice;;
ANALYZE
SQL
	return;
}

sub fill_others
{
	my ($cluster) = @_;
	$cluster->sql('we"ird', 'CREATE TABLE t AS SELECT generate_series(1, 20) AS a', 'CREATE EXTENSION citext', q{CREATE TABLE c (a citext PRIMARY KEY)}, q{INSERT INTO c VALUES ('X')});
	$cluster->sql('latin', q{CREATE TABLE umlauts AS SELECT chr(228) AS a});
	$cluster->sql('german', q{CREATE TABLE sorted (a text PRIMARY KEY)}, q{INSERT INTO sorted VALUES ('z'), ('a')}) if $cluster->{major} >= 15;
	$cluster->sql('template1', 'CREATE TABLE in_every_new_one (a integer)');
	return;
}

# What a pg_dumpall of $bindir says about the running server, without what says which server it is, and what only newer servers tell:
# how memberships are inherited and who granted them (16), and the multirange types that every range type has (14). Views have two tables,
# since 16 and later leave the name out where there is one.
sub dump
{
	my ($cluster, $bindir) = @_;
	my ($stdout, $stderr) = ('', '');
	IPC::Run::run([ "$bindir/pg_dumpall", '-h', $cluster->{dir}, '-p', 5999, '-U', 'boss' ], '<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(Steward::Test::timeout()))
	  or die "pg_dumpall failed: $stderr";
	$stdout =~ s/^-- (?:Dumped from|Dumped by|Started on|Completed on).*\n//mg;
	$stdout =~ s/^\\(?:un)?restrict .*\n//mg;
	$stdout =~ s/ WITH INHERIT TRUE(?= GRANTED BY)|, INHERIT TRUE(?= GRANTED BY)//g;
	$stdout =~ s/^(GRANT .*) GRANTED BY boss;$/$1;/mg;
	$stdout =~ s/,\n    multirange_type_name = \S+$//mg;
	$stdout =~ s/\n\n+/\n/g;
	return $stdout;
}

# Where the programs of the major under test are.
sub own_bindir
{
	my ($bindir) = qx("@{[ $ENV{PG_CONFIG} // 'pg_config' ]}" --bindir);
	chomp $bindir;
	return $bindir;
}

# Whether files in a directory can share blocks, as on XFS or btrfs.
sub has_reflinks
{
	my ($dir) = @_;
	spew("$dir/one", 'x' x 8192);
	my $shared = IPC::Run::run([ 'cp', '--reflink=always', "$dir/one", "$dir/two" ], '2>', \my $refusal);
	unlink("$dir/one", "$dir/two");
	return $shared;
}

# The methods that pg_upgrade of that major has, and that the file system of the directory allows; by default that of TMPDIR.
sub upgrade_methods
{
	my ($to, $dir) = @_;
	return ('copy', has_reflinks($dir // PostgreSQL::Test::Utils::tempdir_short()) ? 'clone' : (), $to >= 17 ? 'copy-file-range' : (), 'link', $to >= 18 ? 'swap' : (), 'dump');
}

# The steps of a run of one hop, in their order.
sub upgrade_steps
{
	my ($method) = @_;
	return ('clear', 'fingerprint', ($method =~ /link|swap/ ? 'preserve' : ()), qw(initialize configure transfer extensions collations statistics compare exchange));
}

# Run a verb of upgrade on a cluster. Returns what run_program does.
sub upgrade { my ($verb, $cluster, @arguments) = @_; return run_program('upgrade', $verb, '--data-dir', $cluster->{data}, @arguments); }

# What "upgrade status" says.
sub upgrade_state
{
	my ($cluster) = @_;
	my %run = upgrade('status', $cluster, '--output', 'json');
	return (eval { JSON::PP::decode_json($run{stdout}) } or die "$run{stdout}$run{stderr}");
}

# Start the server of $programs on the cluster, dump it with the newest programs, and stop it. $look is called meanwhile.
sub dump_with
{
	my ($cluster, $programs, $look) = @_;
	local $cluster->{bindir} = $programs;
	$cluster->start;
	$look->() if $look;
	my $dump = Steward::RichCluster::dump($cluster, own_bindir());
	$cluster->stop;
	return $dump;
}

# What an upgrade has left in the tablespace of a cluster of that major.
sub leftovers_in
{
	my ($directory, $major) = @_;
	opendir(my $entries, $directory) or die "could not open directory \"$directory\": $!";
	return join(' ', grep { /^PG_(?!\Q$major\E_)|pg_steward/ } readdir($entries));
}

# Test that two dumps are the same, and show where they are not.
sub is_same_dump { my ($before, $after, $name) = @_; return is(difference($before, $after), '', $name); }

# What differs between two dumps, as diff tells it.
sub difference
{
	my ($before, $after) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	spew("$dir/before", $before);
	spew("$dir/after", $after);
	my $diff = '';
	IPC::Run::run([ 'diff', '-u', "$dir/before", "$dir/after" ], '>', \$diff);
	return $diff;
}

1;
