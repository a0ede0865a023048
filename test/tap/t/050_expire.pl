# Retention by the program: a dry run changes nothing, what goes is gone, what stays restores, and a kill -9 at any moment is made up for by
# the next run.
use Steward::Test;
use JSON::PP qw(decode_json);

my $node = Steward::Node->create('primary', settings => { 'steward.backup_workers' => 1 });
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t (backup text)');
my @repository = ('--repository', 'file://' . $node->repository_dir);

sub backup
{
	my ($label) = @_;
	$node->sql("INSERT INTO t VALUES ('$label')");
	$node->sql("SELECT * FROM steward.backup(label => '$label')");
	# WAL between this backup and the next, which nobody needs once both are alone.
	$node->archive_current_segment for 1 .. 2;
	return;
}

sub labels { return join(' ', sort map { m{([^/]+)/manifest$} } glob($node->cluster_dir . '/backups/*/manifest')); }
# But for WAL's tail, whose pieces the server removes when their segment is stored.
sub all_files { return join("\n", map { "$_ " . -s $_ } grep { -f $_ && !m{/wal-tail/} } split(/\n/, qx(find "@{[ $node->repository_dir ]}" | sort))); }
sub leases { my @found = glob($node->cluster_dir . '/leases/*'); return @found; }

# How many objects a dry run says would go, by kind.
sub planned
{
	my (@arguments) = @_;
	my ($report) = @{ decode_json(program_ok([ 'expire', '--dry-run', '--output', 'json', @repository, @arguments ], 'dry run')) };
	my %rows;
	$rows{ $_->{kind} }{ $_->{name} } = $_ for @{ $report->{rows} };
	return \%rows;
}

backup("b$_") for 1 .. 4;

program_fails([ 'expire', @repository ], 3, qr/no retention policy is set\n.*hint: /s, 'without a policy it refuses');
program_fails([ 'expire', @repository, '--retention', '2 apples' ], 3, qr/invalid value for parameter "steward.retention"/, 'a bad policy is refused');

# The server checks it where it is entered.
my ($code, undef, $err) = $node->psql('postgres', q{ALTER SYSTEM SET steward.retention = 'sometimes'});
isnt($code, 0, 'the server refuses a bad policy');
like($err, qr/steward\.retention.*sometimes/, 'by name');

# A dry run.
my $before = all_files();
my $plan = planned('--retention', '2');
is(join(' ', map { "$_ $plan->{backup}{$_}{verdict}" } sort keys %{ $plan->{backup} }), 'b1 remove b2 remove b3 keep b4 keep', 'the dry run says what goes');
like($plan->{backup}{b4}{reason}, qr/the newest complete backup; newest 2/, 'and why what stays does');
ok((grep { $_->{verdict} eq 'remove' } values %{ $plan->{wal} }), 'WAL goes too');
is(all_files(), $before, 'it changes nothing');
like(program_ok([ 'expire', '--dry-run', @repository, '--retention', '2' ], 'dry run as text'), qr/remove  backup  b1 .*would remove 2 backups, /s, 'as text');

# Days are those of the time zone. These two are 25 hours apart.
my @days = map { planned('--retention', 'daily=2', '--timezone', $_)->{backup}{b4}{reason} =~ /daily (\S+)/ } 'Pacific/Pago_Pago', 'Pacific/Kiritimati';
is(scalar(@days), 2, 'the day is the reason');
cmp_ok($days[0], 'lt', $days[1], 'and another one in each zone');

# A pin.
program_ok([ 'keep', 'b1', @repository, '--note', 'before the migration' ], 'keep');
my $shown = q{SELECT string_agg(concat_ws(' ', label, coalesce(base_label, '-'), kept), ', ' ORDER BY label) = 'b1 - t, b2 b1 f, b3 b2 f, b4 b3 f' FROM steward.backups};
$node->wait_for_sql($shown, 'steward.backups shows which backup is kept, and what each went on from');
my $info = program_ok([ 'info', @repository ], 'info');
like($info, qr/\n    b1 .*\n      kept, whatever the retention policy says\n    b2 .*\n      went on from backup b1\n    b3 /, 'so does info');
program_fails([ 'keep', 'nothing', @repository ], 5, qr/there is no backup "nothing"/, 'keeping what is not there');

# Killed at some moment, again and again, a little later each time: what is left is always sound, and the next run goes on.
sub stored_wal { my @found = glob($node->cluster_dir . '/wal/*/*/*'); return scalar(@found); }
my $files = stored_wal();
for my $kill (1 .. 3)
{
	my ($out, $errors) = ('', '');
	my $run = IPC::Run::start([ 'pg_steward', 'expire', @repository, '--retention', '2' ], '<', \undef, '>', \$out, '2>', \$errors);
	# It may also have ended by then; the last round below proves the result either way.
	poll_until(sub { scalar(leases()) or !$run->pumpable or do { $run->pump_nb; 0 } }, 'the run holds its lease or has ended');
	eval { $run->signal('KILL') };
	eval { $run->finish };
	program_ok([ 'verify', @repository ], "after kill $kill the repository is sound");
}
program_ok([ 'expire', @repository, '--retention', '2' ], 'the next run is not held up by the lease of a killed one');
is(labels(), 'b1 b3 b4', 'the pinned backup and the newest two stay');
is(scalar(leases()), 0, 'no lease is left');
cmp_ok(stored_wal(), '<', $files, 'WAL is gone');
my ($gap) = glob($node->cluster_dir . '/gaps/*');
ok($gap, 'what was pruned between two backups that stay is recorded');
program_ok([ 'verify', @repository ], 'the repository is sound');
$before = all_files();
like(program_ok([ 'expire', @repository, '--retention', '2' ], 'once more'), qr/removed 0 backups, 0 packs .* and 0 WAL segments/, 'nothing is left to do');
is(all_files(), $before, 'and nothing is done');
$node->wait_for_sql(q{SELECT string_agg(label, ' ' ORDER BY label) = 'b1 b3 b4' FROM steward.backups}, 'the server sees what is left');

# All that stay restore: pinned ones to their own end.
for my $label (qw(b1 b3 b4))
{
	my $target = $label eq 'b1' ? [ '--backup', 'b1', '--target-immediate', '--target-action', 'promote' ] : [ '--backup', $label ];
	my $restored = Steward::Node->restored("restored_$label", $node, arguments => $target);
	$restored->start_and_promote;
	my $rows = substr($label, 1) eq '1' ? 1 : 4;
	is($restored->sql('SELECT count(*) FROM t'), $rows, "$label: its rows are there");
	$restored->stop('fast');
}

# Released, it goes.
program_ok([ 'keep', 'b1', '--release', @repository ], 'release');
program_ok([ 'expire', @repository, '--retention', '2' ], 'expire after the release');
is(labels(), 'b3 b4', 'it goes');
ok(!-e $gap, 'and so does the record of the hole behind it');


# The same by SQL.
($code, undef, $err) = $node->psql('postgres', 'SELECT * FROM steward.expire()');
isnt($code, 0, 'without a policy steward.expire() refuses');
like($err, qr/no retention policy is set\n.*HINT:  Set "steward\.retention"/s, 'with a hint');
$node->set('steward.retention' => '1, daily=1');
$node->sql('SELECT pg_reload_conf()');
$node->wait_for_sql(q{SELECT current_setting('steward.retention') = '1, daily=1'}, 'the policy is set');
for my $zone ('Pacific/Pago_Pago', 'Pacific/Kiritimati')
{
	$node->set(log_timezone => $zone);
	$node->sql('SELECT pg_reload_conf()');
	$node->wait_for_sql("SELECT current_setting('log_timezone') = '$zone'", "the server's zone is $zone");
	is($node->sql(qq{SELECT reason LIKE '%daily ' || to_char(stopped_at AT TIME ZONE '$zone', 'YYYY-MM-DD') FROM steward.expire(dry_run => true), steward.backups
		WHERE kind = 'backup' AND name = 'b4' AND label = 'b4'}), 't', 'its days are those of expiry');
}
is($node->sql(q{SELECT kept FROM steward.keep('b3', note => 'for the auditors')}), 't', 'steward.keep() pins');
$before = all_files();
is($node->sql(q{SELECT string_agg(name || ' ' || verdict, ' ' ORDER BY name) FROM steward.expire(dry_run => true) WHERE kind = 'backup'}),
	'b3 keep b4 keep', 'a dry run sees the pin');
is(all_files(), $before, 'and changes nothing');
is($node->sql(q{SELECT kept FROM steward.keep('b3', keep => false)}), 'f', 'steward.keep(keep => false) releases');
is($node->sql(q{SELECT string_agg(name || ' ' || verdict, ' ' ORDER BY name) FROM steward.expire() WHERE kind = 'backup'}), 'b3 remove b4 keep', 'steward.expire() tells what it did');
is(labels(), 'b4', 'and did it');
is($node->sql(q{SELECT job, result, summary ~ '^removed 1 backup, ', bytes > 0 FROM steward.jobs WHERE job = 'expire' ORDER BY number DESC LIMIT 1}), 'expire|succeeded|t|t', 'it is recorded');
($code, undef, $err) = $node->psql('postgres', q{SELECT * FROM steward.keep('b3')});
isnt($code, 0, 'keeping what is gone is refused');
like($err, qr/there is no backup "b3"/, 'by name');

$node->stop('fast');
done_testing();
