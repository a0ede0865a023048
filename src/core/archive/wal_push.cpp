#include "core/archive/wal_push.h"

#include <fcntl.h>

#include <algorithm>
#include <optional>

#include "core/archive/assembled_segment.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/wal_name.h"

namespace steward {

ObjectKind wal_object_kind(std::string_view name) {
    switch (classify_wal_file(name).value_or(WalFileKind::kSegment)) {
        case WalFileKind::kTimelineHistory: return ObjectKind::kTimelineHistory;
        case WalFileKind::kBackupHistory: return ObjectKind::kBackupHistory;
        case WalFileKind::kSegment:
        case WalFileKind::kPartialSegment: break;
    }
    return ObjectKind::kWalSegment;
}

const Error* PushResult::first_error() const {
    for (const StoreResult& result : repositories)
        if (!result.ok()) return &result.error();
    return nullptr;
}

namespace {

Result<void> check_size(ObjectKind kind, const std::filesystem::path& path, uint64_t size, uint32_t segment_size) {
    if (kind != ObjectKind::kWalSegment || size == segment_size) return {};
    return Error(ErrorCode::corrupt_object, formatted("WAL segment \"{}\" has {} bytes instead of {}", path.native(), size, segment_size))
        .object(path.filename().native());
}

/// Whether the file in pg_wal came out of a repository as the tail of a segment: the whole one is still to come.
Result<bool> is_assembled(const std::filesystem::path& path, uint32_t segment_size) {
    TRY_ASSIGN(const UniqueFd fd, open_file(path, O_RDONLY));
    Bytes ending(kAssembledMarkSize);
    TRY_ASSIGN(const size_t n, read_at(fd.get(), segment_size - kAssembledMarkSize, ending, path));
    return n == ending.size() && is_marked_as_assembled(ending);
}

/// Holds one slot as long as it lives.
class SlotLease {
public:
    explicit SlotLease(CompressionSlots& slots) : slots_(slots) { slots_.acquire(); }
    SlotLease(const SlotLease&) = delete;
    SlotLease& operator=(const SlotLease&) = delete;
    ~SlotLease() { slots_.release(); }

private:
    CompressionSlots& slots_;
};

/// Read the whole file straight into the builder's frames: each is digested and compressed while it is in the cache.
Result<void> read_into(ObjectBuilder& builder, const std::filesystem::path& path) {
    TRY_ASSIGN(const UniqueFd fd, open_file(path, O_RDONLY));
    for (;;) {
        const MutableByteView room = builder.room();
        TRY_ASSIGN(const size_t n, read_at(fd.get(), builder.position(), room, path));
        builder.filled(n);
        if (n < room.size()) return {};
    }
}

}  // namespace

Result<PushResult> WalPush::push(const std::string& name, PushExpectation expectation) {
    const std::filesystem::path path = pg_wal_ / name;
    const ObjectKind kind = wal_object_kind(name);
    const uint32_t segment_size = repositories_.front().identity().wal_segment_size;

    if (classify_wal_file(name) == WalFileKind::kSegment) {
        TRY_ASSIGN(const bool assembled, is_assembled(path, segment_size));
        // There is nothing in it that the repository it came from has not got.
        if (assembled) return PushResult{0, 0, true, std::vector<StoreResult>(repositories_.size(), StoreOutcome::kAlreadyStored)};
    }
    if (expectation == PushExpectation::kProbablyStored && !is_missing_somewhere(name)) {
        TRY_ASSIGN(const Bytes content, read_file(path));
        TRY(check_size(kind, path, content.size(), segment_size));
        TRY_ASSIGN(std::vector<StoreResult> found, look_up_everywhere(name, kind, content_digest_of(content)));
        if (!found.empty()) return PushResult{content.size(), 0, false, std::move(found)};
    }

    TRY_ASSIGN(const BuiltObject object, build(path, kind));
    TRY(check_size(kind, path, object.plain_length, segment_size));
    PushResult result{object.plain_length, object.size(), false, {}};
    for (const Repository& repository : repositories_)
        result.repositories.push_back(
            repository.store(repository.layout().wal(name), object, kind).context([&] { return formatted("while storing WAL file \"{}\"", name); }));
    return result;
}

Result<BuiltObject> WalPush::build(const std::filesystem::path& path, ObjectKind kind) {
    const SlotLease slot(slots_);
    const Result<void> read = read_into(builder_, path);
    BuiltObject object = builder_.finish(kind, repositories_.front().identity().system_identifier);
    if (!read.ok()) return read.error();
    return object;
}

/// Whether a repository is known to lack this file. One that cannot be asked is not.
bool WalPush::is_missing_somewhere(const std::string& name) const {
    return std::ranges::any_of(repositories_, [&](const Repository& repository) {
        const Result<std::optional<ObjectInfo>> found = repository.storage().stat(repository.layout().wal(name));
        return found.ok() && !found->has_value();
    });
}

/// Results for all repositories if every one answered for this file, nothing as soon as one has not got it.
Result<std::vector<StoreResult>> WalPush::look_up_everywhere(const std::string& name, ObjectKind kind, const Digest& digest) const {
    std::vector<StoreResult> results;
    for (const Repository& repository : repositories_) {
        Result<std::optional<StoreOutcome>> found = repository.look_up(repository.layout().wal(name), digest, kind);
        if (!found.ok())
            results.emplace_back(std::move(found).error());
        else if (found->has_value())
            results.emplace_back(**found);
        else
            return std::vector<StoreResult>();
    }
    return results;
}

}  // namespace steward
