#include "core/archive/queue_limit.h"

#include <algorithm>

#include "core/postgres/wal_name.h"

namespace steward {

GivenUpFiles QueueLimit::look(std::span<const std::string> waiting, std::chrono::steady_clock::time_point now) {
    GivenUpFiles files;
    if (limit_ == 0) return files;
    const auto is_segment = [](const std::string& name) { return classify_wal_file(name) == WalFileKind::kSegment; };
    const auto count = static_cast<uint64_t>(std::ranges::count_if(waiting, is_segment));
    const uint64_t most = limit_ / wal_segment_size_;
    if (count <= most) {
        excess_.reset();
        return files;
    }
    if (!excess_ || count < excess_->fewest) excess_ = {count, now};
    if (now - excess_->since < kPatience) return files;

    for (const std::string& name : waiting) {
        if (files.segments.size() == count - most) break;
        const std::optional<WalFileKind> kind = classify_wal_file(name);
        if (kind == WalFileKind::kSegment)
            files.segments.push_back(name);
        else if (kind == WalFileKind::kTimelineHistory)
            files.histories.push_back(name);
        else
            files.others.push_back(name);
    }
    return files;
}

}  // namespace steward
