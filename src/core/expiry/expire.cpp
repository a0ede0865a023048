#include "core/expiry/expire.h"

#include <optional>
#include <utility>

#include "core/base/format.h"
#include "core/repository/gap_ledger.h"

namespace steward {

namespace {

class Execution {
public:
    Execution(const Repository& repository, const ExpiryWork& work, const Lease& lease, const ExpiryOptions& options)
        : repository_(repository), layout_(repository.layout()), work_(work), lease_(lease), options_(options), total_(work.removals()) {}

    Result<uint64_t> run() {
        for (const PrunedRange& range : work_.pruned.record) TRY(record(range));
        for (const Removal& removal : order_of_removal(work_.plan)) TRY(remove(removal));
        for (const Leftover& leftover : work_.leftovers) TRY(remove_object(leftover.key));
        for (const PrunedRange& range : work_.pruned.withdraw) TRY(remove_object(key_of(range)));
        TRY(repository_.storage().remove_stale_uploads(lease_.store_time() - options_.upload_grace));
        return done_;
    }

private:
    std::string key_of(const PrunedRange& range) const {
        const uint32_t size = work_.plan.wal_segment_size;
        return layout_.gap(range.timeline, start_lsn(range.first, size), start_lsn(range.last + 1, size));
    }

    Result<void> record(const PrunedRange& range) {
        const uint32_t size = work_.plan.wal_segment_size;
        TRY(check());
        // One of that range says that this WAL is not there, for whatever reason: that is what matters.
        TRY(record_gap(repository_, {range.timeline, start_lsn(range.first, size), start_lsn(range.last + 1, size), GapReason::kPruned,
                                     options_.clock.now(), formatted("retention policy \"{}\"", to_string(options_.policy))}));
        return {};
    }

    Result<void> remove(const Removal& removal) {
        switch (removal.kind) {
            case Removal::Kind::kManifest: return remove_object(layout_.manifest(removal.name));
            case Removal::Kind::kPack: return remove_object(layout_.packs_prefix() + removal.name);
            case Removal::Kind::kWal: break;
        }
        for (uint64_t number = removal.first; number <= removal.last; number++)
            TRY(remove_object(layout_.wal(to_string(WalSegmentName{removal.timeline, number}, work_.plan.wal_segment_size))));
        return {};
    }

    Result<void> remove_object(const std::string& key) {
        TRY(check());
        TRY(repository_.storage().remove(key));
        done_++;
        if (options_.observer) options_.observer(done_, total_);
        return {};
    }

    Result<void> check() const {
        TRY(check_cancel(options_.cancel));
        return lease_.check();
    }

    const Repository& repository_;
    const Layout& layout_;
    const ExpiryWork& work_;
    const Lease& lease_;
    const ExpiryOptions& options_;
    const uint64_t total_;
    uint64_t done_ = 0;
};

std::vector<ExpiryRow> explain_work(const Holdings& holdings, const ExpiryWork& work) {
    std::vector<ExpiryRow> rows = explain(work.plan);
    for (const DamagedBackup& backup : holdings.damaged)
        rows.push_back({ExpiryRow::Kind::kBackup, backup.label, Verdict::kKeep, "cannot be read: " + backup.error.message(), 0});
    const std::vector<ExpiryRow> others = explain(work.leftovers);
    rows.insert(rows.end(), others.begin(), others.end());
    return rows;
}

uint64_t bytes_that_go(const ExpiryWork& work) {
    uint64_t bytes = work.plan.totals.removed.pack_bytes + work.plan.totals.removed.wal_bytes;
    for (const Leftover& leftover : work.leftovers) bytes += leftover.stored_bytes;
    return bytes;
}

}  // namespace

uint64_t ExpiryWork::removals() const {
    const ExpiryTotals::Side& removed = plan.totals.removed;
    return removed.backups + removed.packs + removed.wal_segments + leftovers.size() + pruned.withdraw.size();
}

Result<ExpiryWork> plan_work(const Holdings& holdings, const ExpiryRules& rules) {
    TRY_ASSIGN(ExpiryPlan plan, plan_expiry(holdings.facts, rules));
    PrunedRecords pruned = plan_pruned_records(holdings.facts, rules.policy, plan, holdings.pruned);
    std::vector<Leftover> leftovers = choose_leftovers(holdings.facts, rules, plan, holdings.leftovers);
    return ExpiryWork{std::move(plan), std::move(pruned), std::move(leftovers)};
}

Result<uint64_t> execute_work(const Repository& repository, const ExpiryWork& work, const Lease& lease, const ExpiryOptions& options) {
    return Execution(repository, work, lease, options).run();
}

Result<ExpiryReport> expire_repository(const Repository& repository, const ExpiryOptions& options) {
    if (options.policy.empty())
        return Error(ErrorCode::configuration, "no retention policy is set")
            .hint("Set \"steward.retention\", for example to '30d' for restores to any moment of the last 30 days, or to 'daily=7, weekly=4'.");
    // Before anything is read: what is read under the lease stays true.
    std::optional<Lease> lease;
    if (!options.dry_run) {
        TRY_ASSIGN(lease, Lease::acquire(repository, {.mode = LeaseMode::kExclusive, .name = "expire", .purpose = "the removal of expired backups",
                                                      .clock = options.clock, .timer = options.timer, .cancel = options.cancel}));
    }
    TRY_ASSIGN(const Holdings holdings, read_holdings(repository, options.cancel));
    TRY_ASSIGN(const ExpiryWork work, plan_work(holdings, {options.policy, options.pack_grace, options.clock.now(), options.to_local}));
    ExpiryReport report{explain_work(holdings, work), work.plan.totals, 0, 0};
    if (lease) {
        TRY_ASSIGN(report.removed_objects, execute_work(repository, work, *lease, options));
        report.removed_bytes = bytes_that_go(work);
        // It would go stale by itself, but the next backup should not have to wait for that.
        TRY(lease->release());
    }
    return report;
}

}  // namespace steward
