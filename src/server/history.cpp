#include "server/history.h"

#include <algorithm>
#include <exception>
#include <vector>

#include "core/base/format.h"
#include "core/jobs/job_history.h"
#include "server/boundary.h"
#include "server/report.h"

namespace steward {

namespace {

SharedHistory& history() { return shared_state()->history; }

/// An end that nobody saw counts as soon as the run has begun: what became due while the server was down is still owed.
void note_for_schedule(const SharedJobRecord& record) {
    const auto job = std::ranges::find(kScheduledJobNames, record.job.view());
    if (job == kScheduledJobNames.end() || record.result == JobResult::kRunning) return;
    SharedLastRun& last = history().last[job - kScheduledJobNames.begin()];
    last.ended = record.finished != 0 ? record.finished : record.started;
    if (record.result == JobResult::kSucceeded) last.success_started = record.started;
}

Result<void> load() {
    Result<JobHistory> read = read_job_history(steward_directory());
    if (!read.ok()) return report_warning(std::move(read).error().context("while reading the history of jobs"));
    end_unfinished(read->records);
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    history().lines = read->lines;
    for (const JobRecord& record : read->records) {
        show_in_history(record);
        history().last_number = std::max(history().last_number, record.number);
    }
    return {};
}

}  // namespace

std::string steward_directory() { return formatted("{}/{}", DataDir, kStewardDirectory); }

void load_history() noexcept {
    try {
        // A warning that cannot be written has nobody to be told to.
        static_cast<void>(load().ok());
    } catch (const std::exception&) {
    }
}

void show_in_history(const JobRecord& record) {
    SharedJobRecord* const end = history().records + std::min<uint64>(history().count, kHistoryRing);
    SharedJobRecord* place = std::find_if(history().records, end, [&](const SharedJobRecord& known) { return known.number == record.number; });
    if (place == end) place = &history().records[history().count++ % kHistoryRing];
    place->assign(record);
    note_for_schedule(*place);
    history().expiry_debt.note(record);
}

Result<void> write_to_history(const JobRecord& record) {
    const SharedLock lock(history().file_lock, LW_EXCLUSIVE);
    TRY(append_job_record(steward_directory(), record));
    if (++history().lines <= kMostHistoryLines) return {};
    TRY_ASSIGN(history().lines, compact_job_history(steward_directory()));
    return {};
}

}  // namespace steward
