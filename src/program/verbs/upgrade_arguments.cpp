#include "program/verbs/upgrade_arguments.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "core/base/format.h"
#include "program/console.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr int kMostJobs = 64;

fs::path absolute_unless_empty(const std::string& path) { return path.empty() ? fs::path() : fs::absolute(path); }

}  // namespace

void UpgradeArguments::add(CLI::App& app) {
    jobs = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMostJobs);
    auto* const target = app.add_option("--to", to, "The new major, for example 18; needed unless an upgrade is under way")->type_name("MAJOR");
    app.add_option("--path", path, "Several majors one after another, for example 15,17,18, instead of --to")->delimiter(',')->type_name("MAJORS")->excludes(target);
    app.add_option("--method", method, "copy, clone, copy-file-range, link, swap or dump (default: the quickest that leaves the old cluster as it is)")->type_name("METHOD");
    app.add_option("--bindir", bindir, "Programs of the old major (default: those the server was last started with)")->type_name("DIR");
    app.add_option("--new-bindir", new_bindirs, "Programs of the new major, or with --path of each (default: where the old ones are, with the other number)")
        ->type_name("DIR")
        ->allow_extra_args(false);
    app.add_option("--config-file", config_file, "The old server's postgresql.conf (default: the one it was last started with)")->type_name("FILE");
    app.add_option("--jobs", jobs, "How much is done side by side (default: the number of processors)")->type_name("N")->check(CLI::Range(1, kMostJobs));
    app.add_flag("--no-statistics", no_statistics, "Leave the tables that have no statistics afterwards without");
}

Result<UpgradeRunInputs> UpgradeArguments::make_inputs(const SettingOptions& settings) const {
    UpgradeRunInputs inputs;
    TRY_ASSIGN(inputs.data_directory, settings.require_data_directory());
    inputs.path = path;
    if (to != 0) inputs.path = {to};
    if (!method.empty() && method != "auto") {
        inputs.method = parse_transfer_method(method);
        if (!inputs.method) return Error(ErrorCode::usage, formatted("there is no method \"{}\"", method)).hint("There are copy, clone, copy-file-range, link, swap and dump.");
    }
    inputs.bindir = absolute_unless_empty(bindir);
    for (const std::string& each : new_bindirs) inputs.new_bindirs.push_back(fs::absolute(each));
    inputs.config_file = absolute_unless_empty(config_file);
    if (no_statistics) inputs.statistics = false;
    inputs.jobs = jobs;
    return inputs;
}

std::function<void(const std::string&)> teller(OutputFormat format) {
    if (format == OutputFormat::kJson) return [](const std::string&) {};
    // Nothing is stopped because nobody looks on any more.
    return [](const std::string& line) { static_cast<void>(print(line.ends_with('\n') ? line : line + "\n").ok()); };
}

}  // namespace steward
