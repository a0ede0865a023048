// Continuous archiving: pushes every file that is marked ready, many at once, and keeps count.
//
// States of a file:   ready -> in flight -> stored            (forgotten once its .ready mark is gone)
//                       ^          |
//                       +- failed -+  with a pause
//
// When storing fails for a reason that time may cure (disk full, network), the store is probed with one file at a time and
// growing pauses until one gets through; an outage costs one attempt a pause, not one a segment. A failure that is the
// file's own (other content is stored under its name) pauses that file only, and the others go on.
//
// A file that was given up (queue_limit.h) is not touched any more: the server may reuse it at any moment. A timeline history that the
// server was told to be stored goes on waiting without a mark.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/archive/given_up_wal.h"
#include "core/archive/wal_push.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/protocol/messages.h"

namespace steward {

/// Told what happens, from the archiver's threads, each time with the counts after it. Implementations do not block.
class ArchiveListener {
public:
    virtual ~ArchiveListener() = default;
    /// The file is durable in every repository.
    virtual void stored(const std::string& name, const WalStatusMessage& status) = 0;
    virtual void not_stored(const std::string& name, const Error& error, const WalStatusMessage& status) = 0;
};

struct ArchiverOptions {
    std::filesystem::path data_directory;
    int workers = 2;
    /// One segment is compressed while another one is flushed. A flush takes a seventh of the time of the compression on a quiet
    /// disk and more than all of it on a busy one, and flushes side by side share the file system's journal commits.
    int threads_per_worker = 2;
    Compression compression;
    std::chrono::milliseconds first_pause{1000};    ///< after a failure; doubles with each further one
    std::chrono::milliseconds longest_pause{30000};
    const GivenUpWal* given_up = nullptr;  ///< what is in it when a file is first seen counts; nullptr: nothing is
};

/// Owns its threads; everything borrowed outlives it. Thread-safe.
class WalArchiver {
public:
    WalArchiver(ArchiverOptions options, std::span<const Repository> repositories, ArchiveListener& listener, const Clock& clock);
    /// Waits for the files in flight.
    ~WalArchiver();

    /// Look which files are ready now. Errors: as list_ready_files.
    Result<void> scan();

    /// Someone waits for this file: take it first, at once even if it has just failed. A file known as stored is reported again.
    void want(const std::string& name);

    /// Names of what waits, those in flight included, in the order of archiving.
    std::vector<std::string> waiting() const;
    /// Give up those of these files that wait and are not in flight; return them. The others may be given up later.
    std::vector<std::string> give_up(std::span<const std::string> names);
    /// Let them wait again: they could not be given up after all.
    void take_back(std::span<const std::string> names);
    /// Store these timeline histories also when they are marked as ready no more.
    void postpone(std::span<const std::string> histories);

    /// Counts for the server's views. Backlog is what was ready and not stored at the last scan or since.
    WalStatusMessage status() const;

private:
    using SteadyTime = std::chrono::steady_clock::time_point;
    struct File {
        bool in_flight = false;
        bool stored = false;
        bool given_up = false;
        bool postponed = false;
        bool seen_at_start = false;
        SteadyTime not_before{};
        std::chrono::milliseconds pause{0};
    };

    void work();
    std::optional<std::string> take_next(std::unique_lock<std::mutex>& lock);
    SteadyTime earliest_retry() const;
    void finish(const std::string& name, const Result<PushResult>& result);
    void succeed(const std::string& name, File& file, const PushResult& result);
    void fail(File& file, const Error& error);
    void order_by(const std::vector<std::string>& ready);
    void enqueue(const std::string& name, std::vector<std::string>::iterator before);
    void dequeue(const std::string& name);
    uint64_t bytes_of(const std::string& name) const;
    void count_failure(WalRepositoryStatus& status, const Error& error) const;
    void count(const std::string& name, const PushResult& result);
    double bytes_per_second() const;

    const ArchiverOptions options_;
    const std::span<const Repository> repositories_;
    ArchiveListener& listener_;
    const Clock& clock_;
    const int workers_;       ///< how many files are compressed at the same time
    CompressionSlots slots_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool stop_ = false;
    bool scanned_ = false;
    std::map<std::string, File> files_;    ///< all that are ready
    std::vector<std::string> order_;       ///< ready, not stored, in order of archiving
    uint64_t backlog_bytes_ = 0;           ///< of the segments in order_
    std::string wanted_;
    bool probing_ = false;                 ///< a repository fails: one file at a time
    int in_flight_ = 0;
    SteadyTime not_before_{};              ///< no attempt before, while probing
    std::chrono::milliseconds pause_{0};
    std::vector<WalRepositoryStatus> status_;
    std::deque<std::pair<SteadyTime, uint64_t>> recent_;  ///< (when, bytes) of the last minute
    std::vector<std::jthread> threads_;
};

}  // namespace steward
