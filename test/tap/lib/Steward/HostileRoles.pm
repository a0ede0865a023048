# Roles whose names and passwords are as hard as they can be, and what a test does with them.
package Steward::HostileRoles;

use strict;
use warnings;

use parent 'Exporter';
use IPC::Run ();
use Steward::Test;

our @EXPORT = qw(hostile_roles statement_making login_as reset_password_to);

# Password by role. 19 refuses names with newlines, also those that an upgrade would bring.
sub hostile_roles
{
	my ($major) = @_;
	my $newlines = $major >= 19 ? "\t\t" : "\n\n";
	return (
		"quo\"te'd" => "pass'word\"\\",
		"back\\slash" => "new\nline;\n\nDROP ROLE x;\n",
		"semi;${newlines}DROP ROLE plain;$newlines" => ' leading and trailing ',
		"\xc3\xbcml\xc3\xa4ut" => "u\xcc\x88\xc2\xad\xef\xac\x81\xe2\x85\xa8",
		'x' x 63 => 'long' x 2560,
		"not\xffutf8" => "\xff\xfe\xc2\xad",
		'$1 %s' => "\xf0\x9f\x98\x80 \x01",
	);
}

# SQL that makes a role with a password by its name's bytes. To be executed in a database that takes any bytes.
sub statement_making
{
	my ($role, $password) = @_;
	my $bytes = unpack('H*', $role);
	return "SET client_encoding = SQL_ASCII; SET password_encryption = 'scram-sha-256'; "
	  . "DO \$do\$ BEGIN EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', convert_from('\\x$bytes', 'SQL_ASCII'), '$password'); END \$do\$";
}

# Try to log in: "in", "refused", or what psql says. The password file of a client has no newlines; the environment has all but a zero byte.
sub login_as
{
	my ($role, $password, @connection) = @_;
	local $ENV{PGPASSWORD} = $password;
	local $ENV{PGUSER} = $role;
	local $ENV{PGCLIENTENCODING} = 'SQL_ASCII';
	my ($stdout, $stderr) = ('', '');
	IPC::Run::run([ 'psql', '-XAtw', @connection, '-c', 'SELECT 1' ], '>', \$stdout, '2>', \$stderr);
	return $? == 0 ? 'in' : $stderr =~ /password authentication failed/ ? 'refused' : $stderr;
}

# Run "pg_steward reset-password" with the password on standard input. Returns a hash: exit, stdout, stderr.
sub reset_password_to
{
	my ($password, @arguments) = @_;
	my ($stdout, $stderr) = ('', '');
	IPC::Run::run([ 'pg_steward', 'reset-password', @arguments ], '<', \$password, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(Steward::Test::timeout()));
	note("$stdout$stderr");
	return (exit => $? >> 8, stdout => $stdout, stderr => $stderr);
}

1;
