// What `upgrade run` and `upgrade rehearse` ask alike on their command lines: which upgrade, and how.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

#include "program/commands.h"
#include "program/upgrade/upgrade_run.h"

namespace steward {

/// Options of an upgrade, as they were typed. Lives as long as the parser.
struct UpgradeArguments {
    /// Add --to, --path, --method and what belongs to them.
    void add(CLI::App& app);

    /// Turn them into an upgrade of the directory that `settings` name. Errors: usage.
    Result<UpgradeRunInputs> make_inputs(const SettingOptions& settings) const;

    int to = 0;
    std::vector<int> path;
    std::string method, bindir, config_file;
    std::vector<std::string> new_bindirs;
    bool no_statistics = false;
    int jobs = 1;
};

/// Prints lines as the work goes on; with JSON, which is one object at the end, nothing.
std::function<void(const std::string&)> teller(OutputFormat format);

}  // namespace steward
