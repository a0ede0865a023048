#include "core/backup/plan.h"

#include <algorithm>
#include <utility>

#include "core/postgres/page.h"

namespace steward {

namespace {

/// What opening a file costs, in bytes copied in that time: keeps a pack of ten thousand tiny files from being the last one.
constexpr uint64_t kOpenCost = 8 * 1024;
/// A file of at most this part of a pack goes whole into the next one rather than being cut.
constexpr uint64_t kUncutPart = 16;

constexpr uint64_t round_down_to_page(uint64_t bytes) { return bytes / kPageSize * kPageSize; }

class Planner {
public:
    Planner(uint64_t cost, int workers, uint64_t pack_target)
        : remaining_(cost), shares_(2 * static_cast<uint64_t>(std::max(workers, 1))), largest_(std::max<uint64_t>(round_down_to_page(pack_target), kPageSize)) {
        begin_pack();
    }

    void add(uint32_t index, uint64_t size) {
        if (size > room() && size <= target_ / kUncutPart) close_pack();
        uint64_t offset = 0;
        do {
            if (room() == 0) close_pack();
            const uint64_t rest = size - offset;
            const uint64_t length = rest <= room() ? rest : round_down_to_page(room());
            if (length == 0 && rest > 0) {
                close_pack();
                continue;
            }
            take({index, offset, length, length == size}, length);
            offset += length;
        } while (offset < size);
    }

    /// A file of which only `read` bytes are read.
    void add_patch(uint32_t index, uint64_t size, uint64_t read) {
        if (room() == 0) close_pack();
        take({index, 0, size, true}, read);
    }

    CopyPlan finish() {
        close_pack();
        return std::move(plan_);
    }

private:
    void take(const CopyPiece& piece, uint64_t read) {
        pack_.pieces.push_back(piece);
        pack_.length += read;
        cost_ += read + kOpenCost;
        plan_.bytes += piece.length;
    }

    uint64_t room() const { return target_ - std::min(target_, cost_); }

    /// Each pack is a fixed share of what is left ("guided self-scheduling"): large at first, small in the end.
    void begin_pack() {
        const uint64_t share = round_down_to_page(remaining_ / shares_);
        target_ = std::clamp(share, std::min(kSmallestPackTarget, largest_), largest_);
    }

    void close_pack() {
        if (pack_.pieces.empty()) return;
        remaining_ -= std::min(remaining_, cost_);
        cost_ = 0;
        plan_.packs.push_back(std::exchange(pack_, {}));
        begin_pack();
    }

    uint64_t remaining_;
    const uint64_t shares_;
    const uint64_t largest_;
    uint64_t target_ = 0;
    uint64_t cost_ = 0;
    PackTask pack_;
    CopyPlan plan_;
};

}  // namespace

CopyPlan plan_copy(std::span<const ScannedFile> files, std::span<const FileTreatment> treatments, int workers, uint64_t pack_target) {
    const auto to_read = [&](size_t i) { return treatments.empty() ? files[i].size : treatments[i].bytes_to_read(files[i].size); };
    const auto is_patched = [&](size_t i) { return !treatments.empty() && treatments[i].kind == FileTreatment::Kind::kPatch; };
    uint64_t cost = 0;
    for (size_t i = 0; i < files.size(); ++i) cost += to_read(i) + kOpenCost;
    Planner planner(cost, workers, pack_target);
    // Sizes of relation files are multiples of a page; the few others would push every page after them off its boundary.
    for (const bool pages : {true, false})
        for (size_t i = 0; i < files.size(); ++i) {
            if (consists_of_pages(files[i].size) != pages) continue;
            if (is_patched(i))
                planner.add_patch(static_cast<uint32_t>(i), files[i].size, to_read(i));
            else
                planner.add(static_cast<uint32_t>(i), files[i].size);
        }
    return planner.finish();
}

}  // namespace steward
