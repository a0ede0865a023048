// Taking an upgrade back, and making it final.

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/base/format.h"
#include "program/upgrade/cluster_directories.h"
#include "program/upgrade/clusters_in_place.h"
#include "program/upgrade/leftover_processes.h"
#include "program/upgrade/upgrade_context.h"
#include "program/upgrade/upgrade_run.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Executes the steps of a rollback or commit.
class Undoing {
public:
    Undoing(const UpgradeUndoInputs& inputs, UpgradePlaces places, const UpgradeSurroundings& surroundings)
        : in_(inputs), places_(std::move(places)), around_(surroundings) {}

    Result<void> roll_back() {
        TRY(look());
        switch (standing_.state) {
            case UpgradeState::kNotBegun: return Error(ErrorCode::wrong_state, "there is no upgrade to roll back").object(places_.data_directory.native());
            case UpgradeState::kRolledBack: around_.say("The upgrade has been rolled back already."); return {};
            case UpgradeState::kCommitting:
                return Error(ErrorCode::wrong_state, "the upgrade cannot be rolled back any more")
                    .detail("Its commit has begun to remove the old cluster.")
                    .hint("Finish it with \"pg_steward upgrade commit\".");
            default: break;
        }
        TRY(check_changes());
        around_.say(formatted("The cluster of PostgreSQL {} is brought back to \"{}\", and what was made for the upgrade is removed. Logs stay in \"{}\".", request_->from,
                              places_.data_directory.native(), places_.logs().native()));
        if (in_.dry_run) return {};
        TRY(open());
        TRY(end_leftover_processes(places_, around_.timer, around_.cancel));
        const UpgradeContext context = make_context();
        TRY_ASSIGN(const StepFacts way_back, facts_of_way_back(context));
        TRY(run_step(UpgradeStep::kBringBack, way_back, [&] { return bring_back_old_cluster(context); }));
        TRY(run_step(UpgradeStep::kRemoveMade, {}, [&] { return remove_and_mark(context); }));
        around_.say("The upgrade has been rolled back. Start the server of the old major.");
        return {};
    }

    Result<void> commit() {
        TRY(look());
        switch (standing_.state) {
            case UpgradeState::kNotBegun: return Error(ErrorCode::wrong_state, "there is no upgrade to commit").object(places_.data_directory.native());
            case UpgradeState::kRolledBack: return forget();
            case UpgradeState::kUpgraded:
            case UpgradeState::kCommitting: break;
            default:
                return Error(ErrorCode::wrong_state, "the upgrade is not finished")
                    .detail(formatted("Its state is \"{}\".", name_of(standing_.state)))
                    .hint("Go on with it by \"pg_steward upgrade run\", or take it back with \"pg_steward upgrade rollback\".");
        }
        around_.say(formatted("The cluster of PostgreSQL {} and \"{}\" are removed. There is no way back after that.", request_->from, places_.root.native()));
        if (in_.dry_run) return {};
        TRY(open());
        const UpgradeContext context = make_context();
        // The last thing it removes is the journal.
        TRY(begin(UpgradeStep::kRemoveOld, {}));
        TRY(remove_old_cluster(context));
        around_.say("The upgrade is committed.");
        return {};
    }

private:
    Result<void> look() {
        TRY_ASSIGN(entries_, UpgradeJournal::read(places_));
        TRY_ASSIGN(const SeenCluster seen, see_cluster(places_.data_directory));
        const std::span<const JournalEntry> run = last_run(entries_);
        standing_ = judge_upgrade(run, seen);
        if (!run.empty()) request_ = run.front().request;
        return {};
    }

    Result<void> open() {
        TRY_ASSIGN(UpgradeJournal journal, UpgradeJournal::open(places_, around_.clock));
        if (journal.entries() != entries_) return Error(ErrorCode::busy, "another process has gone on with the upgrade meanwhile").hint("Look at \"pg_steward upgrade status\".");
        journal_.emplace(std::move(journal));
        if (::chdir(places_.logs().c_str()) != 0) return Error::from_errno(errno, formatted("could not change to directory \"{}\"", places_.logs().native()));
        return {};
    }

    /// What was written to the new cluster is lost with it.
    Result<void> check_changes() const {
        if (!standing_.used_since) return {};
        const std::string lost = formatted("A server has run on the new cluster since it was put in place at {}. What was written to it since then is not in the old one.",
                                           format_time(last_run(entries_).back().at));
        if (in_.discard_changes) {
            around_.say(lost);
            return {};
        }
        return Error(ErrorCode::wrong_state, "the new cluster has been used").detail(lost).hint("Save what is needed of it, with pg_dump for example; then roll back with --discard-changes.");
    }

    /// After a rollback, only logs and the journal are left.
    Result<void> forget() {
        around_.say(formatted("The upgrade was rolled back; \"{}\" with its logs is removed.", places_.root.native()));
        if (in_.dry_run) return {};
        TRY(open());
        TRY(remove_tree(places_.logs()));
        return remove_tree(places_.root);
    }

    UpgradeContext make_context() const { return {places_, *request_, {}, around_.say, around_.timer, around_.cancel}; }

    /// How the old cluster goes on in the repository is known only as long as the new one is there.
    Result<StepFacts> facts_of_way_back(const UpgradeContext& context) const {
        TRY_ASSIGN(const std::optional<Succession> mark, describe_way_back(context));
        return mark ? StepFacts{{std::string(kFactSuccession), render_succession(*mark)}} : StepFacts();
    }

    /// The mark is left in the old cluster when the new one is gone, and there is room for it.
    Result<void> remove_and_mark(const UpgradeContext& context) const {
        TRY(remove_what_was_made(context));
        for (const JournalEntry& entry : last_run(journal_->entries())) {
            const auto mark = entry.facts.find(std::string(kFactSuccession));
            if (mark == entry.facts.end()) continue;
            TRY_ASSIGN(const Succession succession, parse_succession(mark->second));
            TRY(write_succession(places_.data_directory, succession));
        }
        return {};
    }

    Result<void> begin(UpgradeStep step, StepFacts facts) {
        TRY(journal_->append({JournalEvent::kStep, {}, {}, {0, step}, std::move(facts)}));
        around_.say(formatted("{}: {}", name_of(step), describe(step)));
        return {};
    }

    template <typename Work>
    Result<void> run_step(UpgradeStep step, StepFacts facts, Work work) {
        TRY(begin(step, std::move(facts)));
        Result<void> done = work();
        if (!done.ok()) return std::move(done).context([&] { return formatted("while executing step \"{}\"", name_of(step)); });
        return journal_->append({JournalEvent::kDone, {}, {}, {0, step}, {}});
    }

    const UpgradeUndoInputs& in_;
    const UpgradePlaces places_;
    const UpgradeSurroundings& around_;
    std::vector<JournalEntry> entries_;
    UpgradeStanding standing_;
    std::optional<UpgradeRequest> request_;
    std::optional<UpgradeJournal> journal_;
};

}  // namespace

Result<void> roll_upgrade_back(const UpgradeUndoInputs& inputs, const UpgradeSurroundings& surroundings) {
    TRY_ASSIGN(const fs::path directory, resolve_data_directory(inputs.data_directory));
    const UpgradePlaces places(directory);
    TRY(become_owner_of(places));
    return Undoing(inputs, places, surroundings).roll_back();
}

Result<void> commit_upgrade(const UpgradeUndoInputs& inputs, const UpgradeSurroundings& surroundings) {
    TRY_ASSIGN(const fs::path directory, resolve_data_directory(inputs.data_directory));
    const UpgradePlaces places(directory);
    TRY(become_owner_of(places));
    return Undoing(inputs, places, surroundings).commit();
}

}  // namespace steward
