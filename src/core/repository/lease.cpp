#include "core/repository/lease.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

namespace {

constexpr std::string_view kSharedPrefix = "shared-";
constexpr std::string_view kExclusivePrefix = "exclusive-";

uint64_t random_word() {
    std::random_device source;
    return uint64_t{source()} << 32 | source();
}

std::string key_of(const Repository& repository, const LeaseOptions& options) {
    const std::string_view mode = options.mode == LeaseMode::kShared ? kSharedPrefix : kExclusivePrefix;
    return repository.layout().lease(formatted("{}{}-{:016x}", mode, options.name, random_word()));
}

BuiltObject render_lease(const Repository& repository, const LeaseOptions& options, TimePoint taken) {
    const Json json = {
        {"mode", options.mode == LeaseMode::kShared ? "shared" : "exclusive"},
        {"purpose", options.purpose},
        {"host", options.holder.host},
        {"pid", options.holder.pid},
        {"place", options.holder.place},
        {"started", options.holder.started},
        {"taken", format_time(taken)},
        {"renewed", format_time(options.clock.now())},
    };
    const std::string text = render_json(json) + "\n";
    return build_object(ObjectKind::kLease, repository.identity().system_identifier, as_bytes(text), {Codec::kNone, 0});
}

/// What a lease that stands in the way says of its holder. Only for the message, and to see whether the holder is gone.
struct Holder {
    ProcessMark process;
    std::string purpose = "unknown work";
    std::string taken;
};

Holder parse_holder(ByteView content) {
    Holder holder;
    const Json json = parse_json(as_text(content));
    const auto text = [&](const char* name, std::string& into) {
        if (json.contains(name) && json[name].is_string()) into = json[name].get<std::string>();
    };
    if (!json.is_object()) return holder;
    text("host", holder.process.host);
    text("place", holder.process.place);
    text("purpose", holder.purpose);
    text("taken", holder.taken);
    if (json.contains("pid") && json["pid"].is_number_integer()) holder.process.pid = json["pid"].get<int64_t>();
    if (json.contains("started") && json["started"].is_number_unsigned()) holder.process.started = json["started"].get<uint64_t>();
    return holder;
}

Error in_the_way(const Repository& repository, const std::string& key, const Holder& holder, const LeaseOptions& options) {
    Error error(ErrorCode::busy, formatted("repository \"{}\" is in use by {}", repository.url(), holder.purpose));
    error = std::move(error).object(key).hint(
        formatted("Wait until it has ended. If its machine was lost, the repository is free {} minutes after it last said that it is at work.",
                  std::chrono::ceil<std::chrono::minutes>(options.stale_after).count()));
    if (holder.process.pid == 0) return error;
    return std::move(error).detail(formatted("It runs as process {} on host \"{}\" since {}.", holder.process.pid, holder.process.host, holder.taken));
}

/// Looks at the leases of others once, after our own was put.
class Round {
public:
    Round(const Repository& repository, const LeaseOptions& options, const std::string& key) : repository_(repository), options_(options), key_(key) {}

    /// Return the time of our own lease when nobody stands in the way. Errors: busy, as Storage.
    Result<TimePoint> look() {
        std::vector<ObjectInfo> others;
        std::optional<TimePoint> own;
        TRY(for_each_object(repository_.storage(), repository_.layout().leases_prefix(), [&](const ObjectInfo& object) -> Result<void> {
            if (object.key == key_)
                own = object.modified;
            else
                others.push_back(object);
            return {};
        }));
        if (!own) return Error(ErrorCode::io_error, formatted("object \"{}\" vanished after it was stored", key_)).object(key_);
        for (const ObjectInfo& other : others)
            if (stands_against(other.key)) TRY(pass(other, *own));
        return *own;
    }

private:
    bool stands_against(const std::string& key) const {
        const bool shared = std::string_view(key).substr(repository_.layout().leases_prefix().size()).starts_with(kSharedPrefix);
        return options_.mode == LeaseMode::kExclusive || !shared;
    }

    /// Succeeds when the lease does not count, which is taken away then.
    Result<void> pass(const ObjectInfo& other, TimePoint now) {
        if (now - other.modified >= options_.stale_after) return repository_.storage().remove(other.key);
        const Result<Bytes> content = repository_.load(other.key, ObjectKind::kLease);
        if (!content.ok() && content.error().code() == ErrorCode::not_found) return {};
        if (!content.ok() && content.error().retryable()) return content.error();
        const Holder holder = content.ok() ? parse_holder(*content) : Holder();
        if (is_provably_gone(holder.process)) return repository_.storage().remove(other.key);
        return in_the_way(repository_, other.key, holder, options_);
    }

    const Repository& repository_;
    const LeaseOptions& options_;
    const std::string& key_;
};

}  // namespace

/// The lease itself, at a place that the thread can rely on.
class Lease::Holding {
public:
    Holding(const Repository& repository, LeaseOptions options)
        : repository_(repository), options_(std::move(options)), key_(key_of(repository_, options_)), taken_(options_.clock.now()) {}

    ~Holding() { static_cast<void>(release().ok()); }

    /// Put the lease and look whether anyone stands in the way.
    Result<void> take() {
        taken_ = options_.clock.now();
        const auto before = options_.timer.now();
        Result<void> put = put_now(PutMode::kIfAbsent);
        Result<TimePoint> looked = put.ok() ? Round(repository_, options_, key_).look() : Result<TimePoint>(put.error());
        if (!looked.ok()) {
            // Also after a put that failed: its answer may have been lost.
            static_cast<void>(repository_.storage().remove(key_).ok());
            return looked.error();
        }
        const std::lock_guard lock(mutex_);
        held_ = true;
        modified_ = *looked;
        renewed_ = before;
        return {};
    }

    void renew_on_thread() {
        if (options_.renew_every.count() == 0) return;
        thread_ = std::jthread([this](std::stop_token stop) {
            for (;;) {
                options_.timer.wait(options_.renew_every, stop);
                if (stop.stop_requested()) return;
                static_cast<void>(renew().ok());  // what fails is told by check()
            }
        });
    }

    Result<void> renew() {
        const std::lock_guard alone(renewing_);
        {
            const std::lock_guard lock(mutex_);
            if (!held_) return lost();
        }
        const auto before = options_.timer.now();
        Result<TimePoint> put = put_again();
        const std::lock_guard lock(mutex_);
        if (!put.ok()) {
            last_error_ = put.error().message();
            if (put.error().code() == ErrorCode::busy) held_ = false;
            return std::move(put).error();
        }
        modified_ = *put;
        renewed_ = before;
        last_error_.clear();
        return {};
    }

    Result<void> check() const {
        const std::lock_guard lock(mutex_);
        if (!held_) return lost();
        // By the time the others take it for stale, work must have ended.
        if (options_.timer.now() - renewed_ < options_.stale_after * 3 / 4) return {};
        return lost();
    }

    Result<void> release() {
        if (thread_.joinable()) {
            thread_.request_stop();
            thread_.join();
        }
        {
            const std::lock_guard lock(mutex_);
            if (!held_) return {};
            held_ = false;
        }
        return repository_.storage().remove(key_);
    }

    TimePoint store_time() const {
        const std::lock_guard lock(mutex_);
        return modified_;
    }

private:
    Result<void> put_now(PutMode mode) {
        const BuiltObject object = render_lease(repository_, options_, taken_);
        // kAlreadyExists is our own put, repeated after its answer was lost: the name is nobody else's.
        TRY(repository_.storage().put(key_, object.parts(), mode));
        return {};
    }

    /// Put the lease again, if nobody had reason to take it away. Errors: busy when someone had.
    Result<TimePoint> put_again() {
        TRY_ASSIGN(const std::optional<ObjectInfo> before, repository_.storage().stat(key_));
        if (!before) return taken_away();
        TRY(put_now(PutMode::kReplace));
        TRY_ASSIGN(const std::optional<ObjectInfo> after, repository_.storage().stat(key_));
        if (!after) return taken_away();
        // This process or its machine was asleep: others were right to go ahead, and may be at work.
        if (after->modified - before->modified < options_.stale_after) return after->modified;
        static_cast<void>(repository_.storage().remove(key_).ok());
        return taken_away();
    }

    Error taken_away() const {
        return Error(ErrorCode::busy, formatted("lease \"{}\" in repository \"{}\" was not renewed in time", key_, repository_.url())).object(key_);
    }

    Error lost() const {
        Error error = taken_away();
        if (last_error_.empty()) return error;
        return std::move(error).detail(formatted("The last attempt failed: {}.", last_error_));
    }

    const Repository& repository_;
    const LeaseOptions options_;
    const std::string key_;
    TimePoint taken_;
    std::mutex renewing_;
    mutable std::mutex mutex_;
    bool held_ = false;                                // these four guarded by mutex_
    TimePoint modified_;
    std::chrono::steady_clock::time_point renewed_;
    std::string last_error_;
    std::jthread thread_;
};

Lease::Lease(std::unique_ptr<Holding> holding) : holding_(std::move(holding)) {}
Lease::Lease(Lease&&) noexcept = default;
Lease& Lease::operator=(Lease&&) noexcept = default;
Lease::~Lease() = default;

Result<Lease> Lease::acquire(const Repository& repository, LeaseOptions options) {
    using namespace std::chrono_literals;
    auto holding = std::make_unique<Holding>(repository, options);
    const auto give_up = options.timer.now() + options.patience;
    for (;;) {
        TRY(check_cancel(options.cancel));
        Result<void> taken = holding->take();
        if (taken.ok()) break;
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(give_up - options.timer.now());
        if (taken.error().code() != ErrorCode::busy || left <= 0ms) return std::move(taken).error();
        // At random, so that two that began at the same time do not give up at the same time for ever.
        options.timer.wait(std::min(left, 500ms + std::chrono::milliseconds(random_word() % 1000)), options.cancel);
    }
    holding->renew_on_thread();
    return Lease(std::move(holding));
}

Result<void> Lease::check() const { return holding_->check(); }
Result<void> Lease::renew() { return holding_->renew(); }
Result<void> Lease::release() { return holding_->release(); }
TimePoint Lease::store_time() const { return holding_->store_time(); }

}  // namespace steward
