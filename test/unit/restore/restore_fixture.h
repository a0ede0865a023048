// A cluster's repository in memory, with backups and WAL made up for tests.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/backup/manifest.h"
#include "core/postgres/crc32c.h"
#include "core/repository/repository.h"
#include "core/storage/memory_storage.h"

namespace steward {

/// Hands a storage that the test keeps to a Repository, which wants one of its own.
class StorageOfTest : public Storage {
public:
    explicit StorageOfTest(Storage& inner) : inner_(inner) {}
    StorageCapabilities capabilities() const override { return inner_.capabilities(); }
    std::string url() const override { return inner_.url(); }
    Result<PutOutcome> put(std::string_view key, std::span<const ByteView> parts, PutMode mode) override { return inner_.put(key, parts, mode); }
    Result<Bytes> read(std::string_view key, uint64_t offset, uint64_t length) override { return inner_.read(key, offset, length); }
    Result<std::optional<ObjectInfo>> stat(std::string_view key) override { return inner_.stat(key); }
    Result<ListPage> list(std::string_view prefix, std::string_view page, size_t limit) override { return inner_.list(prefix, page, limit); }
    Result<void> remove(std::string_view key) override { return inner_.remove(key); }
    Result<void> remove_stale_uploads(TimePoint older_than) override { return inner_.remove_stale_uploads(older_than); }

private:
    Storage& inner_;
};

inline constexpr uint32_t kRestoreSegmentSize = 1024 * 1024;
inline constexpr Identity kRestoreIdentity{.system_identifier = 7575000000000000001, .major = 17, .wal_segment_size = kRestoreSegmentSize};

inline Repository open_restore_repository(Storage& storage) {
    static const SystemClock clock;
    return std::move(Repository::open_or_claim(std::make_unique<StorageOfTest>(storage), "main", kRestoreIdentity, clock)).value();
}

inline void put_wal(const Repository& repository, const std::string& name, ByteView content, ObjectKind kind = ObjectKind::kWalSegment) {
    const BuiltObject object = build_object(kind, kRestoreIdentity.system_identifier, content, {Codec::kZstd, 1});
    static_cast<void>(repository.store(repository.layout().wal(name), object, kind).ok());
}

/// A segment without any record, of the size that the repository's cluster has.
inline Bytes empty_segment(char fill = 'w') { return Bytes(kRestoreSegmentSize, static_cast<std::byte>(fill)); }

inline BackupSummary test_summary(std::string label, uint32_t timeline, uint64_t start, uint64_t stop) {
    BackupSummary summary;
    summary.label = std::move(label);
    summary.system_identifier = kRestoreIdentity.system_identifier;
    summary.major = kRestoreIdentity.major;
    summary.server_version = "17.6";
    summary.steward_version = STEWARD_VERSION;
    summary.timeline = summary.stop_timeline = timeline;
    summary.start_lsn = {start};
    summary.stop_lsn = {stop};
    summary.wal_segment_size = kRestoreSegmentSize;
    summary.started = summary.stopped = TimePoint(std::chrono::seconds(1'790'000'000 + stop / kRestoreSegmentSize * 60));
    return summary;
}

}  // namespace steward
