#include "core/postgres/pg_control.h"

#include <algorithm>
#include <bit>
#include <chrono>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/crc32c.h"
#include "core/postgres/pg_version.h"
#include "core/postgres/struct_reader.h"

// The layouts follow src/include/catalog/pg_control.h of REL_13_STABLE to REL_18_STABLE and of 19rc1. What changed:
//   17 (1700): CheckPoint gains wal_level, in what was padding.
//   18 (1800): ControlFileData gains default_char_signedness.
//   19 (1905): CheckPoint gains logicalDecodingEnabled, the file data_checksum_version_init, multixact offsets have 64 bits;
//              ControlFileData gains slru_pages_per_segment.

namespace steward {

namespace {

constexpr size_t kNonceSize = 32;
constexpr int kReadAttempts = 10;

TimePoint from_seconds(int64_t seconds) {
    // Damaged data must not overflow the microseconds; a CRC was right or will be checked, so that this is never seen.
    constexpr int64_t kLimit = int64_t{1} << 40;
    return TimePoint(std::chrono::seconds(std::clamp(seconds, -kLimit, kLimit)));
}

Checkpoint take_checkpoint(StructReader& in, int major) {
    Checkpoint c;
    in.align(8);
    c.redo = {in.take<uint64_t>()};
    c.timeline = in.take<uint32_t>();
    c.previous_timeline = in.take<uint32_t>();
    c.full_page_writes = in.take_bool();
    if (major >= 17) in.take<uint32_t>();  // wal_level
    if (major >= 19) in.take_bool();       // logicalDecodingEnabled
    c.next_xid = in.take<uint64_t>();
    c.next_oid = in.take<uint32_t>();
    c.next_multixact = in.take<uint32_t>();
    c.next_multixact_offset = major >= 19 ? in.take<uint64_t>() : in.take<uint32_t>();
    c.oldest_xid = in.take<uint32_t>();
    in.take<uint32_t>();  // oldestXidDB
    c.oldest_multixact = in.take<uint32_t>();
    in.take<uint32_t>();  // oldestMultiDB
    c.time = from_seconds(in.take<int64_t>());
    in.take<uint32_t>();  // oldestCommitTsXid
    in.take<uint32_t>();  // newestCommitTsXid
    c.oldest_active_xid = in.take<uint32_t>();
    in.align(8);
    return c;
}

ControlFile take_control_file(StructReader& in, int major) {
    ControlFile c;
    c.system_identifier = in.take<uint64_t>();
    c.pg_control_version = in.take<uint32_t>();
    c.catalog_version = in.take<uint32_t>();
    c.state = static_cast<ClusterState>(in.take<uint32_t>());
    c.time = from_seconds(in.take<int64_t>());
    c.checkpoint_lsn = {in.take<uint64_t>()};
    c.checkpoint = take_checkpoint(in, major);
    c.unlogged_lsn = {in.take<uint64_t>()};
    c.min_recovery_point = {in.take<uint64_t>()};
    c.min_recovery_timeline = in.take<uint32_t>();
    c.backup_start_point = {in.take<uint64_t>()};
    c.backup_end_point = {in.take<uint64_t>()};
    c.backup_end_required = in.take_bool();
    c.wal_level = static_cast<WalLevel>(in.take<uint32_t>());
    c.wal_log_hints = in.take_bool();
    c.max_connections = in.take<int32_t>();
    c.max_worker_processes = in.take<int32_t>();
    c.max_wal_senders = in.take<int32_t>();
    c.max_prepared_transactions = in.take<int32_t>();
    c.max_locks_per_transaction = in.take<int32_t>();
    c.track_commit_timestamp = in.take_bool();
    in.take<uint32_t>();  // maxAlign
    in.take<uint64_t>();  // floatFormat
    c.page_size = in.take<uint32_t>();
    c.pages_per_relation_segment = in.take<uint32_t>();
    if (major >= 19) in.take<uint32_t>();  // slru_pages_per_segment
    c.wal_page_size = in.take<uint32_t>();
    c.wal_segment_size = in.take<uint32_t>();
    in.take<uint32_t>();  // nameDataLen
    in.take<uint32_t>();  // indexMaxKeys
    in.take<uint32_t>();  // toast_max_chunk_size
    in.take<uint32_t>();  // loblksize
    in.take_bool();       // float8ByVal
    if (major >= 19) in.take<uint32_t>();  // data_checksum_version_init
    c.data_checksum_version = in.take<uint32_t>();
    if (major >= 18) in.take_bool();  // default_char_signedness
    in.skip(kNonceSize);
    return c;
}

Error damaged(std::string detail) {
    return Error(ErrorCode::corrupt_object, "control file is damaged").object("global/pg_control").detail(std::move(detail));
}

Result<void> check_version(uint32_t found, int major) {
    const uint32_t expected = control_version_of(major);
    if (expected == 0)
        return Error(ErrorCode::wrong_version, formatted("PostgreSQL {} is not supported", major))
            .detail(
                formatted("This release reads data directories of PostgreSQL {} to {}.", kOldestKnownMajor, kNewestKnownMajor));
    if (found == expected) return {};
    Error error(ErrorCode::wrong_version,
                formatted("control file has format {}, but PostgreSQL {} writes format {}", found, major, expected));
    // Format numbers are small: one that is only small backwards comes from a machine of the other byte order.
    if (found % 65536 == 0 && found != 0)
        return std::move(error).object("global/pg_control").hint("The cluster is of another byte order.");
    return std::move(error)
        .object("global/pg_control")
        .hint("The files PG_VERSION and global/pg_control are not of one cluster.");
}

}  // namespace

std::string_view to_string(ClusterState state) {
    switch (state) {
        case ClusterState::kStartingUp: return "starting up";
        case ClusterState::kShutDown: return "shut down";
        case ClusterState::kShutDownInRecovery: return "shut down in recovery";
        case ClusterState::kShuttingDown: return "shutting down";
        case ClusterState::kInCrashRecovery: return "in crash recovery";
        case ClusterState::kInArchiveRecovery: return "in archive recovery";
        case ClusterState::kInProduction: return "in production";
    }
    return "unrecognized status code";
}

std::string_view to_string(WalLevel level) {
    switch (level) {
        case WalLevel::kMinimal: return "minimal";
        case WalLevel::kReplica: return "replica";
        case WalLevel::kLogical: return "logical";
    }
    return "unrecognized";
}

uint32_t control_version_of(int major) {
    switch (major) {
        case 13: case 14: case 15: case 16: return 1300;
        case 17: return 1700;
        case 18: return 1800;
        case 19: return 1905;
        default: return 0;
    }
}

Result<ControlFile> parse_control_file(ByteView content, int major) {
    // The version stands at the same place in every release, so that it can be judged first.
    constexpr size_t kVersionEnd = 12;
    if (content.size() < kVersionEnd) return damaged(formatted("It has only {} bytes.", content.size()));
    TRY(check_version(load_le<uint32_t>(content.data() + 8), major));

    StructReader in(content);
    ControlFile control = take_control_file(in, major);
    in.align(sizeof(uint32_t));
    const size_t crc_offset = in.offset();
    control.crc = in.take<uint32_t>();
    if (!in.ok()) return damaged(formatted("It has only {} bytes.", content.size()));
    const uint32_t computed = crc32c(content.first(crc_offset));
    if (computed != control.crc)
        return damaged(formatted("Its CRC is {:08X}, but its content has {:08X}.", control.crc, computed));
    if (!is_valid_wal_segment_size(control.wal_segment_size))
        return damaged(formatted("Its WAL segment size is {}.", control.wal_segment_size));
    const auto is_page_size = [](uint32_t size) { return std::has_single_bit(size) && size >= 1024 && size <= 65536; };
    if (!is_page_size(control.page_size) || !is_page_size(control.wal_page_size) || control.pages_per_relation_segment == 0)
        return damaged(formatted("Its page sizes are {} and {}.", control.page_size, control.wal_page_size));
    return control;
}

Result<Checkpoint> parse_checkpoint(ByteView content, int major) {
    if (control_version_of(major) == 0)
        return Error(ErrorCode::wrong_version, formatted("PostgreSQL {} is not supported", major));
    StructReader in(content);
    const Checkpoint checkpoint = take_checkpoint(in, major);
    if (!in.ok()) return Error(ErrorCode::corrupt_object, formatted("checkpoint record has only {} bytes", content.size()));
    return checkpoint;
}

Result<ControlFile> read_control_file(const std::filesystem::path& data_directory) {
    constexpr uint64_t kLargestControlFile = 64 * 1024;
    TRY_ASSIGN(const int major, read_pg_version(data_directory));
    const auto path = data_directory / "global" / "pg_control";
    for (int attempt = 1;; attempt++) {
        TRY_ASSIGN(const Bytes content, read_file(path, kLargestControlFile));
        auto control = parse_control_file(content, major);
        if (control.ok()) return control;
        if (control.error().code() != ErrorCode::corrupt_object || attempt == kReadAttempts)
            return std::move(control).context([&] { return formatted("while reading file \"{}\"", path.native()); });
    }
}

}  // namespace steward
