#include "program/engine/window_watch.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <span>
#include <system_error>
#include <utility>

#include "core/archive/ready_files.h"
#include "core/base/format.h"
#include "core/restore/recovery_window.h"
#include "program/engine/recovery_window_message.h"

namespace steward {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr auto kShortestPause = 10s;
/// Listing a hundred thousand segments takes a second of one processor: it may have a fiftieth of the time.
constexpr int kPausePerLook = 50;

/// A standby archives nothing: what it does not find waiting in its own pg_wal may wait on the primary server.
bool is_in_recovery(const std::filesystem::path& data_directory) {
    std::error_code ignored;
    return std::filesystem::exists(data_directory / "standby.signal", ignored) || std::filesystem::exists(data_directory / "recovery.signal", ignored);
}

Error gap_alarm(const RecordedGap& gap, const Repository& repository) {
    const WalHole hole{.timeline = gap.timeline, .begin = gap.begin, .end = gap.end, .reason = gap.reason};
    return Error(ErrorCode::missing_wal, describe(hole, repository.identity().wal_segment_size) + formatted(" in repository \"{}\"", repository.url()))
        .detail("Earlier and later WAL is stored, so recovery would end at this gap. It is entered into the gap ledger and shown by steward.wal_gaps.")
        .hint("Take a new backup with \"SELECT steward.backup()\". If the segments exist elsewhere, put them back; the entry is void then.");
}

}  // namespace

WindowWatch::WindowWatch(EngineLink& link, const std::vector<Repository>& repositories, GivenUpWal& given_up, std::string data_directory,
                         const Clock& clock)
    : link_(link),
      repositories_(repositories),
      given_up_(given_up),
      data_directory_(std::move(data_directory)),
      clock_(clock),
      watched_(repositories.size()),
      thread_([this](const std::stop_token& stop) { watch(stop); }) {}

void WindowWatch::watch(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
        const auto begun = steady_clock::now();
        link_.send(look());
        const auto pause = std::max<steady_clock::duration>(kShortestPause, (steady_clock::now() - begun) * kPausePerLook);
        never.wait_for(lock, stop, pause, [] { return false; });
    }
}

RecoveryWindowMessage WindowWatch::look() {
    std::string error;
    // Before the listing: what is archived in between is then seen in one of the two places at least.
    const Result<std::vector<std::string>> ready = list_ready_files(std::filesystem::path(data_directory_) / "pg_wal" / "archive_status");
    const bool keeps_ledger = ready.ok() && !is_in_recovery(data_directory_);
    const std::vector<RecordedGap> given_up = keeps_ledger ? given_up_.gaps() : std::vector<RecordedGap>();
    bool all_entered = true;
    std::vector<RepositoryContent> contents;
    for (size_t i = 0; i < repositories_.size(); ++i) {
        Result<RepositoryContent> content = watched_[i].reader.read(repositories_[i]);
        if (!content.ok()) {
            error = content.error().message();
            all_entered = false;
            continue;
        }
        // First, so that what was given up is not taken for a loss.
        all_entered = enter_given_up(i, given_up, *content) && all_entered;
        if (keeps_ledger) enter_gaps(i, *ready, *content);
        for (const Error& damage : content->damage()) error = damage.message();
        contents.push_back(std::move(content).value());
    }
    if (all_entered && !given_up.empty()) settle_given_up(given_up, *ready);
    RecoveryWindowMessage message;
    // Where one could not be read, a backup may be there.
    const bool has_predecessor =
        contents.size() == repositories_.size() && std::ranges::any_of(repositories_, [](const Repository& each) { return each.identity().predecessor != 0; });
    if (!contents.empty()) message = recovery_window_message(merge_contents(contents, repositories_.front().identity().wal_segment_size), has_predecessor);
    message.error = std::move(error);
    return message;
}

/// Enter what was given up here, and count it as entered. False when something could not be: it is tried again at the next look.
bool WindowWatch::enter_given_up(size_t repository, const std::vector<RecordedGap>& gaps, RepositoryContent& content) {
    for (const RecordedGap& gap : gaps) {
        if (std::ranges::find(content.gaps, gap) != content.gaps.end()) continue;
        const Result<StoreOutcome> stored = record_gap(repositories_[repository], gap);
        if (!stored.ok()) {
            link_.warning("gap_not_recorded", stored.error());
            return false;
        }
        content.gaps.push_back(gap);
    }
    return true;
}

/// Forget what every ledger has and what the server does not wait to archive any more. Until then it must not be archived.
void WindowWatch::settle_given_up(const std::vector<RecordedGap>& entered, const std::vector<std::string>& ready) {
    if (std::ranges::any_of(ready, [&](const std::string& name) { return given_up_.covers(name); })) return;
    if (const Result<void> settled = given_up_.settle(entered); !settled.ok()) link_.warning("given_up_wal_not_settled", settled.error());
}

/// Enter what this look makes certain, and count it as entered. What cannot be entered is tried again at the next look.
void WindowWatch::enter_gaps(size_t repository, const std::vector<std::string>& ready, RepositoryContent& content) {
    const RestoreFacts facts = merge_contents(std::span(&content, 1), repositories_[repository].identity().wal_segment_size);
    for (const RecordedGap& gap : watched_[repository].gaps.look(facts.wal, ready, content.gaps, clock_.now())) {
        const Result<StoreOutcome> stored = record_gap(repositories_[repository], gap);
        if (!stored.ok()) {
            link_.warning("gap_not_recorded", stored.error());
            continue;
        }
        content.gaps.push_back(gap);
        link_.warning("wal_gap", gap_alarm(gap, repositories_[repository]));
    }
}

}  // namespace steward
