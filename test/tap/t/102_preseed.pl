# pg_steward preseed, before the server starts: it finds the cluster, brings it back, or refuses and leaves everything as it was.
use Steward::Test;
use Fcntl qw(:flock);
use JSON::PP ();

my $node = Steward::Node->create('primary');
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t AS SELECT i, md5(i::text) AS x FROM generate_series(1, 300000) i');
$node->sql('CREATE INDEX ON t (x)');
$node->sql(q{SELECT * FROM steward.backup(label => 'b')});
$node->sql('DELETE FROM t WHERE i % 2 = 0');
$node->sql('SELECT steward.archive_now()');
my $identifier = $node->sql('SELECT system_identifier FROM pg_control_system()');
$node->stop;

my $bindir = qx("@{[ $ENV{PG_CONFIG} // 'pg_config' ]}" --bindir);
chomp $bindir;
my $base = $node->basedir . '/preseed';
mkdir($base) or die;
my $data = "$base/data";
my ($workplace, $status_file) = ("$data.preseed-restore", "$data.preseed-status.json");
my $repository = 'file://' . $node->repository_dir;
my $empty_repository = "file://$base/empty";
mkdir("$base/empty") or die;
my $unreachable = 'file:///nowhere/repository';
my @preseed = ('preseed', '--data-dir', $data);
my @initialize = ('--initialize', '--bindir', $bindir);

sub status { return JSON::PP->new->utf8->decode(slurp($status_file)); }

sub clear { system('rm', '-rf', $data, glob("$data.*")) == 0 or die; return; }

# Test that preseed refuses, and that the data directory is as it was.
sub refuses
{
	my ($arguments, $exit, $pattern, $name, $state) = @_;
	my $before = picture_of($data);
	program_fails([ @preseed, @$arguments, '--dry-run' ], $exit, $pattern, "$name, dry run");
	program_fails([ @preseed, @$arguments ], $exit, $pattern, $name);
	is(picture_of($data), $before, "$name: the data directory is as it was");
	ok(!-e $workplace && !-e "$data.preseed-initdb", "$name: and nothing is beside it");
	return unless $state // 1;
	my $status = status();
	is($status->{state}, 'refused', "$name: so says the status file");
	is($status->{exit_status}, $exit, "$name: with the exit status");
	return;
}

sub is_whole
{
	my ($name) = @_;
	$node->command_ok([ 'pg_verifybackup', $data ], "$name: pg_verifybackup accepts the directory");
	is(status()->{state}, 'done', "$name: the status file says so");
	is(status()->{system_identifier}, $identifier, "$name: and which cluster it is");
	return;
}

# Where nothing is, nothing is made unasked.
for my $what ('missing', 'empty')
{
	mkdir($data) or die if $what eq 'empty';
	refuses([], 5, qr/holds no cluster.*It is $what.*--restore.*--initialize/s, "$what, nothing asked for");
	refuses([ '--restore', '--repository', $unreachable ], 14, qr/could not reach "\Q$unreachable\E"/, "$what, repository unreachable");
	refuses([ '--restore', @initialize, '--repository', $unreachable ], 14, qr/could not reach/, "$what, repository unreachable, a new one allowed");
	refuses([ '--restore', @initialize, '--repository', "$empty_repository,$unreachable" ], 14, qr/No cluster was made/, "$what, one of two unreachable");
	refuses([ '--restore', '--repository', $empty_repository ], 5, qr/no repository has a backup.*none knows/s, "$what, repository empty");
	refuses([ '--restore', @initialize, '--repository', $repository, '--expect-system-identifier', '42' ], 10, qr/another database cluster.*$identifier, 42 is expected/s,
		"$what, another cluster expected");
	refuses([ @initialize, '--repository', $empty_repository, '--expect-system-identifier', '42' ], 5, qr/42 is expected/, "$what, a new one where one is expected");
	refuses([ @initialize, '--repository', $repository ], 6, qr/has data in a repository.*--restore/s, "$what, a new one under a name that is used");
	refuses([ '--restore', @initialize ], 3, qr/no repository is configured/, "$what, no repository");
	rmdir($data);
}
is(status()->{attempt}, 18, 'attempts are counted');
is(status()->{error}{code}, 'configuration', 'the status file has the error');
program_fails([ @preseed, '--initialize' ], 2, qr/needs --bindir/, 'initdb without its place');
program_fails([ @preseed, '--standby' ], 2, qr/needs --restore/, 'a standby of nothing');
clear();

# Volumes that are not mounted. Nothing is written to where they belong.
mkdir($data) or die;
my @all = ('--restore', @initialize, '--repository', $repository);
my $around = picture_of($base);
refuses([ @all, '--mount-point', $base ], 18, qr/volume.*not mounted.*"\Q$base\E" is no mount point/s, 'a plain directory as a mount point', 0);
refuses([ @all, '--mount-point', '/proc', '--mount-point', "$base/nowhere" ], 18, qr/nowhere" is not there/, 'a mount point that is not there', 0);
is(picture_of($base), $around, 'nothing was written around it');
rmdir($data) or die;
symlink("$base/volume/data", $data) or die;
refuses(\@all, 18, qr/symbolic link to "\Q$base\E\/volume\/data", which is not there/, 'a link to a volume', 0);
unlink($data) or die;
program_fails([ 'preseed', '--data-dir', "$base/volume/data", @all ], 18, qr/volume" is not there/, 'no directory to make it in');
ok(!-e "$base/volume" && !-e $status_file && !-e "$data.preseed-lock", 'and neither was anything else');

# What is no cluster, and what is none any more.
mkdir($data) or die;
spew("$data/photo$_", 'x') for 1 .. 7;
refuses(\@all, 6, qr/something else than a cluster.*7 entries.*"photo1", .*"photo5"\./s, 'foreign content');
clear();
$node->command_ok([ 'cp', '-a', $node->data_dir, $data ], 'a copy of the cluster');
rename("$data/PG_VERSION", "$base/PG_VERSION") or die;
refuses(\@all, 8, qr/damaged cluster.*PG_VERSION/s, 'no version');
rename("$base/PG_VERSION", "$data/PG_VERSION") or die;
rename("$data/pg_wal", "$base/pg_wal") or die;
symlink("$base/wal_volume", "$data/pg_wal") or die;
refuses([], 18, qr/pg_wal" is a symbolic link to "\Q$base\E\/wal_volume", which is not there/, 'WAL on a volume that is not mounted');
unlink("$data/pg_wal") or die;
rename("$base/pg_wal", "$data/pg_wal") or die;
symlink("$base/fast", "$data/pg_tblspc/16999") or die;
refuses([], 18, qr/pg_tblspc\/16999"/, 'a tablespace on a volume that is not mounted');
unlink("$data/pg_tblspc/16999") or die;
my $control = slurp("$data/global/pg_control");
spew("$data/global/pg_control", substr($control, 0, 100) . ~substr($control, 100, 1) . substr($control, 101));
refuses(\@all, 8, qr/control file/, 'a control file with a wrong checksum');
spew("$data/global/pg_control", $control);

# A cluster that is there.
my $before = picture_of($data);
my $seen = JSON::PP->new->utf8->decode(program_ok([ @preseed, @all, '--expect-system-identifier', $identifier, '--output', 'json' ], 'the cluster is there'));
is($seen->{decision}, 'present', 'which is the decision');
is($seen->{evidence}{cluster}{system_identifier}, $identifier, 'by its identifier');
is(status()->{state}, 'done', 'and the state');
like(program_ok([ @preseed, '--repository', $unreachable ], 'its repository cannot be reached'), qr/note: Repository "\Q$unreachable\E" could not be reached/, 'that is noted');
is(picture_of($data), $before, 'nothing was touched');
refuses([ '--expect-system-identifier', '42' ], 10, qr/another database cluster.*$identifier, 42/s, 'another cluster is expected');
my $stranger = Steward::Node->create('stranger');
$stranger->start;
$stranger->archive_current_segment;
$stranger->stop;
refuses([ '--repository', 'file://' . $stranger->repository_dir ], 10, qr/as repository .* knows it/, 'the repository is of another cluster');
clear();

# One at a time.
open(my $lock, '>', "$data.preseed-lock") or die;
flock($lock, LOCK_EX) or die;
program_fails([ @preseed, @all ], 17, qr/another preseed/, 'another preseed runs');
ok(!-e $data, 'nothing was made');
close($lock);

# Restored: where nothing is, where an empty directory is, and from the first repository that can be reached and has it.
like(program_ok([ @preseed, @all, '--dry-run' ], 'dry run'), qr/it is: missing.*decision: restore.*backup:\s+b\b.*Nothing was changed/s, 'says what would be done');
is(join(' ', glob("$data*")), "$data.preseed-lock", 'and does nothing');
program_ok([ @preseed, '--restore', @initialize, '--repository', "$unreachable,$empty_repository,$repository", '--expect-system-identifier', $identifier, '--mount-point', '/proc' ],
	'the third repository has it');
is_whole('missing');
is(status()->{backup}, 'b', 'the status file names the backup');
is(status()->{attempt}, 1, 'and the attempt');
ok(!-e $workplace, 'the workplace is gone');
program_ok([ @preseed, @all ], 'once more');
is(status()->{decision}, 'present', 'now it is there');
clear();
mkdir($data) or die;
my @two = map { IPC::Run::start([ 'pg_steward', @preseed, @all ], '>', \my $out, '2>', \my $err) } 1, 2;
$_->finish for @two;
my @exits = sort { $a <=> $b } map { $_->result || 0 } @two;
like("@exits", qr/^0 (0|17)$/, 'of two at once, one restores and the other sees it or is told to wait');
is_whole('empty');

# Killed at many moments: the data directory is there when it is whole, and not before.
sub still_runs { my ($run) = @_; return $run->pumpable && eval { $run->pump_nb; 1 }; }

sub is_killed_when
{
	my ($condition) = @_;
	my $run = IPC::Run::start([ 'pg_steward', @preseed, @all, '--jobs', '1' ], '>', \my $out, '2>', \my $err);
	my $seen = 0;
	$seen = $condition->() until $seen or !still_runs($run);
	# Not kill_kill, which asks first.
	$run->signal('KILL');
	eval { $run->finish };
	return $seen && !-e "$data/global/pg_control";
}

sub moments_in
{
	my ($place) = @_;
	return (
		[ 'there is a place for it', sub { -e "$place" } ],
		[ 'the mark is there', sub { -e "$place/pg_steward.restore" } ],
		[ 'the first directory is there', sub { -d "$place/base" } ],
		[ 'some files are there', sub { my @f = glob("$place/base/*/*"); @f > 50 } ],
		[ 'most files are there', sub { my @f = glob("$place/base/*/*"); @f > 800 } ],
		[ 'the label is there', sub { -e "$place/backup_label" } ],
	);
}
my $killed = 0;
for my $moment (moments_in($workplace), [ 'the control file is there', sub { -e "$workplace/global/pg_control" } ])
{
	my ($what, $condition) = @$moment;
	clear();
	next unless is_killed_when($condition);
	$killed++;
	ok(!-e $data, "killed when $what: there is no data directory");
	like(status()->{state}, qr/^(?:inspecting|restoring|verifying|renaming)$/, "killed when $what: the status file has the last state");
	program_fails([ @preseed, @initialize ], 5, qr/interrupted.*--restore/s, "killed when $what: no new cluster is made beside it");
	program_ok([ @preseed, @all ], "killed when $what: starting over succeeds");
	is_whole("killed when $what");
}
cmp_ok($killed, '>=', 4, 'it was killed at several moments');

# The root of a file system is filled, not replaced.
$killed = 0;
my @in_place = moments_in($data);
for my $moment (@in_place[ 1 .. $#in_place ])
{
	my ($what, $condition) = @$moment;
	clear();
	mkdir($_) or die for $data, "$data/lost+found";
	program_fails([ @preseed, @initialize ], 4, qr/mount point/, 'no new cluster is made in a mount point') if !$killed;
	next unless is_killed_when($condition);
	$killed++;
	$node->command_fails([ 'pg_ctl', '-D', $data, '-w', '-t', '5', 'start' ], "in place, killed when $what: what is there does not start");
	refuses([], 5, qr/interrupted.*The mark/s, "in place, killed when $what, nothing asked for");
	program_ok([ @preseed, @all ], "in place, killed when $what: starting over succeeds");
	is_whole("in place, killed when $what");
}
cmp_ok($killed, '>=', 3, 'it was killed at several moments in place');
clear();

# What the README says.
my ($section) = slurp(source_dir() . '/README.md') =~ /^### Before the server starts\n(.*?)^### /ms or die;
my @commands = map { s{/var/lib/postgresql/15/main}{$data}r =~ s{file:///srv/pg_steward}{$repository}r } $section =~ /^pg_steward (preseed .*)$/mg;
cmp_ok(@commands, '>=', 3, 'the README has commands');
program_ok([ split / /, $_ ], "README: $_") for @commands;
is_whole('README');
clear();

# What was restored has the data; a standby stays one.
my $restored = Steward::Node->restored('restored', $node, command => [ 'preseed', '--restore' ]);
$restored->start_and_promote;
is($restored->sql('SELECT count(*) FROM t'), '150000', 'what was archived after the backup is there');
$restored->amcheck_ok;
$restored->stop;
my $standby = Steward::Node->restored('standby', $node, command => [ 'preseed', '--restore', '--standby' ]);
$standby->start;
is($standby->sql('SELECT pg_is_in_recovery()'), 't', 'a standby is in recovery');
$standby->wait_for_sql('SELECT count(*) = 150000 FROM t', 'and catches up');
$standby->stop;

# A new cluster, by consent: it is made where every repository was reached and none knows it.
{
	local $ENV{LC_ALL} = 'C.UTF-8';
	program_ok([ @preseed, '--restore', @initialize, '--repository', $empty_repository, '--', '-A', 'trust', '-U', 'someone' ], 'a new cluster');
}
is(status()->{state}, 'done', 'it is done');
isnt(status()->{system_identifier}, $identifier, 'and it is a new one');
is(status()->{decision}, 'initialize', 'by decision');
ok(!-e "$data.preseed-initdb", 'nothing is beside it');
my $port = PostgreSQL::Test::Cluster::get_free_port();
$node->command_ok([ 'pg_ctl', '-D', $data, '-w', '-l', "$base/log", '-o', "-p $port -k '" . $node->host . "' -h ''", 'start' ], 'it starts');
my $line = qx(psql -XAt -h "@{[ $node->host ]}" -p $port -U someone -d postgres -c "SELECT datcollate FROM pg_database WHERE datname = 'postgres'");
is($line, "C.UTF-8\n", 'with the locale of the environment and the options given');
$node->command_ok([ 'pg_ctl', '-D', $data, '-w', '-m', 'fast', 'stop' ], 'it stops');
clear();
mkdir("$data.preseed-initdb") or die;
spew("$data.preseed-initdb/PG_VERSION", "half\n");
program_ok([ @preseed, @initialize, '--', '-N' ], 'what a killed initdb left is made anew');
ok(-e "$data/global/pg_control", 'it is there');
clear();
program_fails([ @preseed, @initialize, '--', '--no-such-option' ], 22, qr/initdb exited with status 1/, 'initdb fails');
ok(!-e $data, 'there is no data directory');
is(status()->{state}, 'failed', 'and the status file says so');
program_fails([ @preseed, @initialize, '--', '-D', '/elsewhere' ], 2, qr/--data-dir/, 'another directory for initdb');
done_testing();
