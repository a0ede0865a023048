# The reference pages are what the program's own tables say, and the README shows only what is there.
use Steward::Test;

for my $page (qw(errors settings))
{
	is(program_ok([ 'reference', $page ], "the program prints page \"$page\""), slurp(source_dir() . "/docs/reference/$page.md"),
		"docs/reference/$page.md is what the program prints");
}

# Every option and setting that the README names.
my $readme = slurp(source_dir() . '/README.md');
my $help = join('', map { my %run = run_program(split(/ /), '--help'); $run{stdout} }
	'info', 'restore', 'verify', 'drill', 'wal-get', 'preseed', 'reset-password', 'permissions check', 'permissions fix', 'start', 'doctor',
	'upgrade check', 'upgrade rehearse', 'upgrade run', 'upgrade rollback', 'expire', 'succeed');
my %options = map { $_ => 1 } $readme =~ /(--[a-z][a-z-]+)/g;
delete $options{'--keep'};
like($help, qr/\Q$_\E\b/, "option $_ of the README exists") for sort keys %options;
my $settings = slurp(source_dir() . '/docs/reference/settings.md');
my %settings = map { $_ => 1 } $readme =~ /^steward\.([a-z_]+) =/mg;
like($settings, qr/^\| \Q$_\E \|/m, "setting steward.$_ of the README exists") for sort keys %settings;

# And every statement.
my $node = Steward::Node->create('primary', settings => { 'steward.retention' => '7d' });
$node->start;
for my $statement ($readme =~ /```sql\n(.*?)```/sg)
{
	for my $line (grep { /\S/ } split /\n/, $statement)
	{
		my ($code, undef, $err) = $node->psql('postgres', $line);
		is($code, 0, "works: $line") or diag($err);
	}
}
$node->stop;
done_testing();
