#include "core/postgres/wal_record.h"

#include <chrono>
#include <limits>

#include "core/base/format.h"
#include "core/postgres/struct_reader.h"

namespace steward {

namespace {

constexpr uint8_t kXlogManager = 0;         // RM_XLOG_ID
constexpr uint8_t kTransactionManager = 1;  // RM_XACT_ID

// Only the high half of info belongs to the resource manager (XLR_RMGR_INFO_MASK), and of that transactions keep one bit.
constexpr uint8_t kManagerInfo = 0xF0;
constexpr uint8_t kTransactionOperation = 0x70;
constexpr uint8_t kHasTransactionInfo = 0x80;

// XACT_XINFO_HAS_*, src/include/access/xact.h.
constexpr uint32_t kHasDatabase = 1U << 0;
constexpr uint32_t kHasSubtransactions = 1U << 1;
constexpr uint32_t kHasRelations = 1U << 2;
constexpr uint32_t kHasInvalidations = 1U << 3;
constexpr uint32_t kHasTwoPhase = 1U << 4;
constexpr uint32_t kHasDroppedStatistics = 1U << 8;

constexpr size_t kRestorePointNameSize = 64;  // MAXFNAMELEN

Error too_short(std::string_view what, ByteView main_data) {
    return Error(ErrorCode::corrupt_object, formatted("{} record is damaged", what))
        .detail(formatted("Its data of {} bytes ends too early.", main_data.size()));
}

/// Pass over a count and that many entries of `entry_size` bytes.
void skip_array(StructReader& in, size_t entry_size) {
    in.skip(size_t{in.take<uint32_t>()} * entry_size);
}

/// The xid that stands behind the optional parts of a commit or abort of a prepared transaction (ParseCommitRecord and
/// ParseAbortRecord, src/backend/access/rmgrdesc/xactdesc.c), or 0.
uint32_t take_prepared_xid(StructReader& in, int major) {
    constexpr size_t kRelationSize = 12, kInvalidationSize = 16;
    // 18 gave the statistics entry's object 64 bits.
    const size_t statistics_size = major >= 18 ? 16 : 12;
    const uint32_t parts = in.take<uint32_t>();
    if (parts & kHasDatabase) in.skip(8);
    if (parts & kHasSubtransactions) skip_array(in, sizeof(uint32_t));
    if (parts & kHasRelations) skip_array(in, kRelationSize);
    if (parts & kHasDroppedStatistics) skip_array(in, statistics_size);
    if (parts & kHasInvalidations) skip_array(in, kInvalidationSize);
    return parts & kHasTwoPhase ? in.take<uint32_t>() : 0;
}

}  // namespace

WalRecordKind kind_of(const WalRecord& record) {
    if (record.resource_manager == kTransactionManager) {
        switch (record.info & kTransactionOperation) {
            case 0x00: return WalRecordKind::kCommit;
            case 0x20: return WalRecordKind::kAbort;
            case 0x30: return WalRecordKind::kCommitPrepared;
            case 0x40: return WalRecordKind::kAbortPrepared;
            default: return WalRecordKind::kOther;
        }
    }
    if (record.resource_manager == kXlogManager) {
        switch (record.info & kManagerInfo) {
            case 0x00: return WalRecordKind::kCheckpointShutdown;
            case 0x10: return WalRecordKind::kCheckpointOnline;
            case 0x40: return WalRecordKind::kSwitch;
            case 0x50: return WalRecordKind::kBackupEnd;
            case 0x70: return WalRecordKind::kRestorePoint;
            case 0x90: return WalRecordKind::kEndOfRecovery;
            default: return WalRecordKind::kOther;
        }
    }
    return WalRecordKind::kOther;
}

TimePoint from_postgres_timestamp(int64_t microseconds) {
    constexpr int64_t kEpoch = int64_t{946684800} * 1000000;  // 2000-01-01 since 1970-01-01
    if (microseconds == std::numeric_limits<int64_t>::min()) return TimePoint::min();
    if (microseconds > std::numeric_limits<int64_t>::max() - kEpoch) return TimePoint::max();
    return TimePoint(std::chrono::microseconds(microseconds + kEpoch));
}

Result<RestorePoint> decode_restore_point(ByteView main_data) {
    StructReader in(main_data);
    const TimePoint time = from_postgres_timestamp(in.take<int64_t>());
    const size_t name_at = in.offset();
    in.skip(kRestorePointNameSize);
    if (!in.ok()) return too_short("restore point", main_data);
    const std::string_view name = as_text(main_data.subspan(name_at, kRestorePointNameSize));
    return RestorePoint{time, std::string(name.substr(0, name.find('\0')))};
}

Result<TransactionEnd> decode_transaction_end(const WalRecord& record, ByteView main_data, int major) {
    const WalRecordKind kind = kind_of(record);
    const bool prepared = kind == WalRecordKind::kCommitPrepared || kind == WalRecordKind::kAbortPrepared;
    StructReader in(main_data);
    TransactionEnd end;
    end.time = from_postgres_timestamp(in.take<int64_t>());
    end.committed = kind == WalRecordKind::kCommit || kind == WalRecordKind::kCommitPrepared;
    end.xid = record.xid;
    if (prepared) end.xid = record.info & kHasTransactionInfo ? take_prepared_xid(in, major) : 0;
    if (!in.ok()) return too_short("transaction end", main_data);
    if (prepared && end.xid == 0)
        return Error(ErrorCode::corrupt_object,
                     formatted("record of a prepared transaction at {} does not name it", record.lsn));
    return end;
}

Result<EndOfRecovery> decode_end_of_recovery(ByteView main_data) {
    StructReader in(main_data);
    EndOfRecovery end;
    end.time = from_postgres_timestamp(in.take<int64_t>());
    end.timeline = in.take<uint32_t>();
    end.previous_timeline = in.take<uint32_t>();
    if (!in.ok()) return too_short("end of recovery", main_data);
    return end;
}

Result<Lsn> decode_backup_end(ByteView main_data) {
    StructReader in(main_data);
    const Lsn start{in.take<uint64_t>()};
    if (!in.ok()) return too_short("backup end", main_data);
    return start;
}

}  // namespace steward
