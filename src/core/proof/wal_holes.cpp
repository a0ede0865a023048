#include "core/proof/wal_holes.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/base/format.h"

namespace steward {

namespace {

/// Cut `accounted` out of the last interval of `holes`, which may shrink, split or vanish.
void take_out(const WalInterval& accounted, std::vector<WalInterval>& holes) {
    std::vector<WalInterval> rest;
    for (const WalInterval& hole : holes) {
        if (hole.timeline != accounted.timeline || accounted.end <= hole.begin || accounted.begin >= hole.end) {
            rest.push_back(hole);
            continue;
        }
        if (accounted.begin > hole.begin) rest.push_back({hole.timeline, hole.begin, accounted.begin});
        if (accounted.end < hole.end) rest.push_back({hole.timeline, accounted.end, hole.end});
    }
    holes = std::move(rest);
}

template <typename Number>
bool parse_hexadecimal(std::string_view text, Number& into) {
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), into, 16);
    return problem == std::errc() && end == text.data() + text.size();
}

/// The interval in the name of a ledger entry: TTTTTTTT-BBBBBBBBBBBBBBBB-EEEEEEEEEEEEEEEE.
std::optional<WalInterval> interval_of_name(std::string_view name) {
    WalInterval interval;
    const bool good = name.size() == 42 && name[8] == '-' && name[25] == '-' && parse_hexadecimal(name.substr(0, 8), interval.timeline) &&
                      parse_hexadecimal(name.substr(9, 16), interval.begin.value) && parse_hexadecimal(name.substr(26), interval.end.value);
    return good ? std::optional(interval) : std::nullopt;
}

}  // namespace

std::vector<WalInterval> find_wal_holes(std::span<const WalRange> ranges, std::span<const WalInterval> accounted, Lsn needed_from,
                                        uint32_t segment_size) {
    std::vector<WalInterval> holes;
    for (size_t i = 1; i < ranges.size(); ++i) {
        if (ranges[i - 1].timeline != ranges[i].timeline) continue;
        const auto before = parse_wal_segment_name(ranges[i - 1].last, segment_size), after = parse_wal_segment_name(ranges[i].first, segment_size);
        if (!before.ok() || !after.ok()) continue;
        const Lsn begin = std::max(start_lsn(before->segment_number + 1, segment_size), start_lsn(segment_of(needed_from, segment_size), segment_size));
        const Lsn end = start_lsn(after->segment_number, segment_size);
        if (begin < end) holes.push_back({ranges[i].timeline, begin, end});
    }
    for (const WalInterval& interval : accounted) take_out(interval, holes);
    return holes;
}

Result<std::optional<WalInterval>> load_accounted_gap(const Repository& repository, const std::string& key) {
    TRY_ASSIGN(const Bytes content, repository.load(key, ObjectKind::kGap));
    const auto json = nlohmann::json::parse(as_text(content), nullptr, false);
    const std::optional<WalInterval> interval = interval_of_name(std::string_view(key).substr(key.rfind('/') + 1));
    if (!interval || !json.is_object() || !json.contains("reason") || !json["reason"].is_string())
        return Error(ErrorCode::corrupt_object, formatted("object \"{}\" does not describe a gap", key)).object(key);
    const std::string& reason = json["reason"].get_ref<const std::string&>();
    return reason == "dropped" || reason == "pruned" ? interval : std::nullopt;
}

}  // namespace steward
