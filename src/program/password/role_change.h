// What is done to a role so that it can log in with a new password, and how that is taken back.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/postgres/role_list.h"

namespace steward {

/// What keeps a role from logging in, whatever its password.
enum class LoginObstacle { kNoLogin, kExpired, kNoConnections };

/// "NOLOGIN", "VALID UNTIL", "CONNECTION LIMIT 0".
std::string_view to_string(LoginObstacle obstacle);

/// A full sentence for the operator.
std::string describe(LoginObstacle obstacle, const Role& role);

/// What is in the way of `role` at `now`. A superuser's connections have no limit. Pure.
std::vector<LoginObstacle> login_obstacles(const Role& role, TimePoint now);

/// The statement that stores `verifier` and takes `cured` out of the way. Pure.
std::string change_statement(const Role& role, std::string_view verifier, std::span<const LoginObstacle> cured);

/// The statement that brings back what change_statement changes. It holds the old verifier: it is for its owner's eyes. Pure.
std::string undo_statement(const Role& before, std::span<const LoginObstacle> cured);

/// The role after the change. Pure.
Role changed_role(Role role, std::string_view verifier, std::span<const LoginObstacle> cured);

/// Find a role by its name, byte for byte. Errors: not_found with the list of login roles. Pure.
Result<Role> find_role(std::span<const Role> roles, std::string_view name);

}  // namespace steward
