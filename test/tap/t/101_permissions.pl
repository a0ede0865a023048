# pg_steward permissions finds and cures owners and modes that keep the server from starting, touches nothing else, and can take all back.
use Steward::Test;
use IPC::Run ();
use JSON::PP ();
use POSIX ();

my $node = Steward::Node->create('primary');
my $data = $node->data_dir;
my $files = $node->basedir;
my @check = ('permissions', 'check', '--data-dir', $data);
my @fix = ('permissions', 'fix', '--data-dir', $data);

sub mode_of { return sprintf('%04o', (lstat($_[0]))[2] & 07777); }
sub lists { return grep { -f } glob("$files/*.permissions-*"); }

# The newest list of changes, from the last words of a fix.
sub list_of { return ($_[0] =~ /--undo (\S+)"/)[0]; }

$node->start;
mkdir("$files/space", 0700) or die;
$node->sql("CREATE TABLESPACE fast LOCATION '$files/space'");
$node->sql('CREATE TABLE t TABLESPACE fast AS SELECT 42 AS i');
my $relation = $node->sql(q{SELECT pg_relation_filepath('pg_class')});
my $in_space = $node->sql(q{SELECT pg_relation_filepath('t')});

# A running server is looked at like any other.
like(program_ok(\@check, 'a new cluster with a running server'), qr/a server runs in it.*^0 errors, 0 warnings, 0 notes$/ms, 'is right');
chmod(0644, "$data/$relation") or die;
my %run = run_program(@fix, '--save-old', "$files/running");
is($run{exit}, 0, 'fix with a running server');
like($run{stderr}, qr/a server runs/, 'says that it runs');
is(mode_of("$data/$relation"), '0600', 'and works');
is($node->sql('SELECT i FROM t'), '42', 'and so does the server');
$node->stop;

# What the server refuses.
for my $mode (0777, 0755, 0770, 0500, 0)
{
	my $name = sprintf('data directory of mode %04o', $mode);
	chmod($mode, $data) or die;
	if ($mode != 0500)
	{
		$node->start(fail_ok => 1) and die "$name: the server starts";
		pass("$name: the server does not start");
	}
	%run = run_program(@check);
	is($run{exit}, 18, "$name: is found");
	like($run{stdout}, qr/^error: "\Q$data\E" is .*must be \S+ 0700$/m, "$name: and said");
	program_ok([ @fix, '--save-old', "$files/save-" . sprintf('%04o', $mode) ], "$name: fix");
	is(mode_of($data), '0700', "$name: is cured");
}
$node->start;
is($node->sql('SELECT i FROM t'), '42', 'the server starts again');
$node->stop;

# Directories that nobody can search, one in the other: each round sees more.
my $directory = $relation =~ s{/[^/]*$}{}r;
chmod(0, "$data/$relation") or die;
chmod(0, "$data/$directory") or die;
chmod(0200, "$data/base") or die;
chmod(0666, "$data/$in_space") or die;
%run = run_program(@fix);
is($run{exit}, 0, 'fix of what cannot be searched');
is(join(' ', map { mode_of("$data/$_") } 'base', $directory, $relation, $in_space), '0700 0700 0600 0600', 'cures all of it');
my $list = list_of($run{stdout});
is_deeply([ lists() ], [$list], 'the way back is beside the data directory');
is(mode_of($list), '0600', 'for its owner alone');
$node->start;
is($node->sql('SELECT i FROM t'), '42', 'the server works');
$node->stop;
program_ok([ 'permissions', 'fix', '--undo', $list ], 'the way back');
is(mode_of("$data/base"), '0200', 'all is as it was');
chmod(0700, "$data/base") or die;
is(mode_of("$data/$directory"), '0000', 'also what cannot be seen');
program_ok([ @fix, '--save-old', "$files/again" ], 'and forth');
is(mode_of("$data/$relation"), '0600', 'again');
program_fails([ 'permissions', 'fix', '--undo', "$data/PG_VERSION" ], 8, qr/no list of changes/, 'something that is no list');
chmod(0666, $list) or die;
program_fails([ 'permissions', 'fix', '--undo', $list ], 11, qr/not this user's alone/, 'a list that others can write');
unlink($list) or die;

# A cluster whose group may read.
my $group = Steward::Node->create('group', initdb => ['--allow-group-access'], preload => 0);
like(program_ok([ 'permissions', 'check', '--data-dir', $group->data_dir ], 'group access'), qr/the group may read.*^0 errors, 0 warnings/ms, 'is right');
chmod(0777, $_) or die for $group->data_dir, $group->data_dir . '/base', $group->data_dir . '/global/pg_control';
program_ok([ 'permissions', 'fix', '--data-dir', $group->data_dir, '--save-old', "$files/group" ], 'fix with group access');
is(mode_of($group->data_dir . $_->[0]), $_->[1], "mode of $_->[0]") for [ '', '0750' ], [ '/base', '0750' ], [ '/global/pg_control', '0640' ];
$group->start;
$group->stop;

# What is not the cluster's stays, and so does what links lead to.
mkdir("$data/lost+found") or die;
spew("$_", 'x') for "$data/lost+found/x", "$data/notes.txt", "$files/passwd", "$data/$directory/linked";
mkdir("$files/victim") or die;
spew("$files/victim/x", 'x');
symlink("$files/passwd", "$data/$directory/99999") or die;
symlink("$files/victim", "$data/pg_stat/victim") or die;
symlink("$files/victim", "$data/pg_tblspc/99999") or die;
link("$data/$directory/linked", "$files/hard") or die;
my @others = ("$data/lost+found", "$data/lost+found/x", "$data/notes.txt", "$files/passwd", "$files/victim", "$files/victim/x", "$files/hard");
chmod(0777, @others) == @others or die;
my $before = join(' ', map { mode_of($_) } @others);
%run = run_program(@fix);
is($run{exit}, 18, 'a link to what is no tablespace stays an error');
is(join(' ', map { mode_of($_) } @others), $before, 'what is foreign stays');
like($run{stdout}, qr/^note: "\Q$data\E\/(notes\.txt|lost\+found)".*\n    It is not the cluster's/m, 'and is reported');
like($run{stdout}, qr/linked".*\n.*It has 2 names/, 'also a file with a second name');
like($run{stdout}, qr/"\Q$files\E\/victim".*\n.*holds no tablespace of this cluster/, 'and the link');
is_deeply([ lists() ], [], 'no change leaves no list');
unlink("$data/$directory/99999", "$data/pg_stat/victim", "$data/pg_tblspc/99999", "$data/$directory/linked", "$data/notes.txt", "$data/lost+found/x") == 6 or die;
symlink("$files/gone", "$data/pg_tblspc/99999") or die;
%run = run_program(@check);
is($run{exit}, 18, 'a dangling link: exit status');
like($run{stdout}, qr/links the tablespace to "\Q$files\E\/gone": No such file/, 'a dangling link: says so');
unlink("$data/pg_tblspc/99999") or die;
rmdir("$data/lost+found") or die;

# A WAL directory elsewhere.
rename("$data/pg_wal", "$files/wal") or die;
symlink("$files/wal", "$data/pg_wal") or die;
chmod(0755, "$files/wal") or die;
my ($segment) = map { s{.*/}{}r } glob("$files/wal/0000*");
chmod(0, "$files/wal/$segment") or die;
program_ok([ @fix, '--save-old', "$files/wal.list" ], 'a WAL directory elsewhere');
is(join(' ', map { mode_of($_) } "$files/wal", "$files/wal/$segment"), '0700 0600', 'is cured');

# What the configuration names.
mkdir("$files/etc", 0700) or die;
mkdir("$files/sockets") or die;
chmod(0777, "$files/sockets") or die;
chmod(0755, $node->repository_dir) or die;
spew("$files/etc/server.key", 'key');
spew("$data/own.key", 'key');
spew("$files/etc/more.conf", "ssl = on\nssl_cert_file = 'missing.crt'\n");
spew("$files/etc/server.conf", "include 'more.conf'\ninclude 'none.conf'\ninclude 'pipe.conf'\n@{[ qq(include 'server.conf'\n) x 50 ]}ssl_key_file = 'linked.key'\nunix_socket_directories = '$files/sockets, \@abstract'\n"
	. "hba_file = '$data/pg_hba.conf'\nident_file = 'pg_ident.conf'\nsteward.repository = 'file://@{[ $node->repository_dir ]}'\n");
chmod(0640, "$files/etc/server.key") or die;
symlink("$files/etc/server.key", "$data/linked.key") or die;
POSIX::mkfifo("$files/etc/pipe.conf", 0600) or die;
chmod(0, "$data/pg_hba.conf") or die;
my $json = JSON::PP->new->utf8->decode((run_program(@check, '--config-file', "$files/etc/server.conf", '--output', 'json'))[3]);
my %found = map { $_->{path} => $_ } @{ $json->{findings} };
is($found{"$files/etc/server.key"}{problem}, 'too_open', 'a key that the group can read');
is($found{"$files/etc/server.key"}{must_be}{mode}, '0600', 'and its right mode');
is($found{"$files/etc/none.conf"}{problem}, 'missing', 'an included file that is missing');
is($found{"$data/missing.crt"}{problem}, 'missing', 'a certificate that is missing');
is($found{"$data/pg_hba.conf"}{problem}, 'not_usable', 'a file that cannot be read');
is($found{"$files/sockets"}{severity}, 'warning', 'a directory of sockets without the sticky bit');
is($found{ $node->repository_dir }{severity}, 'warning', 'a repository that others can look into');
ok(!$found{"$data/linked.key"}, 'but not the link to it');
is($found{"$data/own.key"}{problem}, 'foreign', 'a file that no setting names');
is($json->{counts}{error}, 4, 'count of errors');
is($json->{counts}{fix_possible}, 4, 'count of what can be changed');
like(program_ok([ @fix, '--dry-run' ], 'dry run'), qr/^would change "\Q$data\E\/pg_hba\.conf"/m, 'a dry run says what it would change');
is(mode_of("$data/pg_hba.conf"), '0000', 'and changes nothing');
program_fails([ @fix, '--save-old', "$files/none/list" ], 5, qr/hint: .*--save-old/, 'no place for the way back');
is(mode_of("$data/pg_hba.conf"), '0000', 'no way back, no change');
%run = run_program(@fix, '--config-file', "$files/etc/server.conf", '--save-old', "$files/etc/list", '--output', 'json');
is($run{exit}, 18, 'fix leaves what it cannot make');
$json = JSON::PP->new->utf8->decode($run{stdout});
is_deeply([ @$json{qw(changed failed saved_old)}, $json->{counts}{error} ], [ 4, 0, "$files/etc/list", 2 ], 'and says so');
like($run{stderr}, qr/^changing "/m, 'and says each change before');
is(join(' ', map { mode_of($_) } "$files/etc/server.key", "$data/pg_hba.conf", "$files/sockets", $node->repository_dir), '0600 0600 1777 0750', 'fix cures them');
unlink("$data/own.key", "$data/linked.key") == 2 or die;
chmod(0700, $node->repository_dir) or die;

# Killed in the middle: output that nobody reads stops it there.
my @many = map { sprintf('%s/%s/%d', $data, $directory, 700000 + $_) } 1 .. 3000;
spew($_, '') for @many;
chmod(0640 | 07, @many) == @many or die;
my $pid = open(my $output, '-|', 'pg_steward', @fix, '--save-old', "$files/killed") or die;
my $line = <$output>;
like($line, qr/^changing "/, 'it begins');
poll_until(sub { grep { mode_of($_) eq '0600' } @many }, 'a file is changed');
kill('KILL', $pid) or die;
close($output);
my $left = grep { mode_of($_) ne '0600' } @many;
cmp_ok($left, '>', 0, 'the killed fix has left something');
like(program_ok(\@check, 'what is left'), qr/^warning: .*, and @{[ $left - 1 ]} more in "\Q$data\/$directory\E"$/m, 'is one entry');
like(program_ok([ @fix, '--save-old', "$files/second" ], 'fix after a kill'), qr/^$left files changed/m, 'does the rest');
is(scalar(grep { mode_of($_) ne '0600' } @many), 0, 'and all is right');
program_ok([ 'permissions', 'fix', '--undo', "$files/$_" ], "the way back of $_") for 'second', 'killed';
is(scalar(grep { mode_of($_) ne '0647' } @many), 0, 'brings all back');
unlink(@many) == @many or die;
like(program_ok(\@check, 'at the end'), qr/^0 errors, 0 warnings, 0 notes$/m, 'nothing is wrong');
$node->start;
is($node->sql('SELECT i FROM t'), '42', 'the server works');
$node->stop;

# What is no cluster.
program_fails([ 'permissions', 'fix', '--data-dir', $files ], 5, qr/PG_VERSION/, 'a directory without a cluster');
program_fails([ 'permissions', 'check', '--data-dir', "$files/none" ], 5, qr/could not look at data directory/, 'no directory');
program_fails([ @check, '--owner', 'no such user' ], 2, qr/there is no user/, 'no user');
program_fails([ @check, '--owner', 'root' ], 2, qr/root cannot own a cluster/, 'root');

# As root: of a user namespace, where the cluster's owner is root and nobody else is known. Nothing here depends on the major, and inside the
# root of the other majors, which is entered by chroot, the kernel has no user namespaces to give.
sub test_as_root
{
	my $unshared = sub {
		my ($stdout, $stderr) = ('', '');
		IPC::Run::run([ 'unshare', '--user', '--map-root-user', 'pg_steward', @_ ], '<', \undef, '>', \$stdout, '2>', \$stderr);
		return ($? >> 8, $stdout, $stderr);
	};
	my ($exit, $stdout, $stderr) = $unshared->(@check);
	is($exit, 18, 'a data directory of root: exit status');
	like($stderr, qr/belongs to root.*hint: .*--owner/s, 'a data directory of root: cure');
	($exit, $stdout, $stderr) = $unshared->(@fix, '--owner', 'daemon', '--save-old', "$files/refused");
	isnt($exit, 0, 'an owner that cannot be given: exit status');
	like($stderr, qr/could not change owner of/, 'an owner that cannot be given: message');
	is((stat("$data/PG_VERSION"))[4], $>, 'nothing has changed');
	return;
}
if (!$ENV{STEWARD_IN_MATRIX})
{
  SKIP:
	{
		skip 'no user namespaces', 5 unless system('unshare --user --map-root-user true 2>/dev/null') == 0;
		test_as_root();
	}
}
done_testing();
