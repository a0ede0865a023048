#include "program/password/role_change.h"

#include <algorithm>
#include <limits>

#include "core/base/format.h"
#include "core/postgres/sql_quoting.h"

namespace steward {

namespace {

/// In an error; a cluster may have thousands.
constexpr size_t kMostListed = 30;

bool contains(std::span<const LoginObstacle> obstacles, LoginObstacle obstacle) { return std::ranges::find(obstacles, obstacle) != obstacles.end(); }

/// A name that is not all ASCII may be of another encoding than the database's, which takes no statement with it. The role is found by its OID
/// then, and its name goes into the statement inside the server.
std::string alter_role(const Role& role, std::string_view clauses) {
    const bool ascii = std::ranges::all_of(role.name, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (ascii) return formatted("ALTER ROLE {} {}", quote_sql_identifier(role.name), clauses);
    return formatted(
        "DO $do$ BEGIN EXECUTE pg_catalog.format('ALTER ROLE %I %s', (SELECT rolname FROM pg_catalog.pg_authid WHERE oid = {}), {}); END $do$", role.oid,
        quote_sql_literal(clauses));
}

std::string login_roles(std::span<const Role> roles) {
    std::vector<std::string> names;
    for (const Role& role : roles)
        if (role.can_login) names.push_back(quote_sql_identifier(role.name));
    if (names.empty()) return "There is no role that can log in.";
    std::ranges::sort(names);
    std::string text = "The roles that can log in are";
    for (size_t i = 0; i < std::min(names.size(), kMostListed); ++i) text += formatted("{} {}", i == 0 ? "" : ",", names[i]);
    return text + (names.size() > kMostListed ? formatted(" and {} others.", names.size() - kMostListed) : ".");
}

}  // namespace

std::string_view to_string(LoginObstacle obstacle) {
    switch (obstacle) {
        case LoginObstacle::kNoLogin: return "NOLOGIN";
        case LoginObstacle::kExpired: return "VALID UNTIL";
        case LoginObstacle::kNoConnections: break;
    }
    return "CONNECTION LIMIT 0";
}

std::string describe(LoginObstacle obstacle, const Role& role) {
    switch (obstacle) {
        case LoginObstacle::kNoLogin: return "The role cannot log in (NOLOGIN).";
        case LoginObstacle::kExpired: return formatted("The role's password is not valid any more (VALID UNTIL {}).", format_valid_until(*role.valid_until));
        case LoginObstacle::kNoConnections: break;
    }
    return "The role may have no connection (CONNECTION LIMIT 0).";
}

std::vector<LoginObstacle> login_obstacles(const Role& role, TimePoint now) {
    std::vector<LoginObstacle> obstacles;
    if (!role.can_login) obstacles.push_back(LoginObstacle::kNoLogin);
    if (has_expired(role, now)) obstacles.push_back(LoginObstacle::kExpired);
    if (role.connection_limit == 0 && !role.superuser) obstacles.push_back(LoginObstacle::kNoConnections);
    return obstacles;
}

std::string change_statement(const Role& role, std::string_view verifier, std::span<const LoginObstacle> cured) {
    std::string text = "PASSWORD " + quote_sql_literal(verifier);
    if (contains(cured, LoginObstacle::kNoLogin)) text += " LOGIN";
    if (contains(cured, LoginObstacle::kExpired)) text += " VALID UNTIL 'infinity'";
    if (contains(cured, LoginObstacle::kNoConnections)) text += " CONNECTION LIMIT -1";
    return alter_role(role, text);
}

std::string undo_statement(const Role& before, std::span<const LoginObstacle> cured) {
    std::string text = "PASSWORD " + (before.verifier.empty() ? "NULL" : quote_sql_literal(before.verifier));
    if (contains(cured, LoginObstacle::kNoLogin)) text += " NOLOGIN";
    if (contains(cured, LoginObstacle::kExpired)) text += formatted(" VALID UNTIL '{}'", format_valid_until(*before.valid_until));
    if (contains(cured, LoginObstacle::kNoConnections)) text += formatted(" CONNECTION LIMIT {}", before.connection_limit);
    return alter_role(before, text);
}

Role changed_role(Role role, std::string_view verifier, std::span<const LoginObstacle> cured) {
    role.verifier = verifier;
    if (contains(cured, LoginObstacle::kNoLogin)) role.can_login = true;
    if (contains(cured, LoginObstacle::kExpired)) role.valid_until = std::numeric_limits<int64_t>::max();
    if (contains(cured, LoginObstacle::kNoConnections)) role.connection_limit = -1;
    return role;
}

Result<Role> find_role(std::span<const Role> roles, std::string_view name) {
    const auto role = std::ranges::find(roles, name, &Role::name);
    if (role != roles.end()) return *role;
    return Error(ErrorCode::not_found, formatted("there is no role {}", quote_sql_identifier(name)))
        .detail(login_roles(roles))
        .hint("Names are compared byte for byte: mind upper and lower case.")
        .object(std::string(name));
}

}  // namespace steward
