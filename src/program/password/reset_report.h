// What a password reset found and did, for people and for programs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/postgres/role_list.h"
#include "program/password/role_change.h"

namespace steward {

struct ResetReport {
    std::string role;                      ///< as it was asked for
    std::optional<Role> before;            ///< nothing when a dry run could not tell
    std::vector<LoginObstacle> obstacles;
    bool enable_login = false;             ///< the obstacles are, or would be, taken out of the way
    bool needs_recovery = false;           ///< the cluster was not shut down in order
    bool kept = false;                     ///< the role has this password already: nothing was changed
    bool dry_run = false;
    std::string statement;                 ///< of a dry run: what would be sent, without the verifier
    int iterations = 0;                    ///< of the new verifier; 0 in a dry run
    std::vector<std::string> notes;        ///< full sentences
};

/// For people. No verifier and no password is in it.
std::string render_reset(const ResetReport& report);

/// One JSON object and a newline. `password` is what --generate made, empty otherwise; it is in the object then.
std::string render_reset_json(const ResetReport& report, std::string_view password);

}  // namespace steward
