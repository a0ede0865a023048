// The verbs of the command line. Each adds itself to the parser and says what to run.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/postgres/configuration.h"
#include "program/configuration.h"

namespace steward {

/// Returns the exit status.
using Command = std::function<Result<int>()>;

/// The command that the parser met; empty until then.
struct ChosenCommand {
    Command run;
};

/// Options for settings, made of the one table, and those every reading verb has. Lives as long as the parser.
class SettingOptions {
public:
    /// Add --config, --data-dir and a flag for each setting in `names` to `app`.
    SettingOptions(CLI::App& app, const std::vector<std::string>& names);

    /// The data directory of --data-dir or PGDATA, empty when neither is given. Not made absolute.
    std::filesystem::path data_directory() const;
    /// The same, absolute. Errors: usage when none is given.
    Result<std::filesystem::path> require_data_directory() const;
    bool has_flag(const std::string& name) const { return flags_.contains(name); }

    Result<Settings> resolve() const;
    /// The same, with what a server's configuration says in the last place: one outside the data directory is not found by itself.
    Result<Settings> resolve_with(const ServerConfiguration& server) const;

private:
    ConfigurationSources sources() const;

    std::string config_file_;
    std::string data_directory_;
    std::map<std::string, std::string> flags_;
};

/// Exit status of wal-get when it failed. Above 128, so that the server ends with an error instead of taking it for the end of
/// the WAL (RestoreArchivedFile in xlogarchive.c, wait_result_is_any_signal).
inline constexpr int kWalGetFailed = 255;

enum class OutputFormat { kText, kJson };

/// Add --output text|json to `app`.
void add_output_option(CLI::App& app, OutputFormat& format);

/// Add --system-identifier N to `app`: of a cluster that had the cluster's name before, as ReadingContext wants it.
CLI::Option* add_system_option(CLI::App& app, std::optional<uint64_t>& system_identifier);

/// Run `command` of `app` when the parser meets it.
void on_chosen(CLI::App& app, ChosenCommand& chosen, Command command);

void add_doctor_command(CLI::App& program, ChosenCommand& chosen);
void add_drill_command(CLI::App& program, ChosenCommand& chosen);
void add_info_command(CLI::App& program, ChosenCommand& chosen);
void add_expire_command(CLI::App& program, ChosenCommand& chosen);
void add_keep_command(CLI::App& program, ChosenCommand& chosen);
void add_permissions_command(CLI::App& program, ChosenCommand& chosen);
void add_preseed_command(CLI::App& program, ChosenCommand& chosen);
void add_reset_password_command(CLI::App& program, ChosenCommand& chosen);
void add_restore_command(CLI::App& program, ChosenCommand& chosen);
void add_start_command(CLI::App& program, ChosenCommand& chosen);
void add_succeed_command(CLI::App& program, ChosenCommand& chosen);
void add_upgrade_command(CLI::App& program, ChosenCommand& chosen);
void add_verify_command(CLI::App& program, ChosenCommand& chosen);
void add_wal_get_command(CLI::App& program, ChosenCommand& chosen);
void add_engine_command(CLI::App& program, ChosenCommand& chosen);
void add_reference_command(CLI::App& program, ChosenCommand& chosen);

}  // namespace steward
