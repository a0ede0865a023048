#include "core/schedule/plan_runs.h"

#include <algorithm>

#include "core/base/format.h"
#include "core/schedule/next_run.h"

namespace steward {

using namespace std::chrono;

namespace {

/// From which time on runs are owed and counted. Nothing is known where a time is missing.
struct Marks {
    std::optional<TimePoint> owed_from;     ///< what was due until then has run or was skipped
    std::optional<TimePoint> counted_from;  ///< the last run that counts, or the beginning
    bool clock_was_wrong = false;           ///< the facts are of a clock that was far ahead, and nothing since then tells more
};

/// A time that a clock in order can have recorded by now.
std::optional<TimePoint> credible(std::optional<TimePoint> time, TimePoint now) {
    return time && *time <= now + kLargestSetback ? time : std::nullopt;
}

Marks marks_of(const JobFacts& facts) {
    const auto since = credible(facts.enabled_since, facts.now);
    const auto run = credible(facts.last_run, facts.now);
    const auto end = credible(facts.last_end, facts.now);
    const bool run_is_lost = facts.last_run && !run;
    Marks marks;
    // An empty optional is less than any time.
    marks.counted_from = std::max(since, run_is_lost ? end : run);
    marks.owed_from = std::max(marks.counted_from, end);
    marks.clock_was_wrong = !run && !end && (run_is_lost || !since);
    return marks;
}

/// When the first run is due after `time`.
std::optional<TimePoint> next_due(const JobFacts& facts, TimePoint time) {
    const auto run = next_run(facts.schedule, facts.zone, time - facts.jitter);
    return run ? std::optional<TimePoint>(*run + facts.jitter) : std::nullopt;
}

/// How many runs became due after `from` and until `facts.now`; kMostMissed + 1 stands for all that is more than kMostMissed.
unsigned count_due(const JobFacts& facts, std::optional<TimePoint> from) {
    unsigned count = 0;
    if (!from) return count;
    for (auto due = next_due(facts, *from); due && *due <= facts.now && count <= kMostMissed; due = next_due(facts, *due)) ++count;
    return count;
}

std::string why_waiting(const JobFacts& facts, const Marks& marks) {
    if (facts.in_recovery) return "the server is in recovery";
    if (facts.running) return "a run is in progress";
    if (marks.owed_from > facts.now)
        return formatted("the clock is behind the last record of this job, {}", format_time(*marks.owed_from));
    return "no run is due";
}

RunPlan wait(const JobFacts& facts, const Marks& marks) {
    const unsigned missed = facts.in_recovery ? 0 : std::min(count_due(facts, marks.counted_from), kMostMissed);
    const TimePoint settled = std::max(facts.now, marks.owed_from.value_or(facts.now));
    return {RunDecision::kWait, next_due(facts, settled), why_waiting(facts, marks), missed};
}

RunPlan run_due_since(const JobFacts& facts, const Marks& marks, TimePoint due) {
    const unsigned missed = std::max(count_due(facts, marks.counted_from), 1u) - 1;
    std::string reason = formatted("due since {}", format_time(due));
    if (missed > 0) reason += formatted(", and {} other run{} missed", missed, missed == 1 ? " was" : "s were");
    return {RunDecision::kRunNow, due, std::move(reason), missed};
}

}  // namespace

RunPlan plan_run(const JobFacts& facts) {
    const Marks marks = marks_of(facts);
    if (facts.in_recovery || facts.running) return wait(facts, marks);
    if (marks.clock_was_wrong)
        return {RunDecision::kRunNow, facts.now, "the clock was set back far: what is recorded of this job lies in the future", 0};
    const auto due = next_due(facts, *marks.owed_from);
    if (!due || *due > facts.now) return wait(facts, marks);
    return run_due_since(facts, marks, *due);
}

Duration jitter_of(uint64_t system_identifier, Duration limit) {
    // The finalizer of SplitMix64 (Steele, Lea, Flood 2014): identifiers are times with process numbers, and clusters that are
    // made one after the other must differ as much as any others.
    uint64_t mixed = system_identifier + 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    mixed ^= mixed >> 31;
    return seconds(mixed % (static_cast<uint64_t>(floor<seconds>(limit).count()) + 1));
}

}  // namespace steward
