#include "program/password/role_session.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/format.h"
#include "core/crypto/scram_verifier.h"
#include "core/postgres/sql_quoting.h"

namespace steward {

namespace {

enum Column : size_t { kOid, kName, kSuperuser, kCanLogin, kConnectionLimit, kVerifier, kValidUntil, kColumns };

/// valid_until as the 64-bit number it is, so that no setting has a say in how it looks.
constexpr std::array<std::string_view, kColumns> kExpressions = {
    "r.oid", "r.rolname", "r.rolsuper", "r.rolcanlogin", "r.rolconnlimit", "r.rolpassword", "pg_catalog.encode(pg_catalog.timestamptz_send(r.rolvaliduntil), 'hex')",
};

template <typename Number>
std::optional<Number> number_in(const std::optional<std::string>& text, int base = 10) {
    Number number{};
    if (!text) return std::nullopt;
    const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), number, base);
    if (problem != std::errc() || end != text->data() + text->size()) return std::nullopt;
    return number;
}

Result<Role> role_of(SingleUserRow& row) {
    const auto oid = number_in<Oid>(row[kOid]);
    const auto limit = number_in<int32_t>(row[kConnectionLimit]);
    const auto valid_until = number_in<uint64_t>(row[kValidUntil], 16);
    if (!oid || !limit || !row[kName] || (row[kValidUntil] && !valid_until)) return Error(ErrorCode::server_raised, "a row of \"pg_authid\" is not understood");
    Role role;
    role.oid = *oid;
    role.name = std::move(*row[kName]);
    role.superuser = row[kSuperuser] == "true";
    role.can_login = row[kCanLogin] == "true";
    role.connection_limit = *limit;
    role.verifier = row[kVerifier].value_or("");
    if (valid_until) role.valid_until = static_cast<int64_t>(*valid_until);
    return role;
}

}  // namespace

Result<std::vector<Role>> select_roles(SingleUserSession& session, const CancelToken& cancel) {
    TRY_ASSIGN(std::vector<SingleUserRow> rows, session.select(kExpressions, "FROM pg_catalog.pg_authid r ORDER BY r.oid", cancel));
    std::vector<Role> roles;
    for (SingleUserRow& row : rows) {
        TRY_ASSIGN(Role role, role_of(row));
        roles.push_back(std::move(role));
    }
    return roles;
}

Result<int> select_scram_iterations(SingleUserSession& session, const CancelToken& cancel) {
    constexpr std::array<std::string_view, 1> kSetting = {"pg_catalog.current_setting('scram_iterations', true)"};
    TRY_ASSIGN(const std::vector<SingleUserRow> rows, session.select(kSetting, "", cancel));
    return rows.empty() ? kScramIterations : number_in<int>(rows.front().front()).value_or(kScramIterations);
}

Result<void> change_role(SingleUserSession& session, const std::string& statement, const Role& wanted) {
    const CancelSource never;
    TRY(session.execute(statement, never.get_token()));
    TRY_ASSIGN(const std::vector<Role> roles, select_roles(session, never.get_token()));
    if (std::ranges::find(roles, wanted) != roles.end()) return {};
    return Error(ErrorCode::server_raised, formatted("role {} is not as it was to be", quote_sql_identifier(wanted.name)))
        .detail("What was read back after the change differs from what was sent.");
}

}  // namespace steward
