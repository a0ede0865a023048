#include "core/storage/memory_storage.h"

#include <algorithm>
#include <utility>

#include "core/base/format.h"

namespace steward {

Result<void> MemoryStorage::check_path(std::string_view key) const {
    for (size_t slash = key.find('/'); slash != std::string_view::npos; slash = key.find('/', slash + 1))
        if (objects_.contains(key.substr(0, slash)))
            return Error(ErrorCode::wrong_state,
                         formatted("object \"{}\" cannot exist: \"{}\" is an object", key, key.substr(0, slash)))
                .object(std::string(key));
    return {};
}

bool MemoryStorage::has_objects_below(std::string_view key) const {
    const std::string directory = std::string(key) + '/';
    const auto next = objects_.lower_bound(directory);
    return next != objects_.end() && next->first.starts_with(directory);
}

Result<PutOutcome> MemoryStorage::put(std::string_view key, std::span<const ByteView> parts, PutMode mode) {
    TRY(check_key(key));
    Bytes content;
    for (const ByteView part : parts) content.insert(content.end(), part.begin(), part.end());

    const std::lock_guard lock(mutex_);
    TRY(check_path(key));
    if (has_objects_below(key))
        return Error(ErrorCode::wrong_state, formatted("object \"{0}\" cannot exist: there are objects under \"{0}/\"", key))
            .object(std::string(key));
    const auto present = objects_.find(key);
    if (present == objects_.end()) {
        objects_.emplace(key, Object{std::move(content), clock_.now()});
        return PutOutcome::kCreated;
    }
    if (mode == PutMode::kIfAbsent) return PutOutcome::kAlreadyExists;
    present->second = Object{std::move(content), clock_.now()};
    return PutOutcome::kReplaced;
}

Result<Bytes> MemoryStorage::read(std::string_view key, uint64_t offset, uint64_t length) {
    TRY(check_key(key));
    const std::lock_guard lock(mutex_);
    TRY(check_path(key));
    const auto object = objects_.find(key);
    if (object == objects_.end()) return object_not_found(key, url());
    const Bytes& content = object->second.content;
    const uint64_t begin = std::min<uint64_t>(offset, content.size());
    const uint64_t count = std::min<uint64_t>(length, content.size() - begin);
    return Bytes(content.begin() + static_cast<ptrdiff_t>(begin), content.begin() + static_cast<ptrdiff_t>(begin + count));
}

Result<std::optional<ObjectInfo>> MemoryStorage::stat(std::string_view key) {
    TRY(check_key(key));
    const std::lock_guard lock(mutex_);
    TRY(check_path(key));
    const auto object = objects_.find(key);
    if (object == objects_.end()) return std::optional<ObjectInfo>();
    return std::optional(ObjectInfo{object->first, object->second.content.size(), object->second.modified});
}

Result<ListPage> MemoryStorage::list(std::string_view prefix, std::string_view page, size_t limit) {
    TRY(check_list_limit(limit));
    const std::lock_guard lock(mutex_);
    ListPage listed;
    auto object = page < prefix || page.empty() ? objects_.lower_bound(prefix) : objects_.upper_bound(page);
    for (; object != objects_.end() && object->first.starts_with(prefix); ++object) {
        if (listed.objects.size() == limit) {
            listed.next = listed.objects.back().key;
            break;
        }
        listed.objects.push_back({object->first, object->second.content.size(), object->second.modified});
    }
    return listed;
}

Result<void> MemoryStorage::remove(std::string_view key) {
    TRY(check_key(key));
    const std::lock_guard lock(mutex_);
    TRY(check_path(key));
    if (const auto object = objects_.find(key); object != objects_.end()) objects_.erase(object);
    return {};
}

Result<void> MemoryStorage::remove_stale_uploads(TimePoint) {
    return {};  // a put here is over before anyone can see it
}

}  // namespace steward
