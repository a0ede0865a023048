#include "core/expiry/holdings.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <set>

#include "core/backup/manifest.h"
#include "core/repository/gap_ledger.h"
#include "core/repository/pins.h"

namespace steward {

namespace {

std::string_view last_part(std::string_view key) { return key.substr(key.rfind('/') + 1); }

/// A number of exactly `digits` uppercase hexadecimal digits at `at`, or nothing.
std::optional<uint64_t> hex_at(std::string_view text, size_t at, size_t digits) {
    if (text.size() < at + digits) return std::nullopt;
    uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data() + at, text.data() + at + digits, value, 16);
    if (problem != std::errc() || end != text.data() + at + digits) return std::nullopt;
    return value;
}

class Reader {
public:
    Reader(const Repository& repository, const CancelToken& cancel) : repository_(repository), layout_(repository.layout()), cancel_(cancel) {
        holdings_.facts.wal_segment_size = repository.identity().wal_segment_size;
    }

    Result<Holdings> read() {
        // Manifests before packs: whatever appears in between is a pack too many, never one too few.
        TRY(read_backups());
        TRY(read_packs());
        TRY(read_wal());
        TRY(read_positions());
        TRY(read_gaps());
        return std::move(holdings_);
    }

private:
    Result<void> each(const std::string& prefix, const std::function<Result<void>(const ObjectInfo&)>& visit) {
        return for_each_object(repository_.storage(), prefix, [&](const ObjectInfo& object) -> Result<void> {
            TRY(check_cancel(cancel_));
            return visit(object);
        });
    }

    Result<void> read_backups() {
        TRY_ASSIGN(const std::vector<std::string> labels, list_pinned(repository_));
        const std::set<std::string_view> pinned(labels.begin(), labels.end());
        Catalog catalog;
        TRY_ASSIGN(const std::vector<BackupSummary> summaries, catalog.read(repository_));
        for (const BackupSummary& summary : summaries) {
            TRY(check_cancel(cancel_));
            const Result<Bytes> content = repository_.load(layout_.manifest(summary.label), ObjectKind::kManifest);
            if (!content.ok() && content.error().code() == ErrorCode::not_found) continue;  // went meanwhile
            if (!content.ok() && content.error().retryable()) return content.error();
            holdings_.facts.backups.push_back({summary, pinned.contains(summary.label), packs_of(content)});
        }
        holdings_.damaged = catalog.damaged();
        for (const DamagedBackup& damaged : holdings_.damaged) holdings_.facts.unreadable.push_back(damaged.label);
        for (const std::string& label : labels) {
            Leftover pin{LeftoverKind::kPin, layout_.pin(label), 0, 0, 0, 0, label};
            holdings_.leftovers.push_back(std::move(pin));
        }
        return {};
    }

    std::optional<std::vector<std::string>> packs_of(const Result<Bytes>& content) const {
        if (!content.ok()) return std::nullopt;
        const Result<Manifest> manifest = parse_manifest(as_text(*content));
        if (!manifest.ok()) return std::nullopt;
        std::vector<std::string> names;
        names.reserve(manifest->packs.size());
        for (const ManifestPack& pack : manifest->packs) names.push_back(layout_.pack(pack.set, pack.number).substr(layout_.packs_prefix().size()));
        return names;
    }

    Result<void> read_packs() {
        const std::string prefix = layout_.packs_prefix();
        return each(prefix, [&](const ObjectInfo& object) -> Result<void> {
            holdings_.facts.packs.push_back({object.key.substr(prefix.size()), object.size, object.modified});
            return {};
        });
    }

    Result<void> read_wal() {
        return each(layout_.wal_prefix(), [&](const ObjectInfo& object) -> Result<void> {
            const std::string_view name = last_part(object.key);
            const std::optional<WalFileKind> kind = classify_wal_file(name);
            if (!kind) return {};  // nothing of ours
            if (*kind == WalFileKind::kTimelineHistory) return read_history(object, name);
            const Result<WalSegmentName> segment = parse_wal_segment_name(name.substr(0, 24), holdings_.facts.wal_segment_size);
            if (!segment.ok()) return {};
            if (*kind == WalFileKind::kSegment)
                holdings_.facts.wal.push_back({segment->timeline, segment->segment_number, segment->segment_number, object.size});
            else
                add(*kind == WalFileKind::kPartialSegment ? LeftoverKind::kPartialSegment : LeftoverKind::kBackupHistory, object, *segment);
            return {};
        });
    }

    /// One that cannot be read stays, as does the WAL of its timeline.
    Result<void> read_history(const ObjectInfo& object, std::string_view name) {
        const auto timeline = static_cast<TimelineId>(hex_at(name, 0, 8).value_or(0));
        const Result<Bytes> text = repository_.load(object.key, ObjectKind::kTimelineHistory);
        if (!text.ok() && text.error().retryable()) return text.error();
        if (!text.ok()) return {};
        Result<TimelineHistory> history = parse_timeline_history(timeline, as_text(*text));
        if (!history.ok()) return {};
        holdings_.facts.histories.insert_or_assign(timeline, std::move(history).value());
        add(LeftoverKind::kTimelineHistory, object, {timeline, 0});
        return {};
    }

    /// Pieces of the tail and restore points: their keys say where they are.
    Result<void> read_positions() {
        TRY(each(layout_.wal_tails_prefix(), [&](const ObjectInfo& object) -> Result<void> {
            const std::string_view segment_directory = std::string_view(object.key).substr(0, object.key.rfind('/'));
            const Result<WalSegmentName> segment = parse_wal_segment_name(last_part(segment_directory), holdings_.facts.wal_segment_size);
            if (segment.ok()) add(LeftoverKind::kWalTail, object, *segment);
            return {};
        }));
        return each(layout_.restore_points_prefix(), [&](const ObjectInfo& object) -> Result<void> {
            const std::string_view name = last_part(object.key);
            const auto timeline = hex_at(name, 0, 8), lsn = hex_at(name, 9, 16);
            if (timeline && lsn) add(LeftoverKind::kRestorePoint, object, {static_cast<TimelineId>(*timeline), segment(*lsn)});
            return {};
        });
    }

    Result<void> read_gaps() {
        return each(layout_.gaps_prefix(), [&](const ObjectInfo& object) -> Result<void> {
            const Result<RecordedGap> gap = load_gap(repository_, object.key);
            if (!gap.ok() && gap.error().retryable()) return gap.error();
            // What cannot be understood is for verification to tell of, and stays.
            if (!gap.ok()) return {};
            const uint64_t first = segment(gap->begin.value), last = segment(gap->end.value - 1);
            if (gap->reason == GapReason::kPruned)
                holdings_.pruned.push_back({gap->timeline, first, last});
            else
                holdings_.leftovers.push_back({LeftoverKind::kGap, object.key, object.size, gap->timeline, first, last});
            return {};
        });
    }

    void add(LeftoverKind kind, const ObjectInfo& object, WalSegmentName at) {
        holdings_.leftovers.push_back({kind, object.key, object.size, at.timeline, at.segment_number, at.segment_number});
    }

    uint64_t segment(uint64_t lsn) const { return segment_of(Lsn{lsn}, holdings_.facts.wal_segment_size); }

    const Repository& repository_;
    const Layout& layout_;
    const CancelToken& cancel_;
    Holdings holdings_;
};

}  // namespace

Result<Holdings> read_holdings(const Repository& repository, const CancelToken& cancel) { return Reader(repository, cancel).read(); }

}  // namespace steward
