# The module loads at server start, and the extension can be created.
use Steward::Test;

my $node = Steward::Node->create('primary', archiving => 0);
$node->start;

is($node->sql('SHOW shared_preload_libraries'), 'pg_steward', 'the server runs with the module preloaded');
$node->sql('CREATE EXTENSION pg_steward');
is( $node->sql(q{SELECT extversion = default_version FROM pg_extension e
		JOIN pg_available_extensions a ON a.name = e.extname WHERE extname = 'pg_steward'}),
	't', 'the extension is created in its default version');
is($node->sql('SELECT 1'), '1', 'the server answers after the extension was created');

$node->stop;
done_testing();
