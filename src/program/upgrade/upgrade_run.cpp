#include "program/upgrade/upgrade_run.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/upgrade/rehearsal_record.h"
#include "program/single_user/offline_cluster.h"
#include "program/upgrade/after_transfer.h"
#include "program/upgrade/carry_files.h"
#include "program/upgrade/cluster_directories.h"
#include "program/upgrade/clusters_in_place.h"
#include "program/upgrade/fingerprint_cluster.h"
#include "program/upgrade/full_disk.h"
#include "program/upgrade/leftover_processes.h"
#include "program/upgrade/plan_request.h"
#include "program/upgrade/transfer.h"
#include "program/upgrade/upgrade_check.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

bool needs_server(UpgradeStep step) {
    return step == UpgradeStep::kExtensions || step == UpgradeStep::kCollations || step == UpgradeStep::kStatistics || step == UpgradeStep::kCompare;
}

/// Executes the steps of a run, one after another, each between its two lines of the journal.
class Execution {
public:
    Execution(UpgradeContext context, UpgradeJournal& journal, const UpgradeSurroundings& surroundings)
        : context_(std::move(context)), journal_(journal), around_(surroundings), steps_(steps_of(context_.request)) {}

    Result<void> run() {
        TRY(end_leftover_processes(context_.places, context_.timer, context_.cancel));
        for (;;) {
            TRY_ASSIGN(const SeenCluster seen, see_cluster(context_.places.data_directory));
            const UpgradeStanding standing = judge_upgrade(last_run(journal_.entries()), seen);
            if (standing.state == UpgradeState::kUpgraded) return {};
            if (standing.state != UpgradeState::kUnderWay) return Error(ErrorCode::wrong_state, "the upgrade cannot go on").detail(standing.reason);
            if (!standing.reason.empty()) context_.say(standing.reason);
            Result<void> done = run_step(*standing.next);
            if (!done.ok()) return std::move(done).context([&] { return formatted("while executing step \"{}\"", name_in_run(*standing.next, context_.request)); });
        }
    }

private:
    Result<void> run_step(const StepOfHop& step) {
        if (!needs_server(step.step)) server_.reset();
        TRY_ASSIGN(StepFacts facts, facts_before(step));
        TRY(journal_.append({JournalEvent::kStep, {}, {}, step, std::move(facts)}));
        context_.say(formatted("{}: {}", name_in_run(step, context_.request), describe(step.step)));
        // pg_upgrade of some majors writes where it is started, and the others are found there when they are left behind.
        if (::chdir(context_.places.logs().c_str()) != 0) return Error::from_errno(errno, formatted("could not change to directory \"{}\"", context_.places.logs().native()));
        Result<void> done = execute(step);
        if (done.ok()) done = end_server_before_next(step);
        if (!done.ok()) {
            const Error error = blame_full_disk(std::move(done).error(), places_written_to());
            give_up(step, error);
            return error;
        }
        TRY_ASSIGN(facts, facts_after(step));
        TRY(journal_.append({JournalEvent::kDone, {}, {}, step, std::move(facts)}));
        if (context_.grown) context_.grown();
        return {};
    }

    std::vector<fs::path> places_written_to() const {
        std::vector<fs::path> places = {context_.places.root, context_.places.data_directory / "pg_wal"};
        for (const fs::path& location : tablespace_locations(context_.places.data_directory)) places.push_back(location);
        return places;
    }

    /// Nothing of what was started is to be left running, and the journal tells why it ended.
    void give_up(const StepOfHop& step, const Error& error) {
        server_.reset();
        const CancelSource never;
        static_cast<void>(end_leftover_processes(context_.places, context_.timer, never.get_token()).ok());
        const StepFacts facts = {{std::string(kFactMessage), error.message()}, {std::string(kFactCode), std::string(info(error.code()).name)}};
        // Where not even this can be written, the journal says that the step was begun, which is enough. Who cancels has not found a fault.
        if (error.code() != ErrorCode::cancelled) static_cast<void>(journal_.append({JournalEvent::kFailed, {}, {}, step, facts}).ok());
    }

    Result<StepFacts> facts_before(const StepOfHop& step) const {
        if (step.step != UpgradeStep::kExchange) return StepFacts();
        const fs::path made = context_.cluster_of(step.hop);
        TRY_ASSIGN(const SeenCluster seen, see_cluster(made));
        // Finishing an exchange: what was noted when it was begun holds.
        return seen.major == context_.request.target() ? StepFacts{{std::string(kFactNewMark), seen.mark}} : StepFacts();
    }

    Result<StepFacts> facts_after(const StepOfHop& step) const {
        const bool touches_old = step.step == UpgradeStep::kFingerprint || step.step == UpgradeStep::kPreserve || (step.step == UpgradeStep::kTransfer && step.hop == 1);
        if (!touches_old) return StepFacts();
        TRY_ASSIGN(const SeenCluster seen, see_cluster(context_.places.data_directory));
        return StepFacts{{std::string(kFactMark), seen.mark}};
    }

    Result<void> end_server_before_next(const StepOfHop& step) {
        const auto at = std::ranges::find(steps_, step);
        const bool goes_on = at != steps_.end() && at + 1 != steps_.end() && needs_server((at + 1)->step) && (at + 1)->hop == step.hop;
        if (!server_ || goes_on) return {};
        TRY(server_->stop(context_.cancel));
        server_.reset();
        return {};
    }

    Result<void> require_server(const UpgradeFacts& facts, int hop) {
        if (server_) return {};
        TRY_ASSIGN(const PrivateServerPlan plan, context_.server_plan(hop, facts));
        TRY_ASSIGN(PrivateServer server, PrivateServer::start(plan, context_.timer, context_.cancel));
        server_ = std::make_unique<PrivateServer>(std::move(server));
        return {};
    }

    Result<void> check_hop(int hop) const {
        TRY(require_upgradable({context_.cluster_of(hop - 1), context_.major_of(hop), context_.bindir_of(hop - 1), context_.bindir_of(hop), context_.config_of(hop - 1), {}}, around_));
        return {};
    }

    Result<void> execute(const StepOfHop& step) {
        switch (step.step) {
            case UpgradeStep::kClear: return clear_earlier_attempt(context_);
            case UpgradeStep::kFingerprint: return write_down_old_cluster(context_);
            case UpgradeStep::kPreserve: return preserve_old_cluster(context_);
            case UpgradeStep::kCheck: return check_hop(step.hop);
            case UpgradeStep::kExchange: return exchange_clusters(context_);
            default: break;
        }
        TRY_ASSIGN(const UpgradeFacts facts, read_facts_file(context_.places.facts()));
        if (step.step == UpgradeStep::kInitialize) return initialize_cluster(context_, facts, step.hop);
        if (step.step == UpgradeStep::kConfigure) return carry_configuration(context_, facts, step.hop);
        if (step.step == UpgradeStep::kTransfer) return transfer_cluster(context_, facts, step.hop);
        TRY(require_server(facts, step.hop));
        if (step.step == UpgradeStep::kExtensions) return update_extensions(context_, facts, *server_);
        if (step.step == UpgradeStep::kCollations) return renew_collations(context_, facts, context_.major_of(step.hop), *server_);
        if (step.step == UpgradeStep::kStatistics) return make_statistics(context_, context_.major_of(step.hop), *server_);
        return compare_new_cluster(context_, facts, *server_);
    }

    const UpgradeContext context_;
    UpgradeJournal& journal_;
    const UpgradeSurroundings& around_;
    const std::vector<StepOfHop> steps_;
    std::unique_ptr<PrivateServer> server_;  ///< of the cluster that is being made
};

std::string render_plan(const UpgradeRequest& request) {
    std::string text = formatted("upgrade of \"{}\" from {} by {}, to", request.data_directory.native(), request.from, name_of(request.method));
    for (const int major : request.path) text += formatted(" {}", major);
    text += "\n";
    for (const StepOfHop& step : steps_of(request)) text += formatted("  {:<20} {}\n", name_in_run(step, request), describe(step.step));
    return text;
}

Error not_resumable(const UpgradeStanding& standing) {
    const Error error(ErrorCode::wrong_state, formatted("an upgrade of this data directory is in state \"{}\"", name_of(standing.state)));
    switch (standing.state) {
        case UpgradeState::kUpgraded:
            return Error(error).hint("\"pg_steward upgrade commit\" removes the old cluster, after which there can be another upgrade; \"pg_steward upgrade rollback\" brings it back.");
        case UpgradeState::kCommitting: return Error(error).hint("Finish it with \"pg_steward upgrade commit\".");
        default: return Error(error).detail(standing.reason).hint("Take it back with \"pg_steward upgrade rollback\"; its logs stay.");
    }
}

class UpgradeRun {
public:
    UpgradeRun(const UpgradeRunInputs& inputs, UpgradePlaces places, const UpgradeSurroundings& surroundings)
        : in_(inputs), places_(std::move(places)), around_(surroundings) {}

    Result<void> run() {
        TRY_ASSIGN(std::vector<JournalEntry> entries, UpgradeJournal::read(places_));
        TRY_ASSIGN(const UpgradeStanding standing, stand(entries));
        const bool is_new = standing.state == UpgradeState::kNotBegun || standing.state == UpgradeState::kRolledBack;
        if (!is_new && standing.state != UpgradeState::kUnderWay) return not_resumable(standing);
        UpgradeRequest request;
        if (is_new) {
            Result<UpgradeRequest> planned = plan_request(in_, places_, around_);
            if (!planned.ok()) return blame_full_disk(std::move(planned).error(), {places_.data_directory});
            request = std::move(*planned);
            recall(request);
        } else {
            request = *last_run(entries).front().request;
            TRY(check_same_request(in_, request));
            around_.say(formatted("going on with step \"{}\"", name_in_run(*standing.next, request)));
        }
        around_.say(render_plan(request));
        if (in_.dry_run) return {};
        TRY_ASSIGN(UpgradeJournal journal, UpgradeJournal::open(places_, around_.clock));
        if (journal.entries() != entries) return Error(ErrorCode::busy, "another process has gone on with the upgrade meanwhile").hint("Look at \"pg_steward upgrade status\".");
        if (is_new) TRY(journal.append({JournalEvent::kBegin, {}, request, {}, {}}));
        TRY_ASSIGN(const SocketDirectory sockets, SocketDirectory::make(places_.root));
        Execution execution({places_, request, sockets.path(), around_.say, around_.timer, around_.cancel, around_.grown}, journal, around_);
        return execution.run();
    }

private:
    Result<UpgradeStanding> stand(const std::vector<JournalEntry>& entries) const {
        TRY_ASSIGN(const SeenCluster seen, see_cluster(places_.data_directory));
        return judge_upgrade(last_run(entries), seen);
    }

    /// Say how its rehearsal went, if there was one.
    void recall(const UpgradeRequest& request) const {
        constexpr uint64_t kMostRecord = uint64_t{1} << 26;
        const Result<Bytes> content = read_file(places_.rehearsal_record(), kMostRecord);
        if (!content.ok()) return;
        const Result<RehearsalOutcome> rehearsal = parse_rehearsal(as_text(*content));
        if (!rehearsal.ok()) return;
        if (const auto line = recall_rehearsal(*rehearsal, request)) around_.say(*line);
    }

    const UpgradeRunInputs& in_;
    const UpgradePlaces places_;
    const UpgradeSurroundings& around_;
};

}  // namespace

Result<fs::path> resolve_data_directory(const fs::path& directory) {
    constexpr int kMostLinks = 40;  // as the kernel follows
    std::error_code problem;
    fs::path plain = directory.has_filename() ? directory : directory.parent_path();
    if (fs::path whole = fs::canonical(plain, problem); !problem) return whole;
    // In the middle of an exchange a link to the data directory leads nowhere, and the work directory is beside what it leads to.
    for (int links = 0; links < kMostLinks; ++links) {
        const fs::path target = fs::read_symlink(plain, problem);
        if (problem) break;
        plain = plain.parent_path() / target;
    }
    const fs::path parent = fs::canonical(plain.parent_path(), problem);
    if (problem) return Error::from_errno(problem.value(), formatted("could not resolve path \"{}\"", directory.native())).object(directory.native());
    return parent / plain.filename();
}

Result<void> become_owner_of(const UpgradePlaces& places) {
    std::error_code problem;
    if (fs::exists(places.data_directory / "PG_VERSION", problem)) {
        const Result<OfflineCluster> cluster = look_at_cluster(places.data_directory);
        if (cluster.ok()) return become_owner(*cluster);
        // One that pg_upgrade has disabled has no control file.
        if (!fs::exists(places.root, problem)) return Error(cluster.error());
    }
    struct stat st;
    const fs::path& seen = fs::exists(places.root, problem) ? places.root : places.data_directory;
    if (::stat(seen.c_str(), &st) != 0) return Error::from_errno(errno, formatted("could not look at \"{}\"", seen.native())).object(seen.native());
    if (::geteuid() != 0 && ::geteuid() != st.st_uid)
        return Error(ErrorCode::permission_denied, formatted("\"{}\" belongs to another user", seen.native())).hint("Run this as that user, or as root.").object(seen.native());
    OfflineCluster cluster;
    cluster.data_directory = places.data_directory;
    cluster.owner = {st.st_uid, st.st_gid};
    return become_owner(cluster);
}

Result<void> run_upgrade(const UpgradeRunInputs& inputs, const UpgradeSurroundings& surroundings) {
    TRY_ASSIGN(const fs::path directory, resolve_data_directory(inputs.data_directory));
    const UpgradePlaces places(directory);
    TRY(become_owner_of(places));
    return UpgradeRun(inputs, places, surroundings).run();
}

}  // namespace steward
