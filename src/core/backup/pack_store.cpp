#include "core/backup/pack_store.h"

#include <utility>

#include "core/base/format.h"

namespace steward {

PackStore::PackStore(std::span<const Repository> repositories, std::string set)
    : repositories_(repositories), set_(std::move(set)), thread_([this] { run(); }) {}

PackStore::~PackStore() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
}

Result<void> PackStore::hand_over(unsigned number, BuiltObject pack) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !pack_ || error_; });
    if (error_) return *error_;
    pack_.emplace(number, std::move(pack));
    changed_.notify_all();
    return {};
}

Result<void> PackStore::finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !pack_ || error_; });
    if (error_) return *error_;
    return {};
}

Bytes PackStore::take_spent_payload() {
    const std::lock_guard lock(mutex_);
    return std::exchange(spent_payload_, {});
}

void PackStore::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return pack_ || ending_; });
        if (!pack_) return;
        // Nobody touches pack_ while it is set, so that it can be read without the lock.
        lock.unlock();
        Result<void> stored = store(pack_->first, pack_->second);
        lock.lock();
        spent_payload_ = std::move(pack_->second.payload);
        pack_.reset();
        if (!stored.ok()) error_ = std::move(stored).error();
        changed_.notify_all();
        if (error_) return;
    }
}

Result<void> PackStore::store(unsigned number, const BuiltObject& pack) const {
    for (const Repository& repository : repositories_)
        TRY(repository.store(repository.layout().pack(set_, number), pack, ObjectKind::kPack).context([&] {
            return formatted("while storing pack {} of the backup in repository \"{}\"", number, repository.url());
        }));
    return {};
}

void remove_packs(std::span<const Repository> repositories, const std::string& set, unsigned count) {
    for (const Repository& repository : repositories)
        for (unsigned number = 0; number < count; ++number)
            // A store that fails now would most likely fail for the rest too, slowly.
            if (!repository.storage().remove(repository.layout().pack(set, number)).ok()) break;
}

}  // namespace steward
