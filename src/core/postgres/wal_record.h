// WAL records that recovery targets, timelines and backups are about.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/postgres/lsn.h"
#include "core/postgres/wal_name.h"

namespace steward {

/// The header of one record, with its place.
struct WalRecord {
    Lsn lsn;           ///< of its first byte
    Lsn end_lsn;       ///< where the next record begins; a WAL switch ends at the end of its segment
    Lsn previous_lsn;  ///< of the record before, as stored
    uint32_t length = 0;  ///< xl_tot_len: header and everything, without the page headers it crosses
    uint32_t xid = 0;
    uint8_t resource_manager = 0;
    uint8_t info = 0;
};

/// The records this project tells apart; all others are kOther.
enum class WalRecordKind {
    kOther,
    kCommit,
    kAbort,
    kCommitPrepared,
    kAbortPrepared,
    kCheckpointShutdown,
    kCheckpointOnline,
    kSwitch,
    kBackupEnd,
    kRestorePoint,
    kEndOfRecovery,
};

/// What a record is, from its resource manager and info (src/include/catalog/pg_control.h and access/xact.h, 13 to 19).
WalRecordKind kind_of(const WalRecord& record);

/// PostgreSQL's timestamps count microseconds from 2000-01-01 UTC. The infinities become the ends of TimePoint.
TimePoint from_postgres_timestamp(int64_t microseconds);

/// XLOG_RESTORE_POINT: pg_create_restore_point().
struct RestorePoint {
    TimePoint time;
    std::string name;  ///< at most 63 bytes
};

/// A transaction's end, of any of the four kinds.
struct TransactionEnd {
    TimePoint time;
    uint32_t xid = 0;  ///< of the transaction that ended; for prepared ones not the xid in the record's header
    bool committed = false;
};

/// XLOG_END_OF_RECOVERY: a promotion.
struct EndOfRecovery {
    TimePoint time;
    TimelineId timeline = 0;
    TimelineId previous_timeline = 0;
};

/// Decode the main data of a record of the kind that the function names. Errors: corrupt_object when it is too short or
/// contradicts itself.
Result<RestorePoint> decode_restore_point(ByteView main_data);
/// `major` decides the size of dropped statistics entries, which stand before a prepared transaction's xid.
Result<TransactionEnd> decode_transaction_end(const WalRecord& record, ByteView main_data, int major);
Result<EndOfRecovery> decode_end_of_recovery(ByteView main_data);
/// XLOG_BACKUP_END: return the start position of the backup that ended, BackupLabel::start_lsn.
Result<Lsn> decode_backup_end(ByteView main_data);

}  // namespace steward
