# Errors cross between C++ and the server whole, in both directions and through each other; every destructor runs, and the
# session goes on.
use Steward::Test;

plan(skip_all => 'STEWARD_BOUNDARY_MODULE names no module') unless $ENV{STEWARD_BOUNDARY_MODULE};

my $node = Steward::Node->create('primary', preload => 0);
$node->start;
$node->sql(<<"SQL");
CREATE FUNCTION steward_boundary_fail(how text) RETURNS int LANGUAGE c STRICT AS '$ENV{STEWARD_BOUNDARY_MODULE}';
CREATE FUNCTION steward_boundary_nest(depth int, how text) RETURNS int LANGUAGE c STRICT AS '$ENV{STEWARD_BOUNDARY_MODULE}';
CREATE FUNCTION steward_boundary_live() RETURNS int LANGUAGE c AS '$ENV{STEWARD_BOUNDARY_MODULE}';
CREATE FUNCTION steward_boundary_made() RETURNS int LANGUAGE c AS '$ENV{STEWARD_BOUNDARY_MODULE}';
CREATE TABLE locked ();

-- What a caller that handles the error gets to see of it.
CREATE FUNCTION caught(depth int, how text) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE
	state text; message text; detail text; hint text; context text;
BEGIN
	LOCK TABLE locked;
	PERFORM steward_boundary_nest(depth, how);
	RETURN 'no error';
EXCEPTION WHEN OTHERS OR query_canceled THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
		hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws('|', state, message, detail, hint, context);
END \$\$;

-- For an error that nobody catches: a lock is held when it comes.
CREATE FUNCTION uncaught(depth int, how text) RETURNS int LANGUAGE plpgsql AS \$\$
BEGIN
	LOCK TABLE locked;
	RETURN steward_boundary_nest(depth, how);
END \$\$;
SQL

# Run statements in one session that goes on after errors. Returns standard output and standard error.
sub session
{
	my (@statements) = @_;
	my ($stdout, $stderr);
	$node->psql('postgres', join('', map { "$_;\n" } @statements), stdout => \$stdout, stderr => \$stderr,
		on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return ($stdout, $stderr);
}

my $locks = q{SELECT count(*) FROM pg_locks WHERE relation = 'locked'::regclass AND pid = pg_backend_pid()};
my $after = "SELECT 'alive', steward_boundary_live(), ($locks)";

is($node->sql(q{SELECT steward_boundary_fail('return')}), '7', 'a value is returned');
is($node->sql(q{SELECT steward_boundary_nest(5, 'return')}), '12', 'a value is returned through five crossings');

my %expected = (
	'error' => [
		'58P02', qr/returned by C\+\+ with 100%s/,
		'58P02|returned by C++ with 100%s|Detail of C++.|Hint of C++.|while one' . "\n" . 'while two'
	],
	'bare error' => [ 'XX000', qr/returned by C\+\+$/m, 'XX000|returned by C++|||' ],
	'runtime_error' => [
		'XX000', qr/unexpected exception: thrown by C\+\+/,
		'XX000|unexpected exception: thrown by C++||This is a bug in pg_steward: please report it.|'
	],
	'bad_alloc' => [ '53200', qr/out of memory/, '53200|out of memory|||' ],
	'int' => [
		'XX000', qr/unexpected exception: exception of unknown type/,
		'XX000|unexpected exception: exception of unknown type||This is a bug in pg_steward: please report it.|'
	],
	'server' => [
		'22012', qr/raised in the server/,
		'22012|raised in the server|Detail of the server.|Hint of the server.|context of the server'
	],
	'cancel' => [ '57014', qr/canceling statement due to user request/, '57014|canceling statement due to user request|||' ],
);

for my $how (sort keys %expected)
{
	my ($state, $message, $parts) = @{ $expected{$how} };
	for my $depth (0, 1, 4)
	{
		my ($stdout, $stderr) = session("SELECT uncaught($depth, '$how')", $after);
		like($stderr, qr/ERROR:  $state: /, "$how at depth $depth: its SQLSTATE reaches the client");
		like($stderr, $message, "$how at depth $depth: its message reaches the client");
		is($stdout, 'alive|0|0', "$how at depth $depth: the session lives, every destructor ran, the lock is released");

		# The subtransaction ends as the transaction did, and the caller's transaction goes on.
		($stdout) = session('BEGIN', "SELECT caught($depth, '$how')", $after, 'COMMIT');
		like($stdout, qr/^\Q$parts\E/, "$how at depth $depth: a handler in SQL gets every part");
		like($stdout, qr/^alive\|0\|0$/m, "$how at depth $depth: the transaction of the handler goes on");
		my $mentions = () = $stdout =~ /PL\/pgSQL function caught/g;
		is($mentions, 1, "$how at depth $depth: no line of context is told twice");
		my $crossings = () = $stdout =~ /SQL statement "SELECT steward_boundary_nest\(/g;
		is($crossings, $depth + 1, "$how at depth $depth: every crossing is in the context, once");
	}
}

# Between what the handler sees of each part stands nothing else: errors do not mix.
my ($mixed) = session(q{SELECT caught(2, 'server')}, q{SELECT caught(2, 'bare error')});
unlike($mixed =~ s/.*^XX000//smr, qr/of the server/, 'nothing of an earlier error is left in the next one');

my ($timeout_out, $timeout_err) =
  session(q{SET statement_timeout = '50ms'}, q{SELECT uncaught(2, 'sleep')}, 'RESET statement_timeout', $after);
like($timeout_err, qr/ERROR:  57014: canceling statement due to statement timeout/, 'a wait in the server ends at the timeout');
is($timeout_out, 'alive|0|0', 'after the timeout the session lives, every destructor ran, the lock is released');

my ($counts) = session((map { "SELECT uncaught(3, '$_')" } (sort keys %expected) x 20), 'SELECT steward_boundary_made() > 1000', $after);
is($counts, "t\nalive|0|0", 'hundreds of errors in one session leave nothing behind');

my ($aborted_out) = session('BEGIN', 'SAVEPOINT s', q{SELECT uncaught(1, 'server')}, 'ROLLBACK TO s', $after, 'COMMIT');
is($aborted_out, 'alive|0|0', 'a savepoint takes the session back to before the error');

$node->stop;
unlike(slurp($node->logfile), qr/PANIC|server process .* was terminated/, 'no process of the server died');
done_testing();
