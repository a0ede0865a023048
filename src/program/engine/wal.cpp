// The WAL engine: continuous archiving, and a watch over the repositories' catalogs.

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <optional>
#include <thread>

#include "core/archive/given_up_wal.h"
#include "core/archive/wal_archiver.h"
#include "core/archive/wal_tail_archiver.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/repository/catalog.h"
#include "core/repository/pins.h"
#include "program/claim_repositories.h"
#include "program/engine/catalog_entry.h"
#include "program/engine/engines.h"
#include "program/engine/queue_guard.h"
#include "program/engine/window_watch.h"

namespace steward {

using namespace std::chrono_literals;

namespace {

constexpr auto kStatusInterval = 1000ms;
/// The kernel tells of every file that becomes ready; a scan besides is for what it may have dropped.
constexpr auto kScanInterval = 10s;
constexpr auto kCatalogInterval = 10s;
constexpr auto kOpenPause = 2s;

/// Tells the worker what was stored, as it happens. The status goes first: who is woken by the second message sees it.
class Announcer final : public ArchiveListener {
public:
    Announcer(EngineLink& link, WalTailArchiver& tail, GivenUpWal& given_up) : link_(link), tail_(tail), given_up_(given_up) {}
    void stored(const std::string& name, const WalStatusMessage& status) override {
        tail_.segment_stored();
        if (const Result<void> settled = given_up_.settle_history(name); !settled.ok()) link_.warning("given_up_wal_not_settled", settled.error());
        send(status);
        link_.send(StoredMessage{{name}});
    }
    void not_stored(const std::string& name, const Error& error, const WalStatusMessage& status) override {
        send(status);
        link_.send(NotStoredMessage{name, error});
    }

    /// The status of whole segments and, added here, of the tail.
    void send(WalStatusMessage status) {
        tail_.describe(status);
        link_.send(status);
    }

private:
    EngineLink& link_;
    WalTailArchiver& tail_;
    GivenUpWal& given_up_;
};

/// Reads the catalogs now and then, on a thread of its own: a slow store must not hold up archiving.
class CatalogWatch {
public:
    CatalogWatch(EngineLink& link, const std::vector<Repository>& repositories)
        : link_(link), repositories_(repositories), catalogs_(repositories.size()), thread_([this](std::stop_token stop) { watch(stop); }) {}

private:
    void watch(std::stop_token stop) {
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
            link_.send(read());
            never.wait_for(lock, stop, kCatalogInterval, [] { return false; });
        }
    }

    CatalogMessage read() {
        CatalogMessage message;
        for (size_t i = 0; i < repositories_.size(); ++i) {
            const Result<std::vector<BackupSummary>> summaries = catalogs_[i].read(repositories_[i]);
            if (!summaries.ok()) {
                message.error = summaries.error().message();
                continue;
            }
            const Result<std::vector<std::string>> pinned = list_pinned(repositories_[i]);
            if (!pinned.ok()) {
                message.error = pinned.error().message();
                continue;
            }
            for (const DamagedBackup& damaged : catalogs_[i].damaged()) message.error = damaged.error.message();
            for (auto summary = summaries->rbegin(); summary != summaries->rend(); ++summary)
                message.backups.push_back(catalog_entry(*summary, repositories_[i].url(), std::ranges::binary_search(*pinned, summary->label)));
        }
        return message;
    }

    EngineLink& link_;
    const std::vector<Repository>& repositories_;
    std::vector<Catalog> catalogs_;
    std::jthread thread_;
};

/// Everything that depends on the configuration; made anew when that changes.
class WalEngine {
public:
    static Result<std::unique_ptr<WalEngine>> open(EngineLink& link, GivenUpWal& given_up, const Settings& settings, const ServerFacts& facts) {
        std::unique_ptr<WalEngine> engine(new WalEngine(link, given_up, facts));
        TRY_ASSIGN(engine->repositories_, claim_repositories(settings, facts, engine->clock_));
        engine->start(settings);
        return engine;
    }

    WalArchiver& archiver() { return *archiver_; }
    WalTailArchiver& tail() { return *tail_; }
    void report_status() { announcer_->send(archiver_->status()); }

    /// Scan, and log what keeps it from working instead of returning it: the next scan may be better.
    void scan() {
        if (const Result<void> scanned = archiver_->scan(); !scanned.ok()) link_.warning("scan_failed", scanned.error());
    }

private:
    WalEngine(EngineLink& link, GivenUpWal& given_up, const ServerFacts& facts) : link_(link), given_up_(given_up), facts_(facts) {}

    TailOptions tail_options(const Settings& settings) const {
        TailOptions options{facts_.data_directory, settings.compression};
        if (settings.archive_tail_interval.count() != 0) options.retry_pause = settings.archive_tail_interval;
        return options;
    }

    void start(const Settings& settings) {
        ArchiverOptions options;
        options.data_directory = facts_.data_directory;
        options.workers = settings.archive_workers;
        options.compression = settings.compression;
        options.given_up = &given_up_;
        tail_ = std::make_unique<WalTailArchiver>(tail_options(settings), repositories_, clock_, link_);
        announcer_ = std::make_unique<Announcer>(link_, *tail_, given_up_);
        archiver_ = std::make_unique<WalArchiver>(std::move(options), repositories_, *announcer_, clock_);
        const std::set<std::string> owed = given_up_.owed_histories();
        archiver_->postpone(std::vector(owed.begin(), owed.end()));
        catalog_ = std::make_unique<CatalogWatch>(link_, repositories_);
        window_ = std::make_unique<WindowWatch>(link_, repositories_, given_up_, facts_.data_directory, clock_);
    }

    EngineLink& link_;
    GivenUpWal& given_up_;
    ServerFacts facts_;
    SystemClock clock_;
    std::vector<Repository> repositories_;
    std::unique_ptr<WalTailArchiver> tail_;
    std::unique_ptr<Announcer> announcer_;
    std::unique_ptr<WalArchiver> archiver_;
    std::unique_ptr<CatalogWatch> catalog_;
    std::unique_ptr<WindowWatch> window_;
};

/// Tells when a file may have become ready.
class ReadyWatch {
public:
    explicit ReadyWatch(const std::string& data_directory) : events_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC)) {
        const std::string directory = data_directory + "/pg_wal/archive_status";
        if (!events_.valid() || ::inotify_add_watch(events_.get(), directory.c_str(), IN_CREATE | IN_MOVED_TO) < 0)
            fault_ = Error::from_errno(errno, formatted("could not watch directory \"{}\"", directory))
                         .detail(formatted("Files that are ready are looked for every {} s instead.", kScanInterval.count()))
                         .hint("Raise fs.inotify.max_user_instances or fs.inotify.max_user_watches.");
    }

    /// Why nothing that happens there is noticed before the timeout, if so.
    const std::optional<Error>& fault() const { return fault_; }

    /// Wait until something happened there, wake() was called, or `timeout` has passed.
    void wait(std::chrono::milliseconds timeout) {
        pollfd waiting[] = {{events_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
        if (::poll(waiting, 2, static_cast<int>(timeout.count())) <= 0) return;
        std::byte events[4096];
        while (::read(events_.get(), events, sizeof events) > 0) {
        }
    }

    void wake() {
        const uint64_t one = 1;
        [[maybe_unused]] const ssize_t n = ::write(wake_.get(), &one, sizeof one);
    }

private:
    UniqueFd events_;
    UniqueFd wake_;
    std::optional<Error> fault_;
};

/// Scans whenever a file becomes ready, so that it is pushed ahead of the archiver's question.
void watch_ready_files(const std::stop_token& stop, const std::string& data_directory, WalEngine& engine, Log& log) {
    ReadyWatch watch(data_directory);
    if (watch.fault()) log.warning("watch_failed", *watch.fault());
    const std::stop_callback wake(stop, [&watch] { watch.wake(); });
    while (!stop.stop_requested()) {
        engine.scan();
        watch.wait(kScanInterval);
    }
}

/// How far the worker said that WAL has got. It says so once: an engine that could not use it yet has to remember.
using LastFlush = std::optional<FlushPosition>;

void take_flushed(const Json& json, LastFlush& flushed) {
    if (const Result<FlushedMessage> message = read_message<FlushedMessage>(json); message.ok()) flushed = {message->timeline, {message->lsn}};
}

/// Archive under one configuration. Returns the next one, or nothing when the worker is gone.
std::optional<ConfigureMessage> archive_until_reconfigured(EngineLink& link, WalEngine& engine, QueueGuard& queue, const std::string& data_directory,
                                                           LastFlush& flushed) {
    if (flushed) engine.tail().advance(*flushed);
    const std::jthread watcher([&](const std::stop_token& stop) { watch_ready_files(stop, data_directory, engine, link); });
    for (;;) {
        engine.report_status();
        queue.look(&engine.archiver());
        const std::optional<Json> json = link.receive(kStatusInterval);
        if (link.cancel().stop_requested()) return std::nullopt;
        if (!json) continue;
        if (message_type(*json) == WantMessage::kType) {
            if (const Result<WantMessage> want = read_message<WantMessage>(*json); want.ok() && !queue.answers(want->name))
                engine.archiver().want(want->name);
        } else if (message_type(*json) == FlushedMessage::kType) {
            take_flushed(*json, flushed);
            if (flushed) engine.tail().advance(*flushed);
        } else if (message_type(*json) == ConfigureMessage::kType) {
            if (Result<ConfigureMessage> next = read_message<ConfigureMessage>(*json); next.ok()) return std::move(next).value();
        }
    }
}

/// The repositories cannot be used: say so to whoever asks, for a while. Returns a new configuration if one came.
std::optional<ConfigureMessage> report_unusable(EngineLink& link, const std::vector<StorageUrl>& urls, const Error& error, QueueGuard& queue, LastFlush& flushed) {
    WalStatusMessage status;
    for (const StorageUrl& url : urls) {
        WalRepositoryStatus& repository = status.repositories.emplace_back();
        repository.url = url.to_string();
        repository.failures = 1;
        repository.last_error = error.message();
        repository.last_error_us = SystemClock().now().time_since_epoch().count();
    }
    link.send(status);
    queue.look(nullptr);
    const auto retry_at = std::chrono::steady_clock::now() + kOpenPause;
    for (auto now = std::chrono::steady_clock::now(); now < retry_at && !link.cancel().stop_requested(); now = std::chrono::steady_clock::now()) {
        const std::optional<Json> json = link.receive(std::chrono::ceil<std::chrono::milliseconds>(retry_at - now));
        if (!json) continue;
        if (message_type(*json) == WantMessage::kType) {
            if (const Result<WantMessage> want = read_message<WantMessage>(*json); want.ok() && !queue.answers(want->name))
                link.send(NotStoredMessage{want->name, error});
        } else if (message_type(*json) == FlushedMessage::kType) {
            take_flushed(*json, flushed);
        } else if (message_type(*json) == ConfigureMessage::kType) {
            if (Result<ConfigureMessage> next = read_message<ConfigureMessage>(*json); next.ok()) return std::move(next).value();
        }
    }
    return std::nullopt;
}

/// Archive under one configuration, whether the repositories can be used or not. Returns the next one, or nothing when the worker is gone.
std::optional<ConfigureMessage> work_under(EngineLink& link, GivenUpWal& given_up, const ConfigureMessage& configuration, LastFlush& flushed) {
    const Result<Settings> settings = parse_settings(configuration.settings);
    const SystemClock clock;
    QueueGuard queue(link, given_up, settings.ok() ? settings->archive_queue_limit : 0, configuration.facts, clock);
    std::string reported;  // an error that lasts is logged once
    while (!link.cancel().stop_requested()) {
        const Result<std::unique_ptr<WalEngine>> engine =
            settings.ok() ? WalEngine::open(link, given_up, *settings, configuration.facts) : settings.error();
        std::optional<ConfigureMessage> next;
        if (engine.ok()) {
            reported.clear();
            next = archive_until_reconfigured(link, **engine, queue, configuration.facts.data_directory, flushed);
        } else {
            if (reported != engine.error().message()) link.warning("repository_unusable", engine.error());
            reported = engine.error().message();
            next = report_unusable(link, settings.ok() ? settings->repositories : std::vector<StorageUrl>(), engine.error(), queue, flushed);
        }
        if (next) return next;
    }
    return std::nullopt;
}

}  // namespace

Result<void> run_wal_engine(EngineLink& link) {
    TRY_ASSIGN(ConfigureMessage configuration, link.expect<ConfigureMessage>());
    TRY_ASSIGN(const std::unique_ptr<GivenUpWal> given_up,
               GivenUpWal::open(configuration.facts.data_directory, configuration.facts.wal_segment_size, link));
    LastFlush flushed;
    while (std::optional<ConfigureMessage> next = work_under(link, *given_up, configuration, flushed)) {
        configuration = std::move(*next);
        flushed.reset();  // the worker says it again, unless the tail is off now
    }
    return {};
}

}  // namespace steward
