#include "program/engine/queue_guard.h"

#include <chrono>
#include <utility>

#include "core/archive/ready_files.h"
#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/restore/recovery_window.h"

namespace steward {

QueueGuard::QueueGuard(EngineLink& link, GivenUpWal& given_up, uint64_t limit, const ServerFacts& facts, const Clock& clock)
    : link_(link),
      given_up_(given_up),
      limit_(limit),
      wal_segment_size_(facts.wal_segment_size),
      archive_status_(std::filesystem::path(facts.data_directory) / "pg_wal" / "archive_status"),
      clock_(clock),
      queue_(limit_, wal_segment_size_) {}

void QueueGuard::look(WalArchiver* archiver) {
    if (limit_ == 0) return;
    const std::optional<std::vector<std::string>> names = waiting(archiver);
    if (!names) return;
    GivenUpFiles files = queue_.look(*names, std::chrono::steady_clock::now());
    if (files.empty()) return;
    // What is being stored just now may come through, and is looked at again a second later.
    if (archiver != nullptr) {
        files.segments = archiver->give_up(files.segments);
        files.others = archiver->give_up(files.others);
        if (files.empty()) return;
    }
    const Result<void> given_up = give_up(files);
    if (!given_up.ok()) {
        if (archiver != nullptr) {
            archiver->take_back(files.segments);
            archiver->take_back(files.others);
        }
        if (logged_ != given_up.error().message()) link_.warning("wal_not_given_up", given_up.error());
        logged_ = given_up.error().message();
        return;
    }
    logged_.clear();
    if (archiver != nullptr) archiver->postpone(files.histories);
    std::vector<std::string> all = files.segments;
    all.insert(all.end(), files.others.begin(), files.others.end());
    all.insert(all.end(), files.histories.begin(), files.histories.end());
    link_.send(GivenUpMessage{std::move(all)});
}

bool QueueGuard::answers(const std::string& name) const {
    if (!given_up_.covers(name) && !given_up_.owed_histories().contains(name)) return false;
    link_.send(GivenUpMessage{{name}});
    return true;
}

/// What waits, in the order of archiving; nothing when it cannot be found out.
std::optional<std::vector<std::string>> QueueGuard::waiting(const WalArchiver* archiver) const {
    if (archiver != nullptr) return archiver->waiting();
    Result<std::vector<std::string>> ready = list_ready_files(archive_status_);
    if (!ready.ok()) return std::nullopt;
    std::erase_if(*ready, [&](const std::string& name) { return given_up_.covers(name); });
    return std::move(ready).value();
}

Result<void> QueueGuard::give_up(const GivenUpFiles& files) {
    const std::vector<RecordedGap> gaps = dropped_ranges(files.segments, wal_segment_size_, clock_.now(),
                                                         formatted("The archive queue was beyond its limit of {}.", pretty_size(limit_)));
    TRY(given_up_.add(gaps, files.histories));
    for (const RecordedGap& gap : gaps) warn(gap);
    return {};
}

void QueueGuard::warn(const RecordedGap& gap) const {
    const WalHole hole{.timeline = gap.timeline, .begin = gap.begin, .end = gap.end, .reason = gap.reason};
    link_.warning("wal_given_up", Error(ErrorCode::missing_wal, describe(hole, wal_segment_size_))
                                      .detail(formatted("More WAL waited to be archived than \"steward.archive_queue_limit\" allows, which is {}.", pretty_size(limit_)))
                                      .hint("No point in time from there on can be recovered until the next backup, which is taken as soon as the repository works "
                                            "again. See steward.wal_archive for what keeps it from working."));
}

}  // namespace steward
