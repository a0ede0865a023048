#include "program/upgrade/upgrade_check.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <system_error>
#include <utility>

#include "core/base/format.h"
#include "core/postgres/role_list.h"
#include "core/restore/target_directory.h"
#include "core/upgrade/check_cluster.h"
#include "program/captured_program.h"
#include "program/server_version.h"
#include "program/single_user/offline_cluster.h"
#include "program/upgrade/cluster_catalogs.h"
#include "program/upgrade/read_facts.h"
#include "program/upgrade/trial_cluster.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr Oid kBootstrapSuperuser = 10;

void append(std::vector<UpgradeFinding>& findings, std::vector<UpgradeFinding> more) { std::ranges::move(more, std::back_inserter(findings)); }

/// "/usr/lib/postgresql/15/bin" and 18 make "/usr/lib/postgresql/18/bin", for other layouts too that have the major as a directory.
fs::path sibling_bindir(const fs::path& bindir, const UpgradeHop& hop) {
    fs::path sibling;
    for (const fs::path& part : bindir) sibling /= part == std::to_string(hop.from) ? fs::path(std::to_string(hop.to)) : part;
    return sibling;
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
        if (in_.to <= cluster_.major)
            return Error(ErrorCode::usage, formatted("{} is no upgrade for a cluster of {}", in_.to, cluster_.major)).hint("Name a newer major with --to.");
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
        if (!report_.running) TRY(ask_pg_upgrade(old, trial));
        return {};
    }

    /// Its word counts in the end. What it complains about is a finding of its own when none of ours says it.
    Result<void> ask_pg_upgrade(const OldClusterFacts& old, const TrialCluster& trial) {
        // Where it writes, in majors before 15.
        if (::chdir(trial.scratch().c_str()) != 0) return Error::from_errno(errno, formatted("could not change to directory \"{}\"", trial.scratch().native()));
        Result<CapturedProgram> program =
            run_captured({(report_.new_bindir / "pg_upgrade").native(), "--check", "--old-bindir", report_.bindir.native(), "--new-bindir", report_.new_bindir.native(),
                          "--old-datadir", old.data_directory.native(), "--new-datadir", trial.data_directory().native(), "--username", old.traits.superuser,
                          "--socketdir", trial.scratch().native(), "--old-port", "50432", "--new-port", "50432", "--old-options", old_options(trial)},
                         timer_, cancel_);
        if (::chdir("/") != 0) return Error::from_errno(errno, "could not change to directory \"/\"");
        if (!program.ok()) return std::move(program).error();
        report_.pg_upgrade = program->succeeded();
        const bool is_explained = std::ranges::any_of(report_.findings, [](const UpgradeFinding& finding) { return finding.weight == FindingWeight::kObstacle; });
        if (!program->succeeded() && !is_explained)
            report_.findings.push_back({.check = "pg_upgrade",
                                        .weight = FindingWeight::kObstacle,
                                        .summary = "pg_upgrade refuses the cluster",
                                        .detail = formatted("This is what it says: {}", program->failure()),
                                        .objects = {},
                                        .cures = {}});
        return {};
    }

    /// The old server is started by pg_upgrade, which must get in whatever pg_hba.conf says, and find its configuration.
    std::string old_options(const TrialCluster& trial) const {
        return formatted("-c config_file={} -c hba_file={}", server_.config_file.native(), (trial.data_directory() / "pg_hba.conf").native());
    }

    const UpgradeCheckInputs& in_;
    RetryTimer& timer_;
    const CancelToken& cancel_;
    OfflineCluster cluster_;
    SingleUserServer server_;
    UpgradeCheckReport report_;
};

}  // namespace

Result<fs::path> find_new_bindir(const fs::path& asked, const fs::path& old_bindir, const UpgradeHop& hop) {
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

bool UpgradeCheckReport::can_upgrade() const {
    return std::ranges::none_of(findings, [](const UpgradeFinding& finding) { return finding.weight == FindingWeight::kObstacle; });
}

Result<UpgradeCheckReport> check_upgrade(const UpgradeCheckInputs& inputs, RetryTimer& timer, const CancelToken& cancel) { return Check(inputs, timer, cancel).run(); }

}  // namespace steward
