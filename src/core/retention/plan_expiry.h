// Which backups, packs and WAL stay and which go, and why: facts in, plan out. The dry run prints the plan that is executed.
//
// Backups. Every backup restores by itself, so any can go. Order is by timeline and start LSN; the clock decides the window and the
// calendar and nothing else. A backup is complete when all WAL from its start to its stop and all its packs are there; only complete
// ones take places in the rules. A backup stays for each of these reasons:
//   - it is the newest complete one, or the newest complete one without checksum failures, or the newest complete one that leads to
//     the newest timeline: after a point-in-time recovery that is not the newest of all, and the running cluster depends on it;
//   - no complete backup is newer than it;
//   - count: it is among the newest N. Incomplete ones between them stay too and take no place;
//   - window: on every timeline that was in use in the window, the newest backup that stopped at or before the window's begin, and
//     all after it. Timelines of a cluster follow each other: one is over when a complete backup of a later one had stopped;
//   - calendar: it is the newest (by timeline and LSN) of one of the last K days, weeks, months or years in which a complete backup
//     stopped;
//   - it is pinned.
//
// WAL. Each kept backup keeps its segments from start to stop, along its own timeline and every one it leads to. A backup that is kept
// by more than calendar or pin, and one that is running, keep all WAL from their start on, along every timeline they lead to.
//
// Doubt keeps: WAL of a timeline whose history file is missing, packs when the packs of a kept or running backup are not known, both
// while a manifest cannot be read, and everything while no backup is complete.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/postgres/timeline.h"
#include "core/repository/backup_summary.h"
#include "core/retention/calendar_period.h"
#include "core/retention/policy.h"

namespace steward {

/// A backup that has a manifest.
struct BackupRecord {
    BackupSummary summary;
    bool pinned = false;
    std::optional<std::vector<std::string>> packs;  ///< all it refers to; nothing when they are not known
};

/// A backup that has no manifest yet.
struct RunningBackup {
    std::string label;
    TimelineId timeline = 0;
    Lsn start_lsn;
    std::optional<std::vector<std::string>> packs;  ///< of earlier backups and its own; nothing when they are not known
};

struct StoredPack {
    std::string name;
    uint64_t stored_bytes = 0;
    std::optional<TimePoint> created;  ///< by the store's clock
};

/// Segments of one timeline without a hole. One entry a segment makes the sums of bytes exact: an entry of which only a part goes is
/// divided in proportion.
struct StoredWal {
    TimelineId timeline = 0;
    uint64_t first = 0;  ///< segment numbers, inclusive
    uint64_t last = 0;
    uint64_t stored_bytes = 0;
};

/// What one repository holds of one cluster. In any order; labels and pack names are unique, and WAL entries do not overlap.
struct ExpiryFacts {
    std::vector<BackupRecord> backups;
    std::vector<std::string> unreadable;  ///< labels of manifests that cannot be understood; leave out those given up for lost
    std::vector<RunningBackup> running;
    std::vector<StoredPack> packs;
    std::vector<StoredWal> wal;  ///< whole segments only
    std::map<TimelineId, TimelineHistory> histories;  ///< of the history files that are there
    uint32_t wal_segment_size = 0;
};

struct ExpiryRules {
    RetentionPolicy policy;
    std::chrono::seconds pack_grace{0};  ///< packs younger than this stay without a referrer: someone may be writing the backup
    TimePoint now;
    ToLocalTime to_local;  ///< not empty
};

enum class Verdict { kKeep, kRemove };

enum class BackupRule {
    kNothingExpires,      ///< the policy is empty
    kNewestComplete,
    kNewestClean,         ///< complete and without checksum failures
    kNewestTimeline,      ///< the newest complete one that leads to the newest timeline
    kNoneNewerComplete,   ///< every complete backup is older
    kCount,
    kWindow,
    kDaily,
    kWeekly,
    kMonthly,
    kYearly,
    kPinned,
    kExpired,             ///< the only reason to remove: no rule keeps it
};

struct BackupReason {
    BackupRule rule;
    std::string text;  ///< "daily 2026-11-19"
};

struct BackupVerdict {
    std::string label;
    Verdict verdict = Verdict::kKeep;
    std::vector<BackupReason> reasons;  ///< all, in the order of BackupRule; never empty
    std::string incomplete;             ///< what is missing, or empty: "WAL segment \"...\" is missing"
};

enum class WalRule {
    kNothingExpires,
    kNoCompleteBackup,
    kUnreadableBackup,
    kRecovery,         ///< recovery from a backup onwards needs it
    kWindow,           ///< and that backup is kept by the window
    kRunningBackup,
    kUnknownHistory,   ///< the timeline has no history file, and may continue a backup
    kBackup,           ///< between start and stop of a backup; given where no backup further back needs it for recovery
    kUnneeded,         ///< the only reason to remove
};

struct WalReason {
    WalRule rule;
    std::string label;  ///< of the backup that is meant, or empty
    std::string text;   ///< "recovery from backup \"X\" onwards"

    bool operator==(const WalReason&) const = default;
};

/// Segments of one timeline without a hole that stay or go for the same reasons.
struct WalVerdict {
    TimelineId timeline = 0;
    uint64_t first = 0;
    uint64_t last = 0;
    uint64_t stored_bytes = 0;
    Verdict verdict = Verdict::kKeep;
    std::vector<WalReason> reasons;  ///< in the order of WalRule; never empty
};

enum class PackRule {
    kNothingExpires,
    kNoCompleteBackup,
    kUnreadableBackup,
    kReferenced,
    kRunningBackup,
    kReferencesUnknown,  ///< it is not known what a kept or running backup refers to
    kYoung,
    kAgeUnknown,
    kUnreferenced,       ///< the only reason to remove
};

struct PackVerdict {
    std::string name;
    uint64_t stored_bytes = 0;
    Verdict verdict = Verdict::kKeep;
    PackRule rule = PackRule::kReferenced;
    std::string text;  ///< "referenced by kept backups"
};

struct ExpiryTotals {
    struct Side {
        uint64_t backups = 0;
        uint64_t packs = 0;
        uint64_t pack_bytes = 0;
        uint64_t wal_segments = 0;
        uint64_t wal_bytes = 0;
    };
    Side kept;
    Side removed;
};

struct ExpiryPlan {
    std::vector<BackupVerdict> backups;  ///< in the order of (timeline, start LSN, label), oldest first
    std::vector<PackVerdict> packs;      ///< by name
    std::vector<WalVerdict> wal;         ///< in the order of (timeline, segment number)
    uint32_t wal_segment_size = 0;
    ExpiryTotals totals;
};

/// Decide what goes. Planning again on what the plan leaves, with the same rules, removes nothing more; a policy that asks for more
/// keeps all that a lesser one keeps. About O(n log n), times the number of timelines.
///
/// Errors: invalid_argument when the WAL segment size is none; wrong_state when a backup was taken with another one, since its WAL
/// cannot be told from the rest; corrupt_object for a WAL entry that ends before it begins.
Result<ExpiryPlan> plan_expiry(const ExpiryFacts& facts, const ExpiryRules& rules);

/// One step of executing a plan.
struct Removal {
    enum class Kind { kManifest, kPack, kWal };
    Kind kind = Kind::kManifest;
    std::string name;         ///< label or pack; empty for WAL
    TimelineId timeline = 0;  ///< kWal only, as are the next two
    uint64_t first = 0;       ///< to be removed in increasing order up to `last`
    uint64_t last = 0;
    uint64_t stored_bytes = 0;  ///< 0 for manifests, whose size the facts do not have
};

/// List what goes in the order in which it has to: manifests, then packs, then WAL, each oldest first (packs by name). An interruption
/// anywhere leaves every remaining backup restorable, and all that is left over is found by the next plan.
std::vector<Removal> order_of_removal(const ExpiryPlan& plan);

}  // namespace steward
