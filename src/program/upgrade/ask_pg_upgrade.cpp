#include "program/upgrade/ask_pg_upgrade.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/upgrade/check_cluster.h"
#include "program/captured_program.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMostList = uint64_t{16} << 20;

/// An argument in what pg_upgrade passes to pg_ctl: within double quotes of one shell, and then as it is to another.
std::string quote_for_options(std::string_view text) {
    std::string quoted;
    for (const char c : quote_for_shell(text)) {
        if (c == '\\' || c == '"' || c == '$' || c == '`') quoted += '\\';
        quoted += c;
    }
    return quoted;
}

/// The old server is started by pg_upgrade, which must get in whatever pg_hba.conf says, and find its configuration. One that is kept elsewhere may
/// name another directory.
std::string old_options(const SingleUserServer& old, const TrialCluster& trial) {
    return formatted("-c {} -c {} -c {}", quote_for_options("config_file=" + old.config_file.native()), quote_for_options("data_directory=" + old.data_directory.native()),
                     quote_for_options("hba_file=" + (trial.data_directory() / "pg_hba.conf").native()));
}

/// Its lists are in its current directory, and from 15 on in a directory below the new data directory.
std::vector<PgUpgradeList> read_lists(const TrialCluster& trial) {
    std::vector<PgUpgradeList> lists;
    const auto add_from = [&](const fs::path& directory) {
        std::error_code problem;
        for (fs::directory_iterator entry(directory, problem), end; !problem && entry != end; entry.increment(problem)) {
            if (entry->path().extension() != ".txt") continue;
            if (const Result<Bytes> content = read_file(entry->path(), kMostList); content.ok()) lists.push_back({entry->path().filename(), std::string(as_text(*content))});
        }
    };
    add_from(trial.scratch());
    std::error_code problem;
    for (fs::directory_iterator run(trial.data_directory() / "pg_upgrade_output.d", problem), end; !problem && run != end; run.increment(problem)) add_from(run->path());
    std::ranges::sort(lists, {}, &PgUpgradeList::file);
    return lists;
}

}  // namespace

Result<PgUpgradeReport> ask_pg_upgrade(const SingleUserServer& old, const std::string& superuser, const TrialCluster& trial, RetryTimer& timer, const CancelToken& cancel) {
    // Where it writes.
    if (::chdir(trial.scratch().c_str()) != 0) return Error::from_errno(errno, formatted("could not change to directory \"{}\"", trial.scratch().native()));
    Result<CapturedProgram> program =
        run_captured({(trial.bindir() / "pg_upgrade").native(), "--check", "--retain", "--old-bindir", old.program.parent_path().native(), "--new-bindir", trial.bindir().native(),
                      "--old-datadir", old.data_directory.native(), "--new-datadir", trial.data_directory().native(), "--username", superuser, "--socketdir",
                      trial.sockets().native(), "--old-port", "50432", "--new-port", "50432", "--old-options", old_options(old, trial)},
                     timer, cancel);
    if (::chdir("/") != 0) return Error::from_errno(errno, "could not change to directory \"/\"");
    if (!program.ok()) return std::move(program).error();
    return PgUpgradeReport{.content = program->succeeded(), .said = program->failure(), .lists = read_lists(trial)};
}

}  // namespace steward
