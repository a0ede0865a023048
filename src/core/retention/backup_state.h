// Facts about backups, prepared for the rules: order, ancestry, completeness.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/retention/plan_expiry.h"

namespace steward {

/// A backup and what the rules have decided about it. Borrows from the facts.
struct BackupState {
    const BackupRecord* record;
    std::string incomplete;             ///< what is missing, or empty
    std::vector<BackupReason> reasons;  ///< to keep it

    const BackupSummary& summary() const { return record->summary; }
    bool complete() const { return incomplete.empty(); }
    bool clean() const { return complete() && summary().checksum_failures == 0; }
    bool kept() const { return !reasons.empty(); }
    /// Whether recovery from this backup up to the newest WAL is promised, and not only to itself.
    bool promises_recovery() const;
};

/// The timelines that backups can be recovered along: those with a history file and those of backups. Timelines of which there is only
/// WAL are not among them. Borrows from the facts.
class Lineage {
public:
    explicit Lineage(const ExpiryFacts& facts);

    const std::set<TimelineId>& timelines() const { return timelines_; }
    /// The history of `timeline`; without a history file one without ancestors, as restore sees it.
    TimelineHistory history(TimelineId timeline) const;
    /// Whether a timeline other than the first has no history file.
    bool is_unknown(TimelineId timeline) const { return timeline > 1 && !histories_.contains(timeline); }

private:
    const std::map<TimelineId, TimelineHistory>& histories_;
    std::set<TimelineId> timelines_;
};

/// Whether the backup can be recovered along `history`.
bool leads_to(const BackupSummary& backup, const TimelineHistory& history);

/// Sort the backups by (timeline, start LSN, label) and see which are complete. `facts` outlives the result.
std::vector<BackupState> examine_backups(const ExpiryFacts& facts, const Lineage& lineage);

}  // namespace steward
