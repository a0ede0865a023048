#include "core/archive/wal_archiver.h"

#include <algorithm>

#include "core/archive/ready_files.h"
#include "core/postgres/wal_name.h"

namespace steward {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// Segments may be as large as 1 GB, and each thread holds one in memory, compressed.
constexpr uint64_t kMemoryBudget = uint64_t{1} << 30;
constexpr auto kRateWindow = std::chrono::seconds(60);

int bounded_workers(const ArchiverOptions& options, uint32_t segment_size) {
    const uint64_t most = kMemoryBudget / static_cast<uint64_t>(options.threads_per_worker) / segment_size;
    return std::clamp<int>(options.workers, 1, static_cast<int>(std::max<uint64_t>(1, most)));
}

milliseconds longer(milliseconds pause, const ArchiverOptions& options) {
    return std::clamp(pause * 2, options.first_pause, options.longest_pause);
}

int64_t to_us(TimePoint time) { return time.time_since_epoch().count(); }

}  // namespace

WalArchiver::WalArchiver(ArchiverOptions options, std::span<const Repository> repositories, ArchiveListener& listener, const Clock& clock)
    : options_(std::move(options)),
      repositories_(repositories),
      listener_(listener),
      clock_(clock),
      workers_(bounded_workers(options_, repositories_.front().identity().wal_segment_size)),
      slots_(workers_) {
    for (const Repository& repository : repositories_) {
        status_.emplace_back();
        status_.back().url = repository.url();
    }
    for (int i = 0; i < workers_ * options_.threads_per_worker; ++i) threads_.emplace_back([this] { work(); });
}

WalArchiver::~WalArchiver() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
}

Result<void> WalArchiver::scan() {
    TRY_ASSIGN(const std::vector<std::string> ready, list_ready_files(options_.data_directory / "pg_wal" / "archive_status"));
    const std::lock_guard lock(mutex_);
    std::map<std::string, File> files;
    for (const std::string& name : ready) {
        const auto known = files_.find(name);
        files.emplace(name, known != files_.end() ? known->second
                                                  : File{.given_up = options_.given_up != nullptr && options_.given_up->covers(name), .seen_at_start = !scanned_});
    }
    // A file in flight whose mark is gone was archived by someone else; its worker still needs the entry.
    for (const auto& [name, file] : files_)
        if (file.in_flight || (file.postponed && !file.stored)) files.emplace(name, file);
    files_ = std::move(files);
    scanned_ = true;
    order_by(ready);
    changed_.notify_all();
    return {};
}

/// Put what waits in the order of archiving: histories without a mark, which are the oldest, then what is marked.
void WalArchiver::order_by(const std::vector<std::string>& ready) {
    order_.clear();
    backlog_bytes_ = 0;
    const auto waits = [](const File& file) { return !file.stored && !file.given_up; };
    for (const auto& [name, file] : files_)
        if (file.postponed && waits(file) && std::ranges::find(ready, name) == ready.end()) enqueue(name, order_.end());
    for (const std::string& name : ready)
        if (waits(files_[name])) enqueue(name, order_.end());
}

std::vector<std::string> WalArchiver::waiting() const {
    const std::lock_guard lock(mutex_);
    return order_;
}

std::vector<std::string> WalArchiver::give_up(std::span<const std::string> names) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> given_up;
    for (const std::string& name : names) {
        const auto known = files_.find(name);
        if (known == files_.end() || known->second.in_flight || known->second.stored) continue;
        known->second.given_up = true;
        dequeue(name);
        given_up.push_back(name);
    }
    return given_up;
}

void WalArchiver::take_back(std::span<const std::string> names) {
    const std::lock_guard lock(mutex_);
    for (const std::string& name : names) {
        const auto known = files_.find(name);
        if (known == files_.end() || !known->second.given_up) continue;
        known->second.given_up = false;
        enqueue(name, order_.end());
    }
    sort_for_archiving(order_);
    changed_.notify_all();
}

void WalArchiver::postpone(std::span<const std::string> histories) {
    const std::lock_guard lock(mutex_);
    for (const std::string& name : histories) {
        File& file = files_[name];
        file.postponed = true;
        if (!file.stored && std::ranges::find(order_, name) == order_.end()) enqueue(name, order_.begin());
    }
    changed_.notify_all();
}

void WalArchiver::want(const std::string& name) {
    {
        const std::lock_guard lock(mutex_);
        const auto known = files_.find(name);
        if (known == files_.end() || !known->second.stored) {
            wanted_ = name;
            files_[name].not_before = {};
            not_before_ = {};
            if (std::ranges::find(order_, name) == order_.end()) enqueue(name, order_.begin());
            changed_.notify_all();
            return;
        }
    }
    listener_.stored(name, status());
}

void WalArchiver::work() {
    WalPush push(options_.data_directory / "pg_wal", repositories_, options_.compression, slots_);
    std::unique_lock lock(mutex_);
    while (const std::optional<std::string> name = take_next(lock)) {
        const auto expectation = files_[*name].seen_at_start ? PushExpectation::kProbablyStored : PushExpectation::kProbablyNew;
        lock.unlock();
        const Result<PushResult> result = push.push(*name, expectation);
        finish(*name, result);
        lock.lock();
    }
}

/// Wait for a file that may be tried now, mark it as in flight and return it; nothing when it is time to stop.
std::optional<std::string> WalArchiver::take_next(std::unique_lock<std::mutex>& lock) {
    for (;;) {
        if (stop_) return std::nullopt;
        const SteadyTime now = steady_clock::now();
        const bool may_try = !probing_ || (in_flight_ == 0 && now >= not_before_);
        const auto ready = [&](const std::string& name) {
            const File& file = files_[name];
            return !file.in_flight && !file.stored && now >= file.not_before;
        };
        if (may_try) {
            auto found = std::ranges::find(order_, wanted_);
            if (found == order_.end() || !ready(*found)) found = std::ranges::find_if(order_, ready);
            if (found != order_.end()) {
                files_[*found].in_flight = true;
                in_flight_++;
                return *found;
            }
        }
        if (const SteadyTime retry = earliest_retry(); retry > now && retry != SteadyTime::max())
            changed_.wait_until(lock, retry);
        else
            changed_.wait(lock);
    }
}

/// When a file that waits for its pause may be tried; the end of time when none does.
WalArchiver::SteadyTime WalArchiver::earliest_retry() const {
    SteadyTime earliest = SteadyTime::max();
    for (const std::string& name : order_) {
        const auto file = files_.find(name);
        if (file != files_.end() && !file->second.in_flight && !file->second.stored) earliest = std::min(earliest, std::max(file->second.not_before, probing_ ? not_before_ : SteadyTime{}));
    }
    return earliest;
}

void WalArchiver::finish(const std::string& name, const Result<PushResult>& result) {
    const Error* error = result.ok() ? result->first_error() : &result.error();
    // The server removes a segment only after it was archived: a file that is gone needs nothing from us any more.
    const bool gone = !result.ok() && result.error().code() == ErrorCode::not_found;
    {
        const std::lock_guard lock(mutex_);
        in_flight_--;
        File& file = files_[name];
        file.in_flight = false;
        if (result.ok())
            count(name, *result);
        else if (!gone)
            for (WalRepositoryStatus& status : status_) count_failure(status, result.error());
        if (error == nullptr) {
            succeed(name, file, *result);
        } else if (gone) {
            dequeue(name);
            files_.erase(name);
        } else {
            fail(file, *error);
        }
        changed_.notify_all();
    }
    if (error == nullptr)
        listener_.stored(name, status());
    else if (!gone)
        listener_.not_stored(name, *error, status());
}

void WalArchiver::succeed(const std::string& name, File& file, const PushResult& result) {
    file.stored = true;
    dequeue(name);
    probing_ = false;
    pause_ = milliseconds(0);
    recent_.emplace_back(steady_clock::now(), result.plain_bytes);
    while (recent_.front().first < steady_clock::now() - kRateWindow) recent_.pop_front();
}

void WalArchiver::fail(File& file, const Error& error) {
    if (error.retryable() || error.code() == ErrorCode::permission_denied) {
        probing_ = true;
        pause_ = longer(pause_, options_);
        not_before_ = steady_clock::now() + pause_;
    } else {
        file.pause = longer(file.pause, options_);
        file.not_before = steady_clock::now() + file.pause;
    }
}

void WalArchiver::enqueue(const std::string& name, std::vector<std::string>::iterator before) {
    backlog_bytes_ += bytes_of(name);
    order_.insert(before, name);
}

void WalArchiver::dequeue(const std::string& name) {
    if (std::erase(order_, name) > 0) backlog_bytes_ -= bytes_of(name);
}

/// History files are a few bytes: they do not count.
uint64_t WalArchiver::bytes_of(const std::string& name) const {
    return wal_object_kind(name) == ObjectKind::kWalSegment ? repositories_.front().identity().wal_segment_size : 0;
}

/// A file that cannot even be read fails for every repository.
void WalArchiver::count_failure(WalRepositoryStatus& status, const Error& error) const {
    status.failures++;
    status.last_error = error.message();
    status.last_error_us = to_us(clock_.now());
}

void WalArchiver::count(const std::string& name, const PushResult& result) {
    if (result.was_assembled) return;
    const int64_t now = to_us(clock_.now());
    for (size_t i = 0; i < status_.size(); ++i) {
        WalRepositoryStatus& status = status_[i];
        const StoreResult& stored = result.repositories[i];
        if (!stored.ok()) {
            count_failure(status, stored.error());
            continue;
        }
        status.stored_files++;
        status.stored_bytes += result.plain_bytes;
        if (*stored == StoreOutcome::kStored) status.repository_bytes += result.object_bytes;
        status.last_stored_us = now;
        if (classify_wal_file(name) != WalFileKind::kSegment || name <= status.last_segment) continue;
        const uint32_t size = repositories_[i].identity().wal_segment_size;
        if (const Result<WalSegmentName> segment = parse_wal_segment_name(name, size); segment.ok()) {
            status.last_segment = name;
            status.last_lsn = start_lsn(segment->segment_number + 1, size).value;
        }
    }
}

WalStatusMessage WalArchiver::status() const {
    const std::lock_guard lock(mutex_);
    WalStatusMessage message;
    message.backlog_files = order_.size();
    message.backlog_bytes = backlog_bytes_;
    message.bytes_per_second = bytes_per_second();
    message.repositories = status_;
    return message;
}

double WalArchiver::bytes_per_second() const {
    const SteadyTime since = steady_clock::now() - kRateWindow;
    uint64_t bytes = 0;
    for (const auto& [when, size] : recent_)
        if (when >= since) bytes += size;
    return static_cast<double>(bytes) / static_cast<double>(kRateWindow.count());
}

}  // namespace steward
