// How an upgrade was rehearsed, and what the real one will take by that.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/upgrade/finding.h"
#include "core/upgrade/journal.h"

namespace steward {

using Seconds = std::chrono::duration<double>;

struct TimedStep {
    StepOfHop step;
    Seconds time{0};

    bool operator==(const TimedStep&) const = default;
};

/// How long the steps of a run took, by its journal, in the order in which they ended. Pure.
std::vector<TimedStep> time_steps(std::span<const JournalEntry> run);

struct RehearsalRecord {
    TimePoint time;                        ///< when the rehearsed upgrade began
    std::filesystem::path data_directory;  ///< whose upgrade it was
    std::filesystem::path place;           ///< where it was
    UpgradeRequest request;                ///< of the rehearsed one
    std::string backup;                    ///< label of the backup that was upgraded; empty: a copy of the data directory was
    Seconds evidence{0};                   ///< what copying or restoring took, which the real upgrade does not
    Seconds planning{0};                   ///< until the first step: what is in the way, and pg_upgrade --check
    std::vector<TimedStep> steps;
    uint64_t data_bytes = 0;               ///< on disk, of the cluster with its tablespaces before the upgrade
    uint64_t peak_bytes = 0;               ///< more than these, at the most
    uint64_t kept_bytes = 0;               ///< that the commit gives back
    bool shares_blocks = false;            ///< these two count blocks that files share as often as there are files
    std::vector<std::string> caveats;      ///< how the real one may differ; full sentences
    std::vector<UpgradeFinding> findings;
    std::vector<std::string> notes;        ///< what the run said of extensions, settings and statistics

    /// What the real upgrade takes, from the old server's stop to the new one's start.
    Seconds downtime() const;
};

/// The page for people, and one JSON object without a newline. Pure.
std::string render_rehearsal(const RehearsalRecord& record);
std::string render_rehearsal_json(const RehearsalRecord& record);

/// What an upgrade that is about to begin needs to know of its rehearsal.
struct RehearsalOutcome {
    TimePoint time;
    int from = 0;
    std::vector<int> path;
    TransferMethod method = TransferMethod::kCopy;
    Seconds downtime{0};
    uint64_t peak_bytes = 0;
};

/// Parse what render_rehearsal_json wrote. Errors: corrupt_object. Pure.
Result<RehearsalOutcome> parse_rehearsal(std::string_view text);

/// "rehearsed by link on 2026-11-22T05:12:01Z: 41 s, up to 1.2 GB"; nothing when it was another upgrade that was rehearsed. Pure.
std::optional<std::string> recall_rehearsal(const RehearsalOutcome& rehearsal, const UpgradeRequest& request);

}  // namespace steward
