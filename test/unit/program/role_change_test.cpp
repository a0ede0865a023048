#include "program/password/role_change.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "core/base/format.h"
#include "program/single_user/single_user_command.h"

namespace steward {
namespace {

const TimePoint kNow = parse_time("2026-11-21T12:00:00Z").value();

Role blocked_role() {
    Role role;
    role.oid = 16384;
    role.name = "x\"\n";
    role.connection_limit = 0;
    role.valid_until = 0;
    role.verifier = "md5" + std::string(32, 'a');
    return role;
}

TEST(RoleChange, NamesWhatIsInTheWay) {
    const auto obstacles = login_obstacles(blocked_role(), kNow);
    EXPECT_EQ(obstacles, (std::vector{LoginObstacle::kNoLogin, LoginObstacle::kExpired, LoginObstacle::kNoConnections}));
    EXPECT_EQ(describe(obstacles[1], blocked_role()), "The role's password is not valid any more (VALID UNTIL 2000-01-01T00:00:00.000000Z).");
    Role superuser = blocked_role();
    superuser.superuser = superuser.can_login = true;
    superuser.valid_until.reset();
    EXPECT_TRUE(login_obstacles(superuser, kNow).empty());
}

TEST(RoleChange, ChangesThePasswordAlone) {
    const std::vector<LoginObstacle> none;
    EXPECT_EQ(change_statement(blocked_role(), "v", none), R"(ALTER ROLE U&"x""\000A" PASSWORD 'v')");
    Role wanted = blocked_role();
    wanted.verifier = "v";
    EXPECT_EQ(changed_role(blocked_role(), "v", none), wanted);
    EXPECT_EQ(undo_statement(blocked_role(), none), formatted(R"(ALTER ROLE U&"x""\000A" PASSWORD '{}')", blocked_role().verifier));
    Role without = blocked_role();
    without.verifier.clear();
    EXPECT_EQ(undo_statement(without, none), R"(ALTER ROLE U&"x""\000A" PASSWORD NULL)");
}

TEST(RoleChange, LeavesNamesOfUnknownEncodingToTheServer) {
    Role role;
    role.oid = 16385;
    role.name = "\xff$do$";
    EXPECT_EQ(change_statement(role, "v", {}), "DO $do$ BEGIN EXECUTE pg_catalog.format('ALTER ROLE %I %s', (SELECT rolname FROM pg_catalog.pg_authid WHERE oid = 16385), "
                                               "'PASSWORD ''v'''); END $do$");
    EXPECT_TRUE(undo_statement(role, {}).ends_with("'PASSWORD NULL'); END $do$"));
}

TEST(RoleChange, CuresAndCanBeUndone) {
    const auto cured = login_obstacles(blocked_role(), kNow);
    EXPECT_TRUE(change_statement(blocked_role(), "v", cured).ends_with("PASSWORD 'v' LOGIN VALID UNTIL 'infinity' CONNECTION LIMIT -1"));
    EXPECT_TRUE(undo_statement(blocked_role(), cured).ends_with(" NOLOGIN VALID UNTIL '2000-01-01T00:00:00.000000Z' CONNECTION LIMIT 0"));
    const Role wanted = changed_role(blocked_role(), "v", cured);
    EXPECT_TRUE(login_obstacles(wanted, kNow).empty());
    EXPECT_EQ(wanted.valid_until, std::numeric_limits<int64_t>::max());
}

TEST(RoleChange, ListsLoginRolesWhenThereIsNoSuchRole) {
    std::vector<Role> roles(3);
    roles[0].name = "b";
    roles[1].name = "a";
    roles[2].name = "group";
    roles[0].can_login = roles[1].can_login = true;
    EXPECT_EQ(find_role(roles, "group").value().name, "group");
    const Error error = find_role(roles, "A").error();
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_EQ(error.detail(), R"(The roles that can log in are "a", "b".)");
    EXPECT_EQ(find_role({}, "A").error().detail(), "There is no role that can log in.");
}

TEST(SingleUserCommand, LoadsNothingAndLogsNoStatement) {
    const std::vector<std::string> words = single_user_command({"/bin/postgres", 15, "/d", "/etc/c.conf", "template1"});
    const auto has = [&](const std::string& word) { return std::ranges::find(words, word) != words.end(); };
    EXPECT_EQ(words.front(), "/bin/postgres");
    EXPECT_EQ(words[1], "--single");
    EXPECT_EQ(words.back(), "template1");
    for (const char* const word : {"-j", "shared_preload_libraries=", "session_preload_libraries=", "local_preload_libraries=", "archive_library=", "log_statement=none",
                                   "log_min_error_statement=panic", "log_min_duration_statement=-1", "logging_collector=off", "config_file=/etc/c.conf", "data_directory=/d"})
        EXPECT_TRUE(has(word)) << word;
    EXPECT_FALSE(has("transaction_timeout=0"));
    const std::vector<std::string> of_13 = single_user_command({"/bin/postgres", 13, "/d", "/etc/c.conf", "template1"});
    EXPECT_EQ(std::ranges::find(of_13, "archive_library="), of_13.end());
}

}  // namespace
}  // namespace steward
