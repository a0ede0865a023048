// What is asked of `pg_steward start`, by flags and by environment variables.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/preseed/plan_seed.h"
#include "core/upgrade/transfer_method.h"

namespace steward {

/// The variables that start reads. A flag wins over its variable, an empty variable counts as none, and a value that is not understood is an
/// error.
inline constexpr std::string_view kVersionVariable = "PG_VERSION";
inline constexpr std::string_view kPasswordVariable = "POSTGRES_PASSWORD";
inline constexpr std::string_view kPasswordFileVariable = "POSTGRES_PASSWORD_FILE";
inline constexpr std::string_view kResetVariable = "RESET_PASSWORD";
inline constexpr std::string_view kStartVariable = "START_POSTGRES";
inline constexpr std::string_view kUpgradeVariable = "AUTO_UPGRADE";
inline constexpr std::array kStartVariables = {kVersionVariable, kPasswordVariable, kPasswordFileVariable, kResetVariable, kStartVariable, kUpgradeVariable};

/// As they were typed.
struct StartFlags {
    SeedRequest seed;
    std::string version;           ///< empty: not given; the same of the texts below
    std::string reset_role;
    std::string password_file;
    std::string upgrade_method;    ///< empty or "auto": the one that upgrades choose
    bool auto_upgrade = false;
    bool enable_login = false;
    bool skip_permissions = false;
    bool prepare_only = false;
    std::vector<std::string> server_options;
};

enum class PasswordSource { kNone, kFile, kVariable };

struct StartRequest {
    SeedRequest seed;
    std::optional<int> major;             ///< of the programs that are to run
    bool auto_upgrade = false;            ///< a cluster of an older major is upgraded, and an upgrade under way gone on with
    std::optional<TransferMethod> upgrade_method;
    std::string reset_role;               ///< empty: none
    bool enable_login = false;
    PasswordSource password = PasswordSource::kNone;
    std::filesystem::path password_file;  ///< kFile
    bool permissions = true;
    bool start = true;
    std::vector<std::string> server_options;
};

/// Merge both. `environment` has the variables of kStartVariables that are set; of the password it is enough whether it is empty. Errors: usage
/// for flags, configuration for variables, each naming it; usage for a role without a password. Pure.
Result<StartRequest> make_start_request(const StartFlags& flags, const std::map<std::string, std::string, std::less<>>& environment);

/// The major version of "18", "18.1", "19rc1" or a package's "17.2-1.pgdg120+1". Errors: invalid_argument. Pure.
Result<int> parse_server_version(std::string_view text);

}  // namespace steward
