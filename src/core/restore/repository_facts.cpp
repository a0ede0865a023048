#include "core/restore/repository_facts.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <tuple>

namespace steward {

namespace {

Result<void> read_histories(const Repository& repository, RepositoryContent& content) {
    return for_each_object(repository.storage(), repository.layout().wal_prefix(), [&](const ObjectInfo& object) -> Result<void> {
        const std::string name = object.key.substr(object.key.rfind('/') + 1);
        if (classify_wal_file(name) != WalFileKind::kTimelineHistory) return {};
        TimelineId timeline = 0;
        std::from_chars(name.data(), name.data() + 8, timeline, 16);
        const Result<Bytes> text = repository.load(object.key, ObjectKind::kTimelineHistory);
        if (!text.ok() && text.error().retryable()) return text.error();
        Result<TimelineHistory> history = text.ok() ? parse_timeline_history(timeline, as_text(*text)) : Result<TimelineHistory>(text.error());
        if (history.ok())
            content.histories.insert_or_assign(timeline, std::move(history).value());
        else
            content.damaged_histories.push_back(std::move(history).error());
        return {};
    });
}

void add_ranges(const RepositoryContent& content, WalInventory& wal) {
    for (const WalRange& range : content.wal) {
        const auto first = parse_wal_segment_name(range.first, wal.segment_size());
        const auto last = parse_wal_segment_name(range.last, wal.segment_size());
        if (first.ok() && last.ok()) wal.add(range.timeline, first->segment_number, last->segment_number);
    }
}

void drop_finished(RepositoryContent& content, uint32_t segment_size) {
    WalInventory wal(segment_size);
    add_ranges(content, wal);
    std::erase_if(content.tails, [&](const WalTail& tail) { return wal.has(tail.segment); });
}

void add_tails(std::span<const RepositoryContent> contents, WalInventory& wal) {
    std::map<WalSegmentName, std::vector<TailPiece>> pieces;
    for (const RepositoryContent& content : contents)
        for (const WalTail& tail : content.tails) std::ranges::copy(tail.pieces, std::back_inserter(pieces[tail.segment]));
    for (auto& [segment, all] : pieces) {
        std::ranges::sort(all);
        if (const uint32_t end = chain_end(all); end != 0) wal.add_tail(segment, start_lsn(segment.segment_number, wal.segment_size()) + end);
    }
}

}  // namespace

std::vector<Error> RepositoryContent::damage() const {
    std::vector<Error> all;
    for (const DamagedBackup& backup : damaged_backups) all.push_back(backup.error);
    std::ranges::copy(damaged_histories, std::back_inserter(all));
    std::ranges::copy(damaged_records, std::back_inserter(all));
    return all;
}

Result<RepositoryContent> ContentReader::read(const Repository& repository) {
    RepositoryContent content;
    TRY_ASSIGN(content.backups, catalog_.read(repository));
    content.damaged_backups = catalog_.damaged();
    // Tails first: their pieces go when the whole segment is there.
    TRY_ASSIGN(content.tails, list_wal_tails(repository));
    // The WAL before the ledger: an entry is made before its segments go, so that what is seen to be gone is also seen to be entered.
    TRY_ASSIGN(content.wal, list_wal_ranges(repository));
    drop_finished(content, repository.identity().wal_segment_size);
    TRY(read_histories(repository, content));
    TRY_ASSIGN(content.gaps, gaps_.read(repository));
    TRY_ASSIGN(content.restore_points, restore_points_.read(repository));
    content.damaged_records = gaps_.damaged();
    std::ranges::copy(restore_points_.damaged(), std::back_inserter(content.damaged_records));
    return content;
}

Result<RepositoryContent> read_content(const Repository& repository) { return ContentReader().read(repository); }

RestoreFacts merge_contents(std::span<const RepositoryContent> contents, uint32_t wal_segment_size) {
    RestoreFacts facts{.backups = {}, .wal = WalInventory(wal_segment_size)};
    for (size_t i = 0; i < contents.size(); ++i) {
        for (const BackupSummary& backup : contents[i].backups)
            if (std::ranges::none_of(facts.backups, [&](const BackupFact& known) { return known.summary.label == backup.label; }))
                facts.backups.push_back({backup, i});
        std::ranges::copy(contents[i].damaged_backups, std::back_inserter(facts.damaged));
        add_ranges(contents[i], facts.wal);
        for (const auto& [timeline, history] : contents[i].histories) facts.histories.try_emplace(timeline, history);
        for (const RecordedRestorePoint& point : contents[i].restore_points)
            if (std::ranges::none_of(facts.restore_points, [&](const auto& p) { return p.timeline == point.timeline && p.lsn == point.lsn; }))
                facts.restore_points.push_back(point);
        std::ranges::copy(contents[i].gaps, std::back_inserter(facts.gaps));
    }
    add_tails(contents, facts.wal);
    // What another repository holds whole is not lost.
    std::erase_if(facts.damaged, [&](const DamagedBackup& damaged) {
        return std::ranges::any_of(facts.backups, [&](const BackupFact& known) { return known.summary.label == damaged.label; });
    });
    std::ranges::sort(facts.backups, {}, [](const BackupFact& b) {
        return std::tuple(b.summary.timeline, b.summary.start_lsn.value, std::string_view(b.summary.label));
    });
    return facts;
}

}  // namespace steward
