# A PostgreSQL server that looks after itself: PostgreSQL::Test::Cluster with pg_steward preloaded, and what tests of it
# need. Nothing here sleeps for a fixed time: waits have a condition and a bound (PG_TEST_TIMEOUT_DEFAULT seconds).
package Steward::Node;

use strict;
use warnings;

use parent -norequire, 'PostgreSQL::Test::Cluster';
use POSIX ();
use PostgreSQL::Test::Cluster ();
use Test::More;

my @nodes;

# Make a server with its data directory, not started.
#   repository  URL for steward.repository (default: a directory of its own, see repository_dir)
#   settings    { name => value } for postgresql.conf, after our own
#   archiving   0 for a server that does not archive (default 1)
#   preload     0 for a server without the module (default 1)
#   initdb      arguments for initdb
sub create
{
	my ($class, $name, %options) = @_;
	my $self = bless PostgreSQL::Test::Cluster->new($name), $class;
	push @nodes, $self;
	$self->init(extra => $options{initdb} // []);

	my %settings = (log_min_messages => 'debug1', log_line_prefix => '%m [%p] %b ', restart_after_crash => 'on');
	if ($options{preload} // 1)
	{
		$settings{shared_preload_libraries} = 'pg_steward';
		$settings{'steward.repository'} = $options{repository} // 'file://' . $self->repository_dir;
		# The server does not make the directory: a missing one may be a volume that is not mounted.
		mkdir($self->repository_dir, 0700) or die "could not create directory: $!" unless $options{repository};
		if ($options{archiving} // 1)
		{
			# Never archive_command beside it: the server refuses both.
			$settings{archive_mode} = 'on';
			$settings{archive_library} = 'pg_steward';
			$settings{wal_level} = 'replica';
		}
	}
	$self->set(%settings, %{ $options{settings} // {} });
	return $self;
}

# Make and start the server that tests of restored directories begin with: with checksums, a table "t" of so many rows (i, x) in a tablespace,
# an unlogged table "u" of one row, and a backup; after it one more row of "t", (0, NULL), which is archived. Returns the node and the
# tablespace's directory.
#   also  more statements before the backup
sub create_with_tablespace
{
	my ($class, $name, $rows, @also) = @_;
	my $self = $class->create($name, initdb => ['--data-checksums']);
	$self->start;
	my $tablespace = $self->basedir . '/tablespace';
	mkdir($tablespace) or die "could not create directory: $!";
	$self->sql($_)
	  for 'CREATE EXTENSION pg_steward', "CREATE TABLESPACE fast LOCATION '$tablespace'",
	  "CREATE TABLE t TABLESPACE fast AS SELECT i, md5(i::text) AS x FROM generate_series(1, $rows) i",
	  'CREATE UNLOGGED TABLE u AS SELECT 1 AS i', @also, 'SELECT * FROM steward.backup()', 'INSERT INTO t VALUES (0, NULL)', 'SELECT steward.archive_now()';
	return ($self, $tablespace);
}

# As in PostgreSQL's module, but a server that does not start fails this test alone: BAIL_OUT would end the whole run,
# before the server's log is shown.
sub start
{
	my ($self, %options) = @_;
	my $started = $self->SUPER::start(%options, fail_ok => 1);
	die 'could not start server "' . $self->name . '"' unless $started or $options{fail_ok};
	return $started;
}

# Start the server whose postmaster was killed. Its children notice by themselves; until then they hold the shared memory.
sub start_after_kill
{
	my ($self) = @_;
	return Steward::Test::poll_until(sub { $self->{_pid} = undef; return $self->start(fail_ok => 1); }, 'the server starts again');
}

sub restart
{
	my ($self, %options) = @_;
	$self->stop('fast');
	return $self->start(%options);
}

# Append settings to postgresql.conf, quoted.
sub set
{
	my ($self, %settings) = @_;
	for my $name (sort keys %settings)
	{
		(my $value = $settings{$name}) =~ s/'/''/g;
		$self->append_conf('postgresql.conf', "$name = '$value'");
	}
	return;
}

# Give a stopped server a past: the job's schedule has been as it is for ten days, and the job succeeded last so many seconds ago, as run 41.
sub prepare_past
{
	my ($self, $job, $expression, $seconds_ago) = @_;
	my $dir = $self->data_dir . '/pg_steward';
	my $stamp = sub { POSIX::strftime('%Y-%m-%dT%H:%M:%S.000000Z', gmtime(time() - $_[0])) };
	my $last = $stamp->($seconds_ago);
	mkdir($dir, 0700);
	Steward::Test::spew("$dir/schedule.json", sprintf('{"%s":{"schedule":"%s","timezone":"UTC","enabled_since":"%s"}}', $job, $expression, $stamp->(10 * 86400)));
	Steward::Test::spew("$dir/jobs.jsonl",
		qq({"number":41,"job":"$job","trigger":"schedule","started_at":"$last","finished_at":"$last","bytes":1,"result":"succeeded"}\n));
	return;
}

# The directory of the default repository. Beside the data directory, never in it.
sub repository_dir
{
	my ($self) = @_;
	return $self->basedir . '/repository';
}

# Value of one SQL expression's row, as text. Dies when the statement fails.
sub sql
{
	my ($self, $statement, %options) = @_;
	return $self->safe_psql($options{database} // 'postgres', $statement);
}

# Wait until the statement returns 't', and fail the test when the bound has passed.
sub wait_for_sql
{
	my ($self, $statement, $what) = @_;
	return ok($self->poll_query_until('postgres', $statement), $what // "server reaches: $statement");
}

# Whether the server takes connections now. Where it does not, psql may have ended before its statement was written to it.
sub answers
{
	my ($self) = @_;
	my ($status) = eval { $self->psql('postgres', 'SELECT 1') };
	return defined $status && $status == 0;
}

# Finish the current WAL segment and wait until the archiver has seen it, and all before it, done. Returns its name.
sub archive_current_segment
{
	my ($self) = @_;
	my $segment = $self->sql(q{SELECT pg_walfile_name(pg_logical_emit_message(true, 'steward', 'segment end'))});
	$self->sql('SELECT pg_switch_wal()');
	$self->wait_for_sql("SELECT last_archived_wal >= '$segment' FROM pg_stat_archiver", "segment $segment is archived");
	return $segment;
}

# Restore from another node's repository into a node of its own, prove the directory with pg_verifybackup, and return the node, not
# started. It does not archive unless archiving => 1: several copies of one cluster would fight over the next timeline's name.
#   command    what restores, with its flags (default: restore)
#   arguments  more arguments for it
sub restored
{
	my ($class, $name, $source, %options) = @_;
	my $self = bless PostgreSQL::Test::Cluster->new($name), $class;
	push @nodes, $self;
	mkdir($self->basedir) unless -d $self->basedir;
	Steward::Test::program_ok(
		[ @{ $options{command} // ['restore'] }, '--repository', $options{repository} // 'file://' . $source->repository_dir, '--data-dir', $self->data_dir, @{ $options{arguments} // [] } ],
		"$name: restore");
	$self->command_ok([ 'pg_verifybackup', $self->data_dir ], "$name: pg_verifybackup accepts the restored directory");
	$self->set(port => $self->port, $options{archiving} ? () : (archive_mode => 'off'), %{ $options{settings} // {} });
	return $self;
}

# Start a restored node and wait until recovery has ended.
sub start_and_promote
{
	my ($self) = @_;
	$self->start;
	$self->wait_for_sql('SELECT NOT pg_is_in_recovery()', $self->name . ': recovery ends');
	return $self;
}

# Test that every heap and index is sound.
sub amcheck_ok
{
	my ($self) = @_;
	$self->command_ok([ 'pg_amcheck', '-h', $self->host, '-p', $self->port, '--all', '--install-missing' ], $self->name . ': pg_amcheck finds nothing');
	return;
}

# The whole cluster as SQL text, for comparison.
sub dump_text
{
	my ($self) = @_;
	my ($text, $errors) = ('', '');
	IPC::Run::run([ 'pg_dumpall', '-h', $self->host, '-p', $self->port, '--no-sync' ], '>', \$text, '2>', \$errors) or die "pg_dumpall: $errors";
	# Since the security minors of August 2025 a random word guards each dump.
	$text =~ s/^\\(un)?restrict .*\n//mg;
	return $text;
}

# Root of the cluster's objects in the default repository (docs/repository-format.md).
sub cluster_dir
{
	my ($self) = @_;
	my ($dir) = glob($self->repository_dir . '/cluster/main/*');
	return $dir;
}

# Where a WAL file is stored.
sub wal_object
{
	my ($self, $name) = @_;
	my $dir = $self->cluster_dir // return '';
	return "$dir/wal/$name" if $name =~ /\.history$/;
	return join('/', $dir, 'wal', substr($name, 0, 8), substr($name, 8, 8), $name);
}

# Change one bit of the largest pack in the default repository. Returns the pack's name as errors have it, and what makes it sound again.
sub damage_largest_pack
{
	my ($self) = @_;
	my ($pack) = sort { -s $b <=> -s $a } glob($self->cluster_dir . '/packs/*/*');
	my $sound = Steward::Test::slurp($pack);
	my $damaged = $sound;
	substr($damaged, 5000, 1) = chr(ord(substr($damaged, 5000, 1)) ^ 0x10);
	Steward::Test::spew($pack, $damaged);
	my ($name) = $pack =~ m{(packs/.*)};
	return ($name, sub { Steward::Test::spew($pack, $sound) });
}

# Names of all stored segments, in order.
sub stored_segments
{
	my ($self) = @_;
	my $dir = $self->cluster_dir // return ();
	return sort grep { /^[0-9A-F]{24}$/ } map { s{.*/}{}r } glob("$dir/wal/*/*/*");
}

# How many segments of 16 MB there are from one name to another of the same timeline, both included.
sub segments_from_to
{
	my ($first, $last) = map { hex(substr($_, 8, 8)) * 256 + hex(substr($_, 16)) } @_;
	return $last - $first + 1;
}

# Process ids of the server's processes of one type (backend_type of pg_stat_activity, a LIKE pattern).
sub pids_of
{
	my ($self, $type) = @_;
	return split /\n/, $self->sql("SELECT pid FROM pg_stat_activity WHERE backend_type LIKE '$type' ORDER BY pid");
}

# Kill the one process whose id the SQL statement returns, and wait until it is gone.
sub kill_by_sql
{
	my ($self, $statement, $signal) = @_;
	my $pid = $self->sql($statement);
	die "no single process id from \"$statement\": \"$pid\"" unless $pid =~ /^[0-9]+$/ and $pid > 1;
	kill($signal // 'KILL', $pid) or die "could not signal process $pid: $!";
	Steward::Test::poll_until(sub { !kill(0, $pid) }, "process $pid is gone");
	return $pid;
}

# The last lines of every server's log, for a test that failed, without what PostgreSQL's own processes say about
# themselves at the level that our decisions are logged at.
sub show_logs
{
	my ($lines) = @_;
	my $own = qr/\] (?:postmaster|startup|checkpointer|walwriter|background writer|[a-z ]* launcher) DEBUG:/;
	for my $node (@nodes)
	{
		open(my $file, '<', $node->logfile) or next;
		my @log = grep { !/$own/ } <$file>;
		splice(@log, 0, @log - $lines) if @log > $lines;
		chomp @log;
		diag(join("\n", '--- end of the log of server "' . $node->name . '"', @log, '---'));
	}
	return;
}

1;
