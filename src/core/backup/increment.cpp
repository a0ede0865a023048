#include "core/backup/increment.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "core/postgres/page.h"
#include "core/postgres/relation_file.h"

namespace steward {

namespace {

constexpr uint64_t kSparseDivisor = 4;

/// Add a range that begins where the last one ends, or later.
void append(std::vector<ByteRange>& ranges, ByteRange range) {
    if (range.length == 0) return;
    if (!ranges.empty() && ranges.back().offset + ranges.back().length >= range.offset) {
        const uint64_t end = std::max(ranges.back().offset + ranges.back().length, range.offset + range.length);
        ranges.back().length = end - ranges.back().offset;
    } else {
        ranges.push_back(range);
    }
}

/// The union of two lists in order.
std::vector<ByteRange> merge(const std::vector<ByteRange>& a, const std::vector<ByteRange>& b) {
    std::vector<ByteRange> sorted, merged;
    sorted.reserve(a.size() + b.size());
    std::ranges::merge(a, b, std::back_inserter(sorted), {}, &ByteRange::offset, &ByteRange::offset);
    for (const ByteRange& range : sorted) append(merged, range);
    return merged;
}

/// Pages, from 0 to `size`, that usable packs do not hold from beginning to end.
std::vector<ByteRange> missing_pages(const ManifestFile& base, const std::vector<bool>& usable, uint64_t size) {
    std::vector<ByteRange> missing;
    uint64_t covered = 0;
    for (const ManifestRun& run : usable_runs(base, usable, 0, size)) {
        // A page that is stored in two pieces is stored anew.
        const uint64_t first = (run.offset + kPageSize - 1) / kPageSize * kPageSize, last = (run.offset + run.length) / kPageSize * kPageSize;
        if (last <= first || run.pack_offset % kPageSize != run.offset % kPageSize) continue;
        append(missing, {covered, first - covered});
        covered = last;
    }
    append(missing, {covered, size - covered});
    return missing;
}

/// The changed pages of one segment of a relation, of `size` bytes.
std::vector<ByteRange> changed_pages(const ChangedBlocks::Fork& fork, uint64_t first_block, uint64_t size) {
    std::vector<ByteRange> changed;
    const uint64_t end_block = first_block + size / kPageSize;
    const uint64_t limit = std::clamp<uint64_t>(fork.limit.value_or(UINT32_MAX), first_block, end_block);
    for (auto block = std::ranges::lower_bound(fork.blocks, first_block); block != fork.blocks.end() && *block < limit; ++block)
        append(changed, {(*block - first_block) * kPageSize, kPageSize});
    append(changed, {(limit - first_block) * kPageSize, (end_block - limit) * kPageSize});
    return changed;
}

class IncrementPlanner {
public:
    IncrementPlanner(const IncrementBase& base, ChangedBlocks* changes, uint32_t pages_per_segment)
        : base_(base), changes_(changes), pages_per_segment_(pages_per_segment) {
        for (const ManifestFile& file : base.manifest.files) files_.emplace(file.path, &file);
    }

    FileTreatment treat(const ScannedFile& file) const {
        const auto found = files_.find(file.path);
        if (found == files_.end() || file.size == 0) return {};
        const ManifestFile& before = *found->second;
        FileTreatment treatment{FileTreatment::Kind::kCompare, &before, {}};
        const std::optional<RelationFile> relation = parse_relation_path(file.path);
        const bool logged = relation && !relation->temporary && relation->fork == RelationFork::kMain;
        if (changes_ == nullptr || !logged || !consists_of_pages(file.size) || !consists_of_pages(before.size)) return treatment;
        if (changes_->is_database_new(relation->tablespace, relation->database)) return treatment;
        const uint64_t first_block = uint64_t{relation->segment} * pages_per_segment_;
        const ChangedBlocks::Fork* fork = changes_->find(*relation);
        // Another relation's, or begun anew: what is the same is found by its digest.
        if (fork != nullptr && fork->limit && *fork->limit <= first_block) return treatment;
        treatment.kind = FileTreatment::Kind::kPatch;
        treatment.read = missing_pages(before, base_.usable, file.size);
        if (fork != nullptr) treatment.read = merge(treatment.read, changed_pages(*fork, first_block, file.size));
        return treatment;
    }

private:
    const IncrementBase& base_;
    ChangedBlocks* changes_;
    const uint32_t pages_per_segment_;
    std::unordered_map<std::string_view, const ManifestFile*> files_;
};

}  // namespace

uint64_t FileTreatment::bytes_to_read(uint64_t size) const {
    if (kind != Kind::kPatch) return size;
    return std::accumulate(read.begin(), read.end(), uint64_t{0}, [](uint64_t sum, const ByteRange& range) { return sum + range.length; });
}

std::vector<FileTreatment> plan_increment(std::span<const ScannedFile> files, const IncrementBase& base, ChangedBlocks* changes,
                                          uint32_t pages_per_segment) {
    const IncrementPlanner planner(base, changes, pages_per_segment);
    std::vector<FileTreatment> treatments;
    treatments.reserve(files.size());
    for (const ScannedFile& file : files) treatments.push_back(planner.treat(file));
    return treatments;
}

std::vector<ManifestRun> usable_runs(const ManifestFile& base, const std::vector<bool>& usable, uint64_t begin, uint64_t end) {
    std::vector<ManifestRun> runs;
    if (begin >= end) return runs;
    // Runs are in order and do not overlap: the first one that ends after `begin` can be searched for.
    auto run = std::ranges::partition_point(base.runs, [&](const ManifestRun& r) { return r.offset + r.length <= begin; });
    for (; run != base.runs.end() && run->offset < end; ++run) {
        if (!usable[run->pack]) continue;
        const uint64_t from = std::max(run->offset, begin), to = std::min(run->offset + run->length, end);
        runs.push_back({from, to - from, run->pack, run->pack_offset + (from - run->offset)});
    }
    return runs;
}

std::vector<bool> find_sparse_packs(const Manifest& manifest, uint64_t budget) {
    std::vector<uint64_t> used(manifest.packs.size(), 0);
    for (const ManifestFile& file : manifest.files)
        for (const ManifestRun& run : file.runs) used[run.pack] += run.length;
    std::vector<uint32_t> order(manifest.packs.size());
    std::iota(order.begin(), order.end(), 0u);
    const auto share = [&](uint32_t pack) { return static_cast<double>(used[pack]) / static_cast<double>(std::max<uint64_t>(manifest.packs[pack].data_length(), 1)); };
    std::ranges::stable_sort(order, {}, share);
    std::vector<bool> sparse(manifest.packs.size(), false);
    for (const uint32_t pack : order) {
        if (used[pack] * kSparseDivisor >= manifest.packs[pack].data_length() || used[pack] > budget) break;
        sparse[pack] = true;
        budget -= used[pack];
    }
    return sparse;
}

}  // namespace steward
