# A restore to every kind of recovery target comes back at exactly that moment.
use Steward::Test;

my $node = Steward::Node->create('primary', initdb => ['--data-checksums']);
$node->start;
$node->sql('CREATE EXTENSION pg_steward');
$node->sql('CREATE TABLE t (i int PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())');
$node->sql('INSERT INTO t VALUES (1)');
$node->sql(q{SELECT * FROM steward.backup(label => 'early')});

# Moments, each after one more row.
sub add_row { my ($i) = @_; return $node->sql("INSERT INTO t VALUES ($i) RETURNING pg_current_xact_id()::text"); }
my $xid2 = add_row(2);
$node->sql('SELECT pg_sleep(0.01)');    # so that no two commits have the same time
my $time2 = $node->sql('SELECT clock_timestamp()');
$node->sql('SELECT pg_sleep(0.01)');
my $xid3 = add_row(3);
my $lsn3 = $node->sql('SELECT pg_current_wal_insert_lsn()');
add_row(4);
$node->sql(q{SELECT pg_create_restore_point('before five')});
add_row(5);
$node->sql(q{SELECT * FROM steward.backup(label => 'late')});
add_row(6);
$node->sql('SELECT pg_sleep(0.01)');
my $time6 = $node->sql(q{SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC' + interval '3 hours 30 minutes', 'YYYY-MM-DD HH24:MI:SS.US') || '+03:30'});
$node->sql('SELECT pg_sleep(0.01)');
add_row(7);
$node->sql('SELECT steward.archive_now()');

my @promote = ('--target-action', 'promote');
my @cases = (
	[ 'latest', [], 7 ],
	[ 'time', [ '--target-time', $time2, @promote ], 2 ],
	[ 'time_in_another_zone', [ '--target-time', $time6, @promote ], 6 ],
	[ 'xid', [ '--target-xid', $xid3, @promote ], 3 ],
	[ 'xid_exclusive', [ '--target-xid', $xid3, '--target-exclusive', @promote ], 2 ],
	[ 'name', [ '--target-name', 'before five', @promote ], 4 ],
	[ 'lsn', [ '--target-lsn', $lsn3, @promote ], 3 ],
	[ 'immediate', [ '--target-immediate', @promote ], 5 ],
	[ 'immediate_from_an_older_backup', [ '--target-immediate', '--backup', 'early', @promote ], 1 ],
	[ 'latest_from_an_older_backup', [ '--backup', 'early' ], 7 ],
);
for my $case (@cases)
{
	my ($name, $arguments, $rows) = @$case;
	my $restored = Steward::Node->restored($name, $node, arguments => $arguments);
	$restored->start_and_promote;
	is($restored->sql('SELECT count(*), max(i) FROM t'), "$rows|$rows", "$name: comes back with $rows rows");
	is($restored->dump_text, $node->dump_text, "$name: the dump equals the original's") if $name eq 'latest';
	$restored->amcheck_ok if $name eq 'latest';
	$restored->stop;
}

# Actions other than promotion.
my $paused = Steward::Node->restored('paused', $node, arguments => [ '--target-name', 'before five', '--target-action', 'pause' ]);
$paused->start;
$paused->wait_for_sql(q{SELECT pg_get_wal_replay_pause_state() = 'paused'}, 'recovery pauses at the target');
is($paused->sql('SELECT max(i) FROM t'), '4', 'and what is there can be looked at');
$paused->stop;
my $down = Steward::Node->restored('down', $node, arguments => [ '--target-lsn', $lsn3, '--target-action', 'shutdown' ]);
# It may be down again before pg_ctl has seen it up.
$down->run_log([ 'pg_ctl', '-D', $down->data_dir, '-l', $down->logfile, '-w', 'start' ]);
poll_until(sub { !-e $down->data_dir . '/postmaster.pid' }, 'the server has shut down');
like(slurp($down->logfile), qr/shutdown at recovery target/, 'recovery shuts down at the target');

# Targets that cannot be reached: one clear error, nothing written.
my $directory = $node->basedir . '/never';
my @restore = ('restore', '--repository', 'file://' . $node->repository_dir, '--data-dir', $directory);
my @unreachable = (
	[ 'a time before the first backup', [ '--target-time', '2001-01-01 00:00:00Z' ], 20 ],
	[ 'a time after the end of WAL', [ '--target-time', '2999-01-01 00:00:00Z' ], 20 ],
	[ 'an LSN before the first backup', [ '--target-lsn', '0/1000' ], 20 ],
	[ 'an LSN after the end of WAL', [ '--target-lsn', 'FF/0' ], 20 ],
	[ 'an unknown restore point', [ '--target-name', 'nobody made this' ], 20 ],
	[ 'a transaction that never was', [ '--target-xid', '4000000' ], 20 ],
	[ 'an unknown backup', [ '--backup', 'nobody' ], 5 ],
	[ 'a time without zone', [ '--target-time', '2026-01-01 00:00:00' ], 4 ],
	[ 'a malformed LSN', [ '--target-lsn', 'x' ], 4 ],
	[ 'an unknown timeline', [ '--target-timeline', '9' ], 20 ],
);
for my $case (@unreachable)
{
	my ($what, $arguments, $status) = @$case;
	my $err = program_fails([ @restore, @$arguments ], $status, qr/^pg_steward: error: /m, $what);
	is(scalar(() = $err =~ /error: /g), 1, "$what: one error");
	like($err, qr/hint: /, "$what: with a hint");
	ok(!-e $directory, "$what: nothing is written");
}

# The dry run prints the plan and writes nothing.
my $plan = program_ok([ @restore, '--target-name', 'before five', '--dry-run' ], 'dry run');
like($plan, qr/early/, 'the plan names the backup');
like($plan, qr/before five/, 'and the target');
ok(!-e $directory, 'and nothing is written');
$node->stop;
done_testing();
