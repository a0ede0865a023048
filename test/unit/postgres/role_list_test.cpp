#include "core/postgres/role_list.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "postgres/real_server.h"

namespace steward {
namespace {

TEST(RoleTimes, AreThoseOfTheServer) {
    Role role;
    EXPECT_FALSE(has_expired(role, TimePoint{}));
    role.valid_until = std::numeric_limits<int64_t>::max();
    EXPECT_FALSE(has_expired(role, parse_time("2026-01-01T00:00:00Z").value()));
    EXPECT_EQ(format_valid_until(*role.valid_until), "infinity");
    role.valid_until = std::numeric_limits<int64_t>::min();
    EXPECT_TRUE(has_expired(role, TimePoint{}));
    EXPECT_EQ(format_valid_until(*role.valid_until), "-infinity");
    role.valid_until = 1;
    EXPECT_EQ(format_valid_until(1), "2000-01-01T00:00:00.000001Z");
    EXPECT_FALSE(has_expired(role, parse_time("2000-01-01T00:00:00.000001Z").value()));
    EXPECT_TRUE(has_expired(role, parse_time("2000-01-01T00:00:00.000002Z").value()));
}

TEST(RoleList, IsEmptyForWhatIsNoCatalog) {
    const auto all = [](uint32_t) { return std::optional<bool>(true); };
    EXPECT_TRUE(list_roles({}, all).empty());
    EXPECT_TRUE(list_roles(Bytes(8192, std::byte{0}), all).empty());
    EXPECT_TRUE(list_roles(Bytes(8192, std::byte{0x5A}), all).empty());
}

// Nothing looks at the catalog before the shutdown, so no row has a hint: the commit log must tell.
TEST(RoleList, IsThatOfARealServer) {
    const std::vector<InstalledServer> installed = installed_servers();
    REQUIRE_REAL_SERVERS(installed);
    for (const InstalledServer& one : installed) {
        SCOPED_TRACE(one.major);
        RealServer server(one);
        server.start("-c password_encryption=scram-sha-256 -c autovacuum=off");
        server.sql("CREATE ROLE plain");
        server.sql("CREATE ROLE limited LOGIN CONNECTION LIMIT 7 VALID UNTIL '2001-02-03 04:05:06+00'");
        server.sql("CREATE ROLE with_both LOGIN PASSWORD 'x' VALID UNTIL '2001-02-03 04:05:06+00'");
        server.sql("CREATE ROLE with_password LOGIN PASSWORD 'x'");
        server.sql("ALTER ROLE with_password RENAME TO renamed");
        server.sql("CREATE ROLE dropped");
        server.sql("DROP ROLE dropped");
        server.sql("BEGIN; CREATE ROLE undone; ROLLBACK");
        server.sql("BEGIN; ALTER ROLE plain LOGIN; ROLLBACK");
        server.stop();

        const std::vector<Role> roles = read_roles(server.data()).value();
        std::map<std::string, Role> by_name;
        for (const Role& role : roles) by_name[role.name] = role;
        EXPECT_FALSE(by_name.contains("dropped"));
        EXPECT_FALSE(by_name.contains("undone"));
        EXPECT_FALSE(by_name.contains("with_password"));
        EXPECT_EQ(by_name.at("postgres").oid, 10u);
        EXPECT_TRUE(by_name.at("postgres").superuser);
        const Role plain = by_name.at("plain");
        EXPECT_FALSE(plain.can_login || plain.superuser || plain.valid_until || !plain.verifier.empty());
        EXPECT_EQ(plain.connection_limit, -1);
        const Role limited = by_name.at("limited");
        EXPECT_TRUE(limited.can_login);
        EXPECT_EQ(limited.connection_limit, 7);
        EXPECT_TRUE(limited.verifier.empty());
        EXPECT_EQ(format_valid_until(*limited.valid_until), "2001-02-03T04:05:06.000000Z");
        const Role both = by_name.at("with_both");
        EXPECT_TRUE(both.verifier.starts_with("SCRAM-SHA-256$4096:"));
        EXPECT_EQ(both.valid_until, limited.valid_until);
        EXPECT_EQ(by_name.at("renamed").verifier.size(), both.verifier.size());
        EXPECT_FALSE(by_name.at("renamed").valid_until);
    }
}

}  // namespace
}  // namespace steward
