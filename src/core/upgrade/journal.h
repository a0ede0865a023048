// The journal of an upgrade: what was begun and what was finished, a JSON object a line.
//
// A line is flushed before the step that it announces is executed, and another one after it. The last line may be torn by a crash; it was
// announced or finished then or not, and both are safe, since every step can be done again.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/upgrade/upgrade_step.h"

namespace steward {

enum class JournalEvent {
    kBegin,   ///< of a run: what came before it in the journal is of another one
    kStep,    ///< is about to be executed
    kDone,    ///< has been executed, durably
    kFailed,  ///< has been given up
};

struct JournalEntry {
    JournalEvent event = JournalEvent::kBegin;
    TimePoint at{};
    std::optional<UpgradeRequest> request;     ///< kBegin
    StepOfHop step;                            ///< the others
    std::map<std::string, std::string> facts;  ///< what those that come later need to know

    bool operator==(const JournalEntry&) const = default;
};

/// Facts that whoever goes on looks at.
inline constexpr std::string_view kFactMark = "mark";          ///< kDone: the old cluster's SeenCluster::mark after the step
inline constexpr std::string_view kFactNewMark = "new_mark";   ///< kStep of kExchange: the new cluster's
inline constexpr std::string_view kFactMessage = "message";    ///< kFailed: the error in one line
inline constexpr std::string_view kFactCode = "code";          ///< kFailed: its code
inline constexpr std::string_view kFactSuccession = "succession";  ///< kStep of kBringBack: the mark by which the old cluster goes on in the repository

/// One line with its newline. Pure.
std::string format_journal_entry(const JournalEntry& entry);

/// Parse a journal; a last line without newline is left out. Errors: corrupt_object naming the line; unsupported_format for a journal of a
/// later release. Pure.
Result<std::vector<JournalEntry>> parse_journal(std::string_view text);

/// Bytes of `text` that are whole lines. Pure.
size_t whole_lines(std::string_view text);

/// From the last kBegin on; empty when there is none. Pure.
std::span<const JournalEntry> last_run(std::span<const JournalEntry> entries);

}  // namespace steward
