#include "program/upgrade/upgrade_check.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/role_list.h"
#include "core/restore/target_directory.h"
#include "core/upgrade/check_cluster.h"
#include "core/upgrade/new_cluster_settings.h"
#include "core/upgrade/pg_upgrade_report.h"
#include "program/server_version.h"
#include "program/single_user/offline_cluster.h"
#include "program/upgrade/ask_pg_upgrade.h"
#include "program/upgrade/cluster_catalogs.h"
#include "program/upgrade/read_facts.h"
#include "program/upgrade/trial_cluster.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr Oid kBootstrapSuperuser = 10;

void append(std::vector<UpgradeFinding>& findings, std::vector<UpgradeFinding> more) { std::ranges::move(more, std::back_inserter(findings)); }

/// The live process that a lock file names. No server works in the directory, so it is another program, or a server of another directory.
std::optional<int> find_lock_holder(const fs::path& data_directory) {
    constexpr uint64_t kMostContent = 1 << 16;
    const Result<Bytes> content = read_file(data_directory / "postmaster.pid", kMostContent);
    if (!content.ok()) return std::nullopt;
    const std::string_view text = as_text(*content);
    int pid = 0;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    if (pid <= 0 || pid == ::getpid() || pid == ::getppid() || (::kill(pid, 0) != 0 && errno == ESRCH)) return std::nullopt;
    return pid;
}

std::string superuser_of(const fs::path& data_directory) {
    const Result<std::vector<Role>> roles = read_roles(data_directory);
    if (roles.ok())
        for (const Role& role : *roles)
            if (role.oid == kBootstrapSuperuser) return role.name;
    return "postgres";
}

class Check {
public:
    Check(const UpgradeCheckInputs& inputs, RetryTimer& timer, const CancelToken& cancel) : in_(inputs), timer_(timer), cancel_(cancel) {}

    Result<UpgradeCheckReport> run() {
        TRY_ASSIGN(cluster_, look_at_cluster(in_.data_directory));
        report_.data_directory = cluster_.data_directory;
        report_.hop = {cluster_.major, in_.to};
        report_.running = find_running_server(cluster_.data_directory).has_value();
        TRY(become_owner(cluster_));
        TRY_ASSIGN(server_, find_single_user_server(cluster_, in_.bindir, in_.config_file));
        report_.bindir = server_.program.parent_path();
        TRY_ASSIGN(report_.new_bindir, find_new_bindir(in_.new_bindir, report_.bindir, report_.hop));
        if (!is_in_the_way_of_asking()) TRY(ask());
        sort_by_weight(report_.findings);
        return std::move(report_);
    }

private:
    /// A standby's catalogs, or those of a cluster that crashed, cannot be asked without changing it.
    bool is_in_the_way_of_asking() {
        OldClusterFacts known;
        known.data_directory = cluster_.data_directory;
        known.running = report_.running;
        known.was_shut_down = cluster_.was_shut_down();
        if (!known.running) known.lock_holder = find_lock_holder(known.data_directory);
        std::error_code problem;
        for (const std::string_view name : {std::string_view("standby.signal"), std::string_view("recovery.signal"), kRestoreMarker})
            if (fs::exists(known.data_directory / name, problem)) known.files.emplace_back(name);
        append(report_.findings, check_old_cluster(known, report_.hop));
        return !report_.findings.empty();
    }

    Result<std::unique_ptr<ClusterCatalogs>> open_catalogs() const {
        if (!report_.running) return offline_catalogs(server_, timer_);
        TRY_ASSIGN(ServerAddress address, find_server_address(cluster_.data_directory));
        address.psql = report_.bindir / "psql";
        address.user = in_.username.empty() ? superuser_of(cluster_.data_directory) : in_.username;
        return online_catalogs(std::move(address), timer_);
    }

    Result<void> ask() {
        TRY_ASSIGN(const std::unique_ptr<ClusterCatalogs> catalogs, open_catalogs());
        TRY_ASSIGN(const OldClusterFacts old, read_old_cluster(cluster_.data_directory, cluster_.major, report_.running, *catalogs, server_.database, cancel_));
        append(report_.findings, check_old_cluster(old, report_.hop));
        TRY_ASSIGN(std::vector<UpgradeFinding> found, run_catalog_checks(old, report_.hop, *catalogs, server_.database, cancel_));
        append(report_.findings, std::move(found));
        TRY(catalogs->finish(cancel_));
        report_.methods = judge_methods(report_.hop, old.transfer);
        append(report_.findings, check_methods(report_.methods));
        TRY_ASSIGN(const TrialCluster trial, TrialCluster::make(report_.new_bindir, in_.to, old.traits, timer_, cancel_));
        TRY_ASSIGN(const NewMajorFacts offered, read_new_major(old, trial, timer_, cancel_));
        append(report_.findings, check_new_major(old, offered));
        if (report_.running) return {};
        TRY(trial.configure(settings_for_pg_upgrade(old, offered, report_.hop)));
        return ask_pg_upgrade_too(old, trial);
    }

    /// Its word counts in the end.
    Result<void> ask_pg_upgrade_too(const OldClusterFacts& old, const TrialCluster& trial) {
        TRY_ASSIGN(const PgUpgradeReport said, ask_pg_upgrade(server_, old.traits.superuser, trial, timer_, cancel_));
        report_.pg_upgrade = said.content;
        append(report_.findings, explain_pg_upgrade(said, report_.findings));
        return {};
    }

    const UpgradeCheckInputs& in_;
    RetryTimer& timer_;
    const CancelToken& cancel_;
    OfflineCluster cluster_;
    SingleUserServer server_;
    UpgradeCheckReport report_;
};

}  // namespace

fs::path sibling_bindir(const fs::path& bindir, const UpgradeHop& hop) {
    fs::path sibling;
    for (const fs::path& part : bindir) sibling /= part == std::to_string(hop.from) ? fs::path(std::to_string(hop.to)) : part;
    return sibling;
}

Result<fs::path> find_new_bindir(const fs::path& asked, const fs::path& old_bindir, const UpgradeHop& hop) {
    if (hop.to <= hop.from) return Error(ErrorCode::usage, formatted("{} is no upgrade for a cluster of {}", hop.to, hop.from)).hint("Name a newer major with --to.");
    const fs::path bindir = asked.empty() ? sibling_bindir(old_bindir, hop) : asked;
    for (const std::string_view program : {"postgres", "initdb", "pg_upgrade", "pg_dump", "pg_restore", "psql", "vacuumdb"}) {
        std::error_code problem;
        if (!fs::exists(bindir / program, problem))
            return Error(ErrorCode::not_found, formatted("PostgreSQL {} has no program \"{}\"", hop.to, (bindir / program).native()))
                .hint(formatted("Install PostgreSQL {} (server and client programs), or name the directory of its programs with --new-bindir.", hop.to))
                .object((bindir / program).native());
    }
    TRY_ASSIGN(const int major, server_major_of(bindir));
    if (major == hop.to) return bindir;
    return Error(ErrorCode::wrong_version, formatted("the programs in \"{}\" are of PostgreSQL {}", bindir.native(), major))
        .hint(formatted("Name the directory of PostgreSQL {}'s programs with --new-bindir.", hop.to))
        .object(bindir.native());
}

size_t UpgradeCheckReport::count_of(FindingWeight weight) const { return static_cast<size_t>(std::ranges::count(findings, weight, &UpgradeFinding::weight)); }

Result<UpgradeCheckReport> check_upgrade(const UpgradeCheckInputs& inputs, RetryTimer& timer, const CancelToken& cancel) { return Check(inputs, timer, cancel).run(); }

}  // namespace steward
