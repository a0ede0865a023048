#include "core/postgres/wal_name.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "core/base/format.h"

namespace steward {

namespace {

constexpr size_t kSegmentNameLength = 24;
constexpr size_t kWordLength = 8;

bool is_upper_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); });
}

uint32_t hex_word(std::string_view text, size_t index) {
    uint32_t value = 0;
    std::from_chars(text.data() + index * kWordLength, text.data() + (index + 1) * kWordLength, value, 16);
    return value;
}

/// Segments in 4 GB of WAL: the last eight digits of a name count up to here.
uint64_t segments_per_word(uint32_t segment_size) { return (uint64_t{1} << 32) / segment_size; }

}  // namespace

bool is_valid_wal_segment_size(uint64_t size) {
    return std::has_single_bit(size) && size >= 1024 * 1024 && size <= 1024 * 1024 * 1024;
}

std::string to_string(WalSegmentName name, uint32_t segment_size) {
    const uint64_t per_word = segments_per_word(segment_size);
    return formatted("{:08X}{:08X}{:08X}", name.timeline, name.segment_number / per_word, name.segment_number % per_word);
}

Result<WalSegmentName> parse_wal_segment_name(std::string_view text, uint32_t segment_size) {
    if (!is_valid_wal_segment_size(segment_size))
        return Error(ErrorCode::invalid_argument, formatted("invalid WAL segment size {}", segment_size))
            .hint("The WAL segment size is a power of two from 1 MB to 1 GB.");
    if (text.size() != kSegmentNameLength || !is_upper_hex(text))
        return Error(ErrorCode::invalid_argument, formatted("invalid WAL segment name \"{}\"", text)).object(std::string(text));
    const TimelineId timeline = hex_word(text, 0);
    const uint64_t per_word = segments_per_word(segment_size);
    if (timeline == 0 || hex_word(text, 2) >= per_word)
        return Error(ErrorCode::invalid_argument,
                     formatted("WAL segment name \"{}\" does not exist with segments of {} bytes", text, segment_size))
            .object(std::string(text));
    return WalSegmentName{timeline, hex_word(text, 1) * per_word + hex_word(text, 2)};
}

std::optional<WalFileKind> classify_wal_file(std::string_view name) {
    if (name.size() < kSegmentNameLength || !is_upper_hex(name.substr(0, kSegmentNameLength))) {
        const bool history =
            name.size() > kWordLength && is_upper_hex(name.substr(0, kWordLength)) && name.substr(kWordLength) == ".history";
        return history ? std::optional(WalFileKind::kTimelineHistory) : std::nullopt;
    }
    const std::string_view rest = name.substr(kSegmentNameLength);
    if (rest.empty()) return WalFileKind::kSegment;
    if (rest == ".partial") return WalFileKind::kPartialSegment;
    if (rest.size() == 1 + kWordLength + 7 && rest[0] == '.' && is_upper_hex(rest.substr(1, kWordLength)) &&
        rest.ends_with(".backup"))
        return WalFileKind::kBackupHistory;
    return std::nullopt;
}

}  // namespace steward
