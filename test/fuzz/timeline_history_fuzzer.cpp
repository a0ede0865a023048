// Timeline histories, and the questions recovery asks of them.

#include "core/postgres/timeline.h"

using namespace steward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Result<TimelineHistory> history = parse_timeline_history(1000, text);
    if (!history.ok()) return 0;
    const Lsn from{0x2000028};
    const TimelineId timeline = history->timeline_at(from);
    if (!history->includes(timeline)) __builtin_trap();
    static_cast<void>(history->segments_between(timeline, from, from + (uint64_t{100} << 20), kDefaultWalSegmentSize));
    for (const TimelineHistoryEntry& ancestor : history->ancestors())
        if (!history->end_of(ancestor.timeline).ok()) __builtin_trap();
    return 0;
}
