// The control file: what a cluster is, and where its recovery would begin.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/postgres/lsn.h"
#include "core/postgres/wal_name.h"

namespace steward {

/// The majors whose control file and WAL this release reads.
inline constexpr int kOldestKnownMajor = 13;
inline constexpr int kNewestKnownMajor = 19;

/// DBState of src/include/catalog/pg_control.h, the same values in 13 to 19.
enum class ClusterState : uint32_t {
    kStartingUp = 0,
    kShutDown = 1,
    kShutDownInRecovery = 2,
    kShuttingDown = 3,
    kInCrashRecovery = 4,
    kInArchiveRecovery = 5,
    kInProduction = 6,
};

/// pg_controldata's words: "shut down", "in production"; "unrecognized status code" for other values.
std::string_view to_string(ClusterState state);

/// wal_level as stored: 0 minimal, 1 replica, 2 logical.
enum class WalLevel : uint32_t { kMinimal = 0, kReplica = 1, kLogical = 2 };

/// "minimal", "replica", "logical", or "unrecognized" for other values.
std::string_view to_string(WalLevel level);

/// A checkpoint, as in the control file and in checkpoint records (struct CheckPoint).
struct Checkpoint {
    Lsn redo;                         ///< where replay from this checkpoint begins
    TimelineId timeline = 0;
    TimelineId previous_timeline = 0; ///< differs from `timeline` only in the first checkpoint of a timeline
    bool full_page_writes = false;
    uint64_t next_xid = 0;            ///< with the epoch in the high half
    uint32_t next_oid = 0;
    uint32_t next_multixact = 0;
    uint64_t next_multixact_offset = 0;
    uint32_t oldest_xid = 0;
    uint32_t oldest_multixact = 0;
    uint32_t oldest_active_xid = 0;   ///< 0 when not computed
    TimePoint time;                   ///< whole seconds
};

struct ControlFile {
    uint64_t system_identifier = 0;
    uint32_t pg_control_version = 0;
    uint32_t catalog_version = 0;
    ClusterState state = ClusterState::kStartingUp;
    TimePoint time;          ///< of the last update, whole seconds
    Lsn checkpoint_lsn;      ///< where the latest checkpoint's record is
    Checkpoint checkpoint;   ///< its content
    Lsn unlogged_lsn;

    Lsn min_recovery_point;  ///< a standby or restored cluster is inconsistent before this
    TimelineId min_recovery_timeline = 0;
    Lsn backup_start_point;  ///< set while recovering from a base backup whose end was not reached yet
    Lsn backup_end_point;
    bool backup_end_required = false;

    WalLevel wal_level = WalLevel::kMinimal;
    bool wal_log_hints = false;
    int32_t max_connections = 0;
    int32_t max_worker_processes = 0;
    int32_t max_wal_senders = 0;
    int32_t max_prepared_transactions = 0;
    int32_t max_locks_per_transaction = 0;
    bool track_commit_timestamp = false;

    uint32_t page_size = 0;
    uint32_t pages_per_relation_segment = 0;
    uint32_t wal_page_size = 0;
    uint32_t wal_segment_size = 0;  ///< valid (is_valid_wal_segment_size)
    /// 0: pages have no checksums. 1: every page has one. 19 adds 2 (being turned off) and 3 (being turned on): some pages
    /// have none yet, so a mismatch proves nothing (ChecksumStateType, src/include/storage/checksum.h, 19).
    uint32_t data_checksum_version = 0;
    uint32_t crc = 0;

    /// Whether a page without a valid checksum is damaged.
    bool has_data_checksums() const { return data_checksum_version == 1; }
};

/// PG_CONTROL_VERSION of `major`, or 0 for one this release does not know.
uint32_t control_version_of(int major);

/// Parse the content of global/pg_control of a cluster of `major` on a 64-bit little-endian machine.
///
/// Errors: wrong_version for an unknown major or when the file is of another format than that major writes;
/// corrupt_object when it is too short, its CRC is wrong or its sizes make no sense.
Result<ControlFile> parse_control_file(ByteView content, int major);

/// Parse struct CheckPoint of `major`, the main data of a checkpoint record. Errors: wrong_version, corrupt_object.
Result<Checkpoint> parse_checkpoint(ByteView content, int major);

/// Read `data_directory`'s PG_VERSION and global/pg_control. A running server rewrites the file in place, so that a
/// reader may see a mixture: a wrong CRC is retried a few times at once, as get_controlfile of
/// src/common/controldata_utils.c does from 17 on. Errors: those of read_pg_version and parse_control_file; by errno.
Result<ControlFile> read_control_file(const std::filesystem::path& data_directory);

}  // namespace steward
