// Putting packs into the repositories behind the back of whoever makes them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/repository/object.h"
#include "core/repository/repository.h"

namespace steward {

/// Stores one pack while the next one is being made: a flush to disk takes as long as compressing does, and needs no processor.
/// One pack is under way at a time, which bounds the memory. Used by one thread; has one of its own.
class PackStore {
public:
    /// Packs become number N of `set` in each of `repositories`, which outlive this.
    PackStore(std::span<const Repository> repositories, std::string set);
    /// Waits for the pack under way.
    ~PackStore();

    /// Take over a pack, as soon as the one before is stored. Errors: the one that storing an earlier pack ended with.
    Result<void> hand_over(unsigned number, BuiltObject pack);

    /// Wait until everything handed over is durable in every repository. Errors: as hand_over.
    Result<void> finish();

    /// Memory of a stored pack for the next one, or empty: pages the kernel need not clear again.
    Bytes take_spent_payload();

private:
    void run();
    Result<void> store(unsigned number, const BuiltObject& pack) const;

    const std::span<const Repository> repositories_;
    const std::string set_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::pair<unsigned, BuiltObject>> pack_;  // these four guarded by mutex_; pack_ stays until it is stored
    std::optional<Error> error_;
    Bytes spent_payload_;
    bool ending_ = false;
    std::jthread thread_;
};

/// Remove packs 0 to `count` - 1 of `set`: what a backup that failed has left. Best effort, since what no manifest names is
/// swept up later anyway.
void remove_packs(std::span<const Repository> repositories, const std::string& set, unsigned count);

}  // namespace steward
