#include "core/repository/catalog.h"

#include <algorithm>
#include <tuple>

#include "core/base/format.h"
#include "core/postgres/wal_name.h"

namespace steward {

Result<BackupSummary> load_summary(const Repository& repository, std::string_view label) {
    const std::string key = repository.layout().manifest(label);
    TRY_ASSIGN(const ObjectHead head, repository.load_head(key, ObjectKind::kManifest));
    if (head.frames.empty()) return Error(ErrorCode::corrupt_object, formatted("object \"{}\" is empty", key)).object(key);
    TRY_ASSIGN(const Bytes stored, repository.storage().read(key, head.frames[0].stored_offset, head.frames[0].stored_length));
    Bytes first(head.plain_length_of(0));
    FrameDecompressor decompressor;
    TRY(restore_frame(head, 0, stored, first, decompressor, key));
    const std::string_view text = as_text(first);
    Result<BackupSummary> summary = parse_summary(text.substr(0, text.find('\n')));
    if (summary.ok() && summary->label != label)
        return Error(ErrorCode::corrupt_object, formatted("object \"{}\" is the manifest of backup \"{}\"", key, summary->label)).object(key);
    return std::move(summary).context([&] { return formatted("while reading object \"{}\"", key); });
}

Result<std::vector<BackupSummary>> Catalog::read(const Repository& repository) {
    std::map<std::string, BackupSummary> found;
    damaged_.clear();
    TRY(for_each_object(repository.storage(), repository.layout().backups_prefix(), [&](const ObjectInfo& object) -> Result<void> {
        const std::optional<std::string> label = repository.layout().label_of_manifest(object.key);
        if (!label) return {};
        if (const auto known = known_.find(object.key); known != known_.end()) {
            found.insert(*known);
            return {};
        }
        Result<BackupSummary> summary = load_summary(repository, *label);
        if (summary.ok())
            found.emplace(object.key, std::move(summary).value());
        else if (summary.error().retryable())
            return summary.error();
        else
            damaged_.push_back({*label, std::move(summary).error()});
        return {};
    }));
    known_ = std::move(found);
    std::vector<BackupSummary> summaries;
    for (const auto& [key, summary] : known_) summaries.push_back(summary);
    std::ranges::sort(summaries, {}, [](const BackupSummary& s) { return std::tuple(s.timeline, s.start_lsn.value, std::string_view(s.label)); });
    return summaries;
}

Result<std::vector<WalRange>> list_wal_ranges(const Repository& repository) {
    std::vector<WalRange> ranges;
    const uint32_t size = repository.identity().wal_segment_size;
    uint64_t next_number = 0;
    TRY(for_each_object(repository.storage(), repository.layout().wal_prefix(), [&](const ObjectInfo& object) -> Result<void> {
        const std::string name = object.key.substr(object.key.rfind('/') + 1);
        if (classify_wal_file(name) != WalFileKind::kSegment) return {};
        const Result<WalSegmentName> segment = parse_wal_segment_name(name, size);
        if (!segment.ok()) return {};
        if (ranges.empty() || ranges.back().timeline != segment->timeline || next_number != segment->segment_number)
            ranges.push_back({segment->timeline, name, name, 0, 0});
        ranges.back().last = name;
        ranges.back().segments++;
        ranges.back().repository_bytes += object.size;
        next_number = segment->segment_number + 1;
        return {};
    }));
    return ranges;
}

}  // namespace steward
