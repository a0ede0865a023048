#include "core/restore/target_proof.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "core/base/format.h"
#include "core/base/parallel.h"
#include "core/restore/wal_scan.h"

namespace steward {

namespace {

struct FoundRecord {
    Lsn lsn;
    std::optional<TimePoint> time;
};

bool is_transaction_end(WalRecordKind kind) {
    return kind == WalRecordKind::kCommit || kind == WalRecordKind::kAbort || kind == WalRecordKind::kCommitPrepared ||
           kind == WalRecordKind::kAbortPrepared;
}

/// Whether recovery stops at this record for a target that is a transaction or a restore point.
Result<std::optional<FoundRecord>> match(const RecoveryTarget& target, const WalRecord& record, const WalSegmentReader& reader) {
    const WalRecordKind kind = kind_of(record);
    if (target.kind == TargetKind::kName && kind == WalRecordKind::kRestorePoint) {
        TRY_ASSIGN(const Bytes data, reader.main_data());
        TRY_ASSIGN(const RestorePoint point, decode_restore_point(data));
        if (point.name == target.name) return std::optional(FoundRecord{record.lsn, point.time});
    }
    if (target.kind == TargetKind::kXid && is_transaction_end(kind)) {
        TRY_ASSIGN(const Bytes data, reader.main_data());
        TRY_ASSIGN(const TransactionEnd end, decode_transaction_end(record, data, reader.header().major));
        if (end.xid == static_cast<uint32_t>(target.xid)) return std::optional(FoundRecord{record.lsn, end.time});
    }
    return std::optional<FoundRecord>();
}

/// Find the first record in `segments` that is the target and not before `from`, with many threads. They take the segments in
/// order, so that none after the one with the match needs to be read to its end.
class ForwardSearch {
public:
    ForwardSearch(WalScanner scanner, const RecoveryTarget& target, Lsn from, RestoreProgress& progress)
        : scanner_(scanner), target_(target), from_(from), progress_(progress), found_at_(scanner.size()) {}

    Result<std::optional<FoundRecord>> run(int workers, const CancelToken& cancel) {
        TRY(run_workers(workers, cancel, [this](int, const CancelToken& stop) { return work(stop); }));
        return found_;
    }

private:
    Result<void> work(const CancelToken& stop) {
        for (;;) {
            const size_t index = next_++;
            if (index >= found_at_) return {};
            TRY(check_cancel(stop));
            TRY(scanner_.visit(index, [&](const WalRecord& record, const WalSegmentReader& reader) { return look_at(index, record, reader); }));
            progress_.done++;
        }
    }

    Result<ScanStep> look_at(size_t index, const WalRecord& record, const WalSegmentReader& reader) {
        if (record.lsn < from_) return ScanStep::kContinue;
        TRY_ASSIGN(const std::optional<FoundRecord> found, match(target_, record, reader));
        if (!found) return ScanStep::kContinue;
        const std::lock_guard lock(mutex_);
        if (index < found_at_) {
            found_at_ = index;
            found_ = found;
        }
        return ScanStep::kStop;
    }

    WalScanner scanner_;
    const RecoveryTarget& target_;
    Lsn from_;
    RestoreProgress& progress_;
    std::atomic<size_t> next_{0};
    std::atomic<size_t> found_at_;  ///< written under mutex_
    std::mutex mutex_;
    std::optional<FoundRecord> found_;
};

/// The part of a candidate's segments from `from` up to `to`, or up to the end without `to`.
std::span<const WalSegmentName> segments_of(const Candidate& candidate, uint32_t segment_size, Lsn from, std::optional<Lsn> to) {
    const std::span<const WalSegmentName> all = candidate.reach.segments;
    if (all.empty()) return all;
    const uint64_t first = all.front().segment_number;
    const size_t begin = std::min<size_t>(all.size(), segment_of(from, segment_size) - first);
    const size_t end = to ? std::min<size_t>(all.size(), segment_of(*to, segment_size) - first + 1) : all.size();
    return all.subspan(begin, std::max(begin, end) - begin);
}

/// Start of the last whole record that `candidate` reaches, from the newest segment backwards.
Result<std::optional<Lsn>> last_record(std::span<const Repository> repositories, const Candidate& candidate) {
    const WalScanner scanner(repositories, candidate.reach.segments);
    for (size_t index = scanner.size(); index-- > 0;) {
        std::optional<Lsn> last;
        TRY(scanner.visit(index, [&](const WalRecord& record, const WalSegmentReader&) -> Result<ScanStep> {
            last = record.lsn;
            return ScanStep::kContinue;
        }));
        if (last) return last;
    }
    return std::optional<Lsn>();
}

/// What stands in the way when the WAL ends before the target: a hole, or simply its end.
Error beyond_the_wal(const Candidate& candidate, uint32_t segment_size, const RecoveryTarget& target, std::string detail) {
    if (candidate.hole) {
        detail += formatted(" {}, and there is WAL after it.", describe(*candidate.hole, segment_size));
        if (const auto& after = candidate.hole->after)
            detail += formatted(" What is after it is reached from {} on, with backup \"{}\".", after->lsn, after->backup);
    }
    return Error(ErrorCode::unreachable_target, formatted("the WAL in the repository does not reach the recovery target, {}", describe(target)))
        .detail(std::move(detail))
        .hint("Choose an earlier target, or leave the target out to recover all there is.");
}

Result<TargetProof> prove_latest(std::span<const Repository> repositories, const Candidate& candidate, TargetCheck check) {
    if (!candidate.reach.missing) return TargetProof{};
    std::optional<Lsn> reachable;
    if (check == TargetCheck::kScanWal) {
        TRY_ASSIGN(reachable, last_record(repositories, candidate));
    }
    return hole_error(candidate, repositories.front().identity().wal_segment_size, reachable);
}

Result<TargetProof> prove_lsn(std::span<const Repository> repositories, const Candidate& candidate, const RecoveryTarget& target) {
    const uint32_t segment_size = repositories.front().identity().wal_segment_size;
    const WalScanner scanner(repositories, segments_of(candidate, segment_size, target.lsn, std::nullopt));
    for (size_t index = 0; index < scanner.size(); ++index) {
        std::optional<Lsn> found;
        TRY(scanner.visit(index, [&](const WalRecord& record, const WalSegmentReader&) -> Result<ScanStep> {
            if (record.lsn < target.lsn) return ScanStep::kContinue;
            found = record.lsn;
            return ScanStep::kStop;
        }));
        if (found) return TargetProof{0, found, std::nullopt};
    }
    TRY_ASSIGN(const std::optional<Lsn> last, last_record(repositories, candidate));
    return beyond_the_wal(candidate, segment_size, target, formatted("The last LSN reachable is {}.", last.value_or(candidate.backup.summary.stop_lsn)));
}

/// Look for the end of a transaction after the target time, in the newest segment that has any: the order of time and WAL differ by no
/// more than what the clocks of the cluster's hosts did.
Result<TargetProof> prove_time(std::span<const Repository> repositories, const Candidate& candidate, const RecoveryTarget& target,
                               RestoreProgress& progress, const CancelToken& cancel) {
    const uint32_t segment_size = repositories.front().identity().wal_segment_size;
    const BackupSummary& backup = candidate.backup.summary;
    const WalScanner scanner(repositories, segments_of(candidate, segment_size, backup.stop_lsn, std::nullopt));
    std::optional<TimePoint> latest;
    progress.begin("looking for the target time", scanner.size(), false);
    for (size_t index = scanner.size(); index-- > 0 && !latest;) {
        TRY(check_cancel(cancel));
        TRY(scanner.visit(index, [&](const WalRecord& record, const WalSegmentReader& reader) -> Result<ScanStep> {
            if (record.lsn < backup.stop_lsn || !is_transaction_end(kind_of(record))) return ScanStep::kContinue;
            TRY_ASSIGN(const Bytes data, reader.main_data());
            TRY_ASSIGN(const TransactionEnd end, decode_transaction_end(record, data, reader.header().major));
            latest = latest ? std::max(*latest, end.time) : end.time;
            return ScanStep::kContinue;
        }));
        progress.done++;
    }
    const bool reached = latest && (target.bound == TargetBound::kInclusive ? *latest > target.time : *latest >= target.time);
    if (reached) return TargetProof{};
    return beyond_the_wal(candidate, segment_size, target,
                          latest ? formatted("The last transaction in it ended at {}.", format_time(*latest))
                                 : formatted("No transaction ended after backup \"{}\", which was finished at {}.", backup.label, format_time(backup.stopped)));
}

/// The newest candidate within whose reach a restore point of the target's name is recorded, and where.
std::optional<TargetProof> recorded_proof(std::span<const Candidate> candidates) {
    for (size_t i = 0; i < candidates.size(); ++i)
        if (!candidates[i].recorded_points.empty()) {
            const RecordedRestorePoint& point = candidates[i].recorded_points.front();
            return TargetProof{i, point.lsn, point.time};
        }
    return std::nullopt;
}

/// Look at the place where a restore point is recorded instead of searching all WAL for it; nothing when it is not there.
Result<std::optional<TargetProof>> prove_recorded(std::span<const Repository> repositories, std::span<const Candidate> candidates,
                                                  const RecoveryTarget& target, RestoreProgress& progress, const CancelToken& cancel) {
    // The record is a few hundred bytes at most and ends where it is recorded; a page more covers headers between.
    constexpr uint64_t kRecordRoom = 8192;
    const std::optional<TargetProof> recorded = recorded_proof(candidates);
    if (!recorded) return recorded;
    const Candidate& candidate = candidates[recorded->candidate];
    const Lsn end = *recorded->lsn;
    const Lsn from = std::max(candidate.backup.summary.stop_lsn, end.value > kRecordRoom ? end - kRecordRoom : Lsn{});
    const auto segments = segments_of(candidate, repositories.front().identity().wal_segment_size, from, end);
    progress.begin("looking for the restore point", segments.size(), false);
    ForwardSearch search(WalScanner(repositories, segments), target, from, progress);
    TRY_ASSIGN(const std::optional<FoundRecord> found, search.run(1, cancel));
    if (!found) return std::optional<TargetProof>();
    return std::optional(TargetProof{recorded->candidate, found->lsn, found->time});
}

Result<TargetProof> prove_by_search(std::span<const Repository> repositories, std::span<const Candidate> candidates, const RecoveryTarget& target,
                                    int workers, RestoreProgress& progress, const CancelToken& cancel) {
    const uint32_t segment_size = repositories.front().identity().wal_segment_size;
    std::optional<Lsn> searched_from;  // where the search of the backup after this one began
    for (size_t i = 0; i < candidates.size(); ++i) {
        const Candidate& candidate = candidates[i];
        const Lsn stop = candidate.backup.summary.stop_lsn;
        const auto segments = segments_of(candidate, segment_size, stop, searched_from);
        progress.begin("looking for the recovery target", segments.size(), false);
        ForwardSearch search(WalScanner(repositories, segments), target, stop, progress);
        TRY_ASSIGN(const std::optional<FoundRecord> found, search.run(workers, cancel));
        if (found) return TargetProof{i, found->lsn, found->time};
        searched_from = stop;
    }
    return Error(ErrorCode::unreachable_target, formatted("the WAL in the repository does not contain the recovery target, {}", describe(target)))
        .detail(formatted("It was searched from {}, where backup \"{}\" ends, to {}.", candidates.back().backup.summary.stop_lsn,
                          candidates.back().backup.summary.label, candidates.front().reach.end))
        .hint("Check the target and the timeline; WAL on other timelines is searched with --target-timeline.");
}

}  // namespace

Result<TargetProof> prove_target(std::span<const Repository> repositories, std::span<const Candidate> candidates, const RecoveryTarget& target,
                                 TargetCheck check, int workers, RestoreProgress& progress, const CancelToken& cancel) {
    if (target.kind == TargetKind::kLatest) return prove_latest(repositories, candidates.front(), check);
    if (check == TargetCheck::kNone) return recorded_proof(candidates).value_or(TargetProof{});
    if (target.kind == TargetKind::kImmediate) return TargetProof{};
    if (target.kind == TargetKind::kLsn) return prove_lsn(repositories, candidates.front(), target);
    if (target.kind == TargetKind::kTime) return prove_time(repositories, candidates.front(), target, progress, cancel);
    TRY_ASSIGN(const std::optional<TargetProof> recorded, prove_recorded(repositories, candidates, target, progress, cancel));
    if (recorded) return *recorded;
    return prove_by_search(repositories, candidates, target, workers, progress, cancel);
}

}  // namespace steward
