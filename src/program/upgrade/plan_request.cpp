#include "program/upgrade/plan_request.h"

#include <algorithm>
#include <system_error>

#include "core/base/format.h"
#include "core/restore/target_directory.h"
#include "program/single_user/offline_cluster.h"
#include "program/upgrade/cluster_directories.h"
#include "program/upgrade/transfer.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

std::string joined(const std::vector<int>& majors) {
    std::string text;
    for (const int major : majors) text += formatted("{}{}", text.empty() ? "" : ",", major);
    return text;
}

Result<void> check_path(const std::vector<int>& path) {
    if (path.empty()) return Error(ErrorCode::usage, "no new major is given").hint("Name it with --to, or several majors one after another with --path.");
    if (!std::ranges::is_sorted(path, std::less_equal<>()))
        return Error(ErrorCode::usage, formatted("majors {} do not rise", joined(path))).hint("Name them in their order, for example --path 15,17.");
    return {};
}

/// The operator's word for one of the majors; empty: beside the one before.
fs::path bindir_asked_for(const UpgradeRunInputs& inputs, size_t at) {
    if (inputs.new_bindirs.size() == inputs.path.size()) return inputs.new_bindirs[at];
    return at + 1 == inputs.path.size() && inputs.new_bindirs.size() == 1 ? inputs.new_bindirs.front() : fs::path();
}

class RequestPlanner {
public:
    RequestPlanner(const UpgradeRunInputs& inputs, const UpgradePlaces& places, const UpgradeSurroundings& surroundings)
        : in_(inputs), places_(places), around_(surroundings) {}

    Result<UpgradeRequest> plan() {
        TRY(check_path(in_.path));
        TRY(check_directory());
        TRY_ASSIGN(const UpgradeCheckReport report,
                   require_upgradable({places_.data_directory, in_.path.front(), in_.bindir, bindir_asked_for(in_, 0), in_.config_file, {}}, around_));
        request_.data_directory = places_.data_directory;
        request_.from = report.hop.from;
        request_.path = in_.path;
        request_.jobs = in_.jobs;
        request_.statistics = in_.statistics.value_or(true);
        TRY_ASSIGN(const OfflineCluster cluster, look_at_cluster(places_.data_directory));
        request_.system_identifier = cluster.control.system_identifier;
        TRY_ASSIGN(const SingleUserServer server, find_single_user_server(cluster, report.bindir, in_.config_file));
        request_.config_file = server.config_file;
        TRY(find_programs(report));
        TRY(choose(report));
        TRY(check_leftovers());
        return request_;
    }

private:
    Result<void> check_directory() const {
        const fs::path& directory = places_.data_directory;
        TRY_ASSIGN(const DirectoryFacts facts, inspect_directory(directory));
        if (facts.server)
            return Error(ErrorCode::busy, formatted("data directory \"{}\" is in use by a running server", directory.native()))
                .detail(formatted("Process {} works in it.", *facts.server))
                .hint("Stop the server, with \"pg_ctl stop\" or as its service. \"pg_steward upgrade check\" can be run meanwhile.")
                .object(directory.native());
        if (facts.mount_point)
            return Error(ErrorCode::wrong_state, formatted("data directory \"{}\" is a mount point", directory.native()))
                .detail("The new cluster takes its place by a rename, which a mount point cannot have.")
                .hint(formatted("Move what is in it into a directory below it (\"{}\", for example), mode 0700, and let the server's configuration name that one.",
                                (directory / "data").native()))
                .object(directory.native());
        return {};
    }

    Result<void> find_programs(const UpgradeCheckReport& report) {
        if (in_.new_bindirs.size() > 1 && in_.new_bindirs.size() != in_.path.size())
            return Error(ErrorCode::usage, "--new-bindir is given neither once nor for each major");
        request_.bindirs = {report.bindir, report.new_bindir};
        for (size_t at = 1; at < in_.path.size(); ++at) {
            TRY_ASSIGN(fs::path bindir, find_new_bindir(bindir_asked_for(in_, at), request_.bindirs.back(), {in_.path[at - 1], in_.path[at]}));
            request_.bindirs.push_back(std::move(bindir));
        }
        return {};
    }

    const MethodVerdict* verdict_of(const UpgradeCheckReport& report, TransferMethod method) const {
        const auto found = std::ranges::find(report.methods, method, &MethodVerdict::method);
        return found == report.methods.end() ? nullptr : &*found;
    }

    Result<void> choose(const UpgradeCheckReport& report) {
        const auto best = choose_method(report.methods);
        if (!in_.method && !best) return Error(ErrorCode::no_space, "there is no method that leaves the old cluster as it is").hint("Make room, or name a method with --method.");
        request_.method = in_.method.value_or(best ? best->method : TransferMethod::kCopy);
        const MethodVerdict* const verdict = verdict_of(report, request_.method);
        if (verdict == nullptr || (!verdict->possible && !copies_in_the_kernel(report)))
            return Error(ErrorCode::invalid_argument, formatted("the data cannot be carried over by method \"{}\"", name_of(request_.method)))
                .detail(formatted("The reason: {}.", verdict == nullptr ? "it was not judged" : verdict->reason))
                .hint("\"pg_steward upgrade check\" shows which methods are possible.");
        if (!in_.method) around_.say(formatted("method {}: {}", name_of(verdict->method), verdict->reason));
        return request_.needs_preserving() ? check_preserving(report) : Result<void>();
    }

    /// copy-file-range copies where blocks cannot be shared: nothing to recommend, but what was asked for.
    bool copies_in_the_kernel(const UpgradeCheckReport& report) const {
        constexpr int kFirstMajor = 17;
        const MethodVerdict* const copy = verdict_of(report, TransferMethod::kCopy);
        return request_.method == TransferMethod::kCopyFileRange && request_.path.front() >= kFirstMajor && copy != nullptr && copy->possible;
    }

    Result<void> check_preserving(const UpgradeCheckReport& report) const {
        const MethodVerdict* const copy = verdict_of(report, TransferMethod::kCopy);
        const MethodVerdict* const clone = verdict_of(report, TransferMethod::kClone);
        if ((copy != nullptr && copy->possible) || (clone != nullptr && clone->possible)) return {};
        return Error(ErrorCode::no_space, formatted("there is no room for the copy that preserves the old cluster, which method \"{}\" uses up", name_of(request_.method)))
            .detail(formatted("A copy {}.", copy == nullptr ? "is not possible" : copy->reason))
            .hint("Make room beside the data directory.");
    }

    /// What has a name that is going to be needed.
    Result<void> check_leftovers() const {
        for (const int major : request_.path) {
            for (const fs::path& location : tablespace_locations(places_.data_directory))
                for (const fs::path& directory : version_directories(location, major)) return is_taken(directory, "Make sure that no cluster uses it, and remove it.");
            const fs::path wal = wal_directory(places_.data_directory, major);
            std::error_code problem;
            if (!wal.empty() && fs::exists(wal, problem)) return is_taken(wal, "Make sure that no cluster uses it, and remove or rename it.");
        }
        return {};
    }

    static Error is_taken(const fs::path& directory, std::string_view cure) {
        return Error(ErrorCode::already_exists, formatted("directory \"{}\" is there already", directory.native())).hint(std::string(cure)).object(directory.native());
    }

    const UpgradeRunInputs& in_;
    const UpgradePlaces& places_;
    const UpgradeSurroundings& around_;
    UpgradeRequest request_;
};

}  // namespace

Result<UpgradeCheckReport> require_upgradable(const UpgradeCheckInputs& inputs, const UpgradeSurroundings& surroundings) {
    TRY_ASSIGN(UpgradeCheckReport report, check_upgrade(inputs, surroundings.timer, surroundings.cancel));
    surroundings.say(render_upgrade_check(report));
    if (surroundings.found) surroundings.found(report);
    if (report.can_upgrade()) return report;
    std::string obstacles;
    for (const UpgradeFinding& finding : report.findings)
        if (finding.weight == FindingWeight::kObstacle) obstacles += formatted("{}{}", obstacles.empty() ? "" : "; ", finding.summary);
    return Error(ErrorCode::wrong_state, formatted("cluster \"{}\" cannot be upgraded to {} yet", inputs.data_directory.native(), inputs.to))
        .detail(formatted("In the way: {}.", obstacles))
        .hint("\"pg_steward upgrade check\" shows all of it, with the cures.")
        .object(inputs.data_directory.native());
}

Result<void> check_majors(const UpgradeRunInputs& inputs, const fs::path& old_bindir, int from) {
    TRY(check_path(inputs.path));
    fs::path bindir = old_bindir;
    for (size_t at = 0; at < inputs.path.size(); ++at) {
        TRY_ASSIGN(bindir, find_new_bindir(bindir_asked_for(inputs, at), bindir, {at == 0 ? from : inputs.path[at - 1], inputs.path[at]}));
    }
    return {};
}

Result<UpgradeRequest> plan_request(const UpgradeRunInputs& inputs, const UpgradePlaces& places, const UpgradeSurroundings& surroundings) {
    return RequestPlanner(inputs, places, surroundings).plan();
}

Result<void> check_same_request(const UpgradeRunInputs& inputs, const UpgradeRequest& request) {
    const bool same = (inputs.path.empty() || inputs.path == request.path) && inputs.method.value_or(request.method) == request.method &&
                      inputs.statistics.value_or(request.statistics) == request.statistics;
    if (same) return {};
    return Error(ErrorCode::usage, "another upgrade of this data directory is under way")
        .detail(formatted("It is one from {} to {} by {}, {} statistics.", request.from, joined(request.path), name_of(request.method), request.statistics ? "with" : "without"))
        .hint("Go on with that one by \"pg_steward upgrade run\" without these options, or take it back with \"pg_steward upgrade rollback\".");
}

}  // namespace steward
