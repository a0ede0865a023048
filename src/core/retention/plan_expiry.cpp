#include "core/retention/plan_expiry.h"

#include "core/base/format.h"
#include "core/retention/backup_rules.h"
#include "core/retention/pack_rules.h"
#include "core/retention/wal_rules.h"

namespace steward {

namespace {

Result<void> check_facts(const ExpiryFacts& facts) {
    if (!is_valid_wal_segment_size(facts.wal_segment_size))
        return Error(ErrorCode::invalid_argument, formatted("invalid WAL segment size {}", facts.wal_segment_size));
    for (const BackupRecord& backup : facts.backups) {
        if (backup.summary.wal_segment_size == facts.wal_segment_size) continue;
        return Error(ErrorCode::wrong_state,
                     formatted("backup \"{}\" was taken with WAL segments of {} bytes, and the repository has segments of {}",
                               backup.summary.label, backup.summary.wal_segment_size, facts.wal_segment_size))
            .object(backup.summary.label)
            .detail("Which WAL it needs cannot be told from the names of segments.")
            .hint("Remove the backups of the old segment size once new ones have replaced them.");
    }
    for (const StoredWal& wal : facts.wal)
        if (wal.last < wal.first)
            return Error(ErrorCode::corrupt_object, formatted("WAL range of timeline {} ends at segment {}, before its first, {}",
                                                              wal.timeline, wal.last, wal.first));
    return {};
}

ExpiryTotals add_up(const ExpiryPlan& plan) {
    ExpiryTotals totals;
    const auto side = [&](Verdict verdict) -> ExpiryTotals::Side& { return verdict == Verdict::kKeep ? totals.kept : totals.removed; };
    for (const BackupVerdict& backup : plan.backups) side(backup.verdict).backups++;
    for (const PackVerdict& pack : plan.packs) {
        side(pack.verdict).packs++;
        side(pack.verdict).pack_bytes += pack.stored_bytes;
    }
    for (const WalVerdict& wal : plan.wal) {
        side(wal.verdict).wal_segments += wal.last - wal.first + 1;
        side(wal.verdict).wal_bytes += wal.stored_bytes;
    }
    return totals;
}

}  // namespace

Result<ExpiryPlan> plan_expiry(const ExpiryFacts& facts, const ExpiryRules& rules) {
    TRY(check_facts(facts));
    const Lineage lineage(facts);
    std::vector<BackupState> backups = examine_backups(facts, lineage);
    apply_backup_rules(backups, lineage, rules);

    ExpiryPlan plan;
    plan.wal_segment_size = facts.wal_segment_size;
    plan.backups = give_backup_verdicts(backups, rules.policy);
    plan.packs = judge_packs(facts, backups, rules);
    plan.wal = judge_wal(facts, backups, lineage, rules.policy);
    plan.totals = add_up(plan);
    return plan;
}

std::vector<Removal> order_of_removal(const ExpiryPlan& plan) {
    std::vector<Removal> removals;
    for (const BackupVerdict& backup : plan.backups)
        if (backup.verdict == Verdict::kRemove) removals.push_back({Removal::Kind::kManifest, backup.label, 0, 0, 0, 0});
    for (const PackVerdict& pack : plan.packs)
        if (pack.verdict == Verdict::kRemove) removals.push_back({Removal::Kind::kPack, pack.name, 0, 0, 0, pack.stored_bytes});
    for (const WalVerdict& wal : plan.wal)
        if (wal.verdict == Verdict::kRemove) removals.push_back({Removal::Kind::kWal, {}, wal.timeline, wal.first, wal.last, wal.stored_bytes});
    return removals;
}

}  // namespace steward
