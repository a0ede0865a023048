// Leases: who is at work in a repository, so that what removes does not run beside what relies on what is there.
//
// Every holder puts an object of its own, named by mode, work and a random word: "shared-backup-nightly-5f0c...", "exclusive-expire-...".
// It then lists the others, and gives up when one of them stands against it: any two may hold at once but an exclusive one and another. Of
// two that begin at the same time at least one sees the other, because each lists after it has put, and a store's list shows what was put
// before it. Both may give up; never do both go on. No two leases share a name, so nothing needs to be replaced "if it is still the stale
// one", which not every store can do: removing a stale lease removes that one and no other.
//
// A lease counts while it is fresh, by the store's clock alone: times of two objects of one store are compared. Its holder renews it on a
// thread of its own. One that was not renewed for `stale_after` is taken away by whoever it stands in the way of, and so is, at once, one
// whose holder was a process of this machine that is not there any more. A holder that was asleep for so long finds out at its next
// renewal, and check() tells the work to stop.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/process_mark.h"
#include "core/repository/repository.h"
#include "core/storage/retry_storage.h"

namespace steward {

enum class LeaseMode {
    kShared,     ///< relies on what is there: a backup
    kExclusive,  ///< removes: expiry
};

struct LeaseOptions {
    LeaseMode mode = LeaseMode::kShared;
    std::string name;     ///< "backup-nightly", "expire": characters of labels, at most 100
    std::string purpose;  ///< for whom it stands in the way of: "backup \"nightly\""
    const Clock& clock;   ///< for the times in the object, which only people read
    RetryTimer& timer;    ///< passes the time between renewals; outlives the lease
    CancelToken cancel = {};                       ///< of the wait for others
    std::chrono::milliseconds patience{0};         ///< how long to wait for others before busy is reported
    std::chrono::milliseconds renew_every{60'000};  ///< 0: no thread; the owner calls renew()
    std::chrono::seconds stale_after{600};         ///< the same for everyone who uses the repository
    ProcessMark holder = mark_of_this_process();
};

/// A lease that is held. Releases it when it goes. Movable; check() from any thread.
class Lease {
public:
    /// Take a lease in `repository`, which outlives it. Errors: busy, naming the holder that stands in the way, when `patience` has passed;
    /// cancelled; as Storage::put, list and read.
    static Result<Lease> acquire(const Repository& repository, LeaseOptions options);

    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) noexcept;
    ~Lease();

    /// Make sure the lease still holds: call it before each step that relies on it. Costs no I/O. Errors: busy when it was taken away, or
    /// could not be renewed for three quarters of `stale_after`.
    Result<void> check() const;

    /// Renew now. Errors: busy when it is lost; as Storage::put, which do not lose it yet.
    Result<void> renew();

    /// Give the lease up. It is not held after an error either, and goes stale in time. Errors: as Storage::remove.
    Result<void> release();

    /// The store's time at the last renewal.
    TimePoint store_time() const;

private:
    class Holding;
    explicit Lease(std::unique_ptr<Holding> holding);

    std::unique_ptr<Holding> holding_;
};

}  // namespace steward
