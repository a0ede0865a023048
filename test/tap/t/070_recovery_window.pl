# What can be recovered is known, with the server and without: intervals, gaps with their reason, restore points.
use JSON::PP qw(decode_json);
use Steward::Test;

my $node = Steward::Node->create('primary');
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t (i int)');
my $repository = 'file://' . $node->repository_dir;
my $directory = $node->basedir . '/target';

sub cluster_info
{
	my $json = program_ok([ 'info', '--repository', $repository, '--output', 'json' ], 'info');
	return decode_json($json)->[0]{clusters}[0];
}
# As the program writes it: 19 pads the second half.
sub plain_lsn { my ($lsn) = @_; return $lsn =~ s{/0+(?=.)}{/}r; }
# More rows, and the segment they are in stored.
sub fill_segment { my ($i) = @_; $node->sql("INSERT INTO t VALUES ($i)"); return $node->sql('SELECT steward.archive_now()'); }

$node->sql(q{SELECT * FROM steward.backup(label => 'first')});
my @segments = map { fill_segment($_) } 1 .. 4;
$node->wait_for_sql(q{SELECT count(*) = 1 AND min(backup_label) = 'first' AND bool_and(end_lsn >= (SELECT last_lsn FROM steward.wal_archive))
	FROM steward.recovery_window}, 'the view has one interval, up to the last segment stored');
is($node->sql('SELECT count(*) FROM steward.wal_gaps'), '0', 'and no gap');
is($node->sql('SELECT begin_lsn = (SELECT stop_lsn FROM steward.backups) FROM steward.recovery_window'), 't', 'it begins where the backup ends');

# A segment vanishes between two others: it is entered into the ledger, alarms, and stops a restore.
my $lost = $node->wal_object($segments[1]);
my $log_start = -s $node->logfile;
rename($lost, $node->basedir . '/saved') or die "could not rename: $!";
$node->wait_for_sql(q{SELECT count(*) = 1 FROM steward.wal_gaps WHERE reason = 'missing' AND recorded_at IS NOT NULL}, 'the gap is recorded');
like(substr(slurp($node->logfile), $log_start), qr/WARNING:.*"\Q$segments[1]\E" is missing in repository/, 'with a warning in the log');
my @entries = glob($node->cluster_dir . '/gaps/*');
is(scalar @entries, 1, 'the ledger has one entry');
is($node->sql('SELECT count(*) FROM steward.recovery_window'), '1', 'what is after the gap is not reachable');

my @restore = ('restore', '--repository', $repository, '--data-dir', $directory);
my $err = program_fails(\@restore, 19, qr/"\Q$segments[1]\E" is missing, and there is WAL after it/, 'a restore across it');
like($err, qr/nearest reachable points are [0-9A-F]+\/[0-9A-F]+ before it; no backup leads to what is after it/, 'naming the point before it');

$node->sql(q{SELECT * FROM steward.backup(label => 'second')});
fill_segment(5);
my $stop = plain_lsn($node->sql(q{SELECT stop_lsn FROM steward.backups WHERE label = 'second'}));
$err = program_fails([ @restore, '--backup', 'first' ], 19, qr/is missing, and there is WAL after it/, 'a restore of the older backup across it');
like($err, qr/before it and \Q$stop\E after it, where backup "second" ends/, 'naming the points on both sides');
like($err, qr/hint: .*--backup second.*--target-lsn/s, 'and both cures');
ok(!-e $directory, 'nothing is written');
$node->wait_for_sql(qq{SELECT count(*) = 2 FROM steward.recovery_window}, 'there are two intervals now');
is($node->sql('SELECT backup_after FROM steward.wal_gaps'), 'second', 'the view names the backup after the gap');

# Filled, the gap is none: the entry stays and is void.
rename($node->basedir . '/saved', $lost) or die "could not rename: $!";
$node->wait_for_sql('SELECT count(*) = 0 FROM steward.wal_gaps', 'the filled gap is shown no more');
is(scalar(() = glob($node->cluster_dir . '/gaps/*')), 1, 'though its entry is still there');
program_ok([ @restore, '--backup', 'first', '--dry-run' ], 'a restore through the filled gap is planned');

# A restore point is known by name, LSN, time and note.
my $lsn = $node->sql(q{SELECT steward.create_restore_point('before six', 'the "upgrade"')});
fill_segment(6);
$node->sql(q{SELECT steward.create_restore_point('after six')});
fill_segment(7);
$node->wait_for_sql(qq{SELECT count(*) = 1 FROM steward.restore_points WHERE name = 'before six' AND lsn = '$lsn' AND timeline = 1
	AND note = 'the "upgrade"' AND reachable AND created_at BETWEEN now() - interval '10 minutes' AND now()}, 'the view lists a restore point');
my ($ret, $out, $warning) = $node->psql('postgres', q{SELECT steward.create_restore_point(repeat('x', 64))});
isnt($ret, 0, 'a name that is too long is an error');
is($node->sql('SELECT steward.create_restore_point(NULL)'), '', 'no name, no point');

# A repository that cannot be written: the point exists all the same.
chmod(0500, $node->cluster_dir . '/restore-points') or die;
($ret, $out, $warning) = $node->psql('postgres', q{SELECT steward.create_restore_point('unrecorded')});
is($ret, 0, 'a restore point that cannot be recorded is made');
like($warning, qr/WARNING: .*"unrecorded" was made but not recorded.*DETAIL: .*HINT: /s, 'with a warning');
chmod(0700, $node->cluster_dir . '/restore-points') or die;
fill_segment(8);
$node->stop;

# The server is gone, and its data directory with it.
rename($node->data_dir, $node->data_dir . '.gone') or die "could not rename: $!";
my $cluster = cluster_info();
is($cluster->{restore_points}[0]{name}, 'before six', 'info lists the restore point');
is($cluster->{restore_points}[0]{lsn}, plain_lsn($lsn), 'with its LSN');
is($cluster->{restore_points}[0]{note}, 'the "upgrade"', 'its note');
ok($cluster->{restore_points}[0]{reachable}, 'and whether it can be reached');
is(scalar @{ $cluster->{recovery_window} }, 1, 'and the one interval');
is($cluster->{recovery_window}[0]{backup}, 'first', 'with the backup it begins with');
$lsn = plain_lsn($lsn);
my $text = program_ok([ 'info', '--repository', $repository ], 'info for people');
like($text, qr/^ +reachable +timeline 1, .* with backup first$/m, 'has the interval');
like($text, qr/^ +before six +1 +\Q$lsn\E .* the "upgrade"$/m, 'and the restore point');
for my $case ([ 'before six', 5 ], [ 'after six', 6 ])
{
	my ($name, $rows) = @$case;
	(my $directory_name = $name) =~ tr/ /_/;
	my $restored = Steward::Node->restored($directory_name, $node, arguments => [ '--target-name', $name, '--target-action', 'promote' ]);
	$restored->start_and_promote;
	is($restored->sql('SELECT max(i) FROM t'), $rows, "a restore to \"$name\" stops there");
	$restored->stop;
}
done_testing();
