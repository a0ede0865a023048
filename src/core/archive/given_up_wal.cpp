#include "core/archive/given_up_wal.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/json.h"
#include "core/postgres/wal_name.h"

namespace steward {

namespace {

constexpr uint64_t kLargestFile = 16 << 20;

std::filesystem::path file_in(const std::filesystem::path& data_directory) { return data_directory / "pg_steward" / "given_up_wal.json"; }

/// Give `file` another name. Errors: by errno.
Result<void> put_aside(const std::filesystem::path& file, Log& log) {
    const std::filesystem::path aside = file.native() + ".damaged";
    if (::rename(file.c_str(), aside.c_str()) != 0)
        return Error::from_errno(errno, formatted("could not rename file \"{}\"", file.native())).object(file.native());
    TRY(sync_directory(file.parent_path()));
    log.warning("given_up_wal_damaged", Error(ErrorCode::corrupt_object, formatted("file \"{}\" was damaged and is put aside", file.native()))
                                            .detail("It named WAL that was given up and was not in the gap ledger yet.")
                                            .hint("What is missing from the repository will be found and entered as missing. Take a new backup."));
    return {};
}

}  // namespace

Result<std::unique_ptr<GivenUpWal>> GivenUpWal::open(const std::filesystem::path& data_directory, uint32_t wal_segment_size, Log& log) {
    std::filesystem::path file = file_in(data_directory);
    std::optional<Content> content = Content{};
    const Result<Bytes> text = read_file(file, kLargestFile);
    if (text.ok())
        content = parse(as_text(*text));
    else if (text.error().code() != ErrorCode::not_found)
        return text.error();
    if (!content) {
        TRY(put_aside(file, log));
        content.emplace();
    }
    return std::unique_ptr<GivenUpWal>(new GivenUpWal(std::move(file), wal_segment_size, std::move(*content)));
}

Result<std::vector<RecordedGap>> GivenUpWal::peek(const std::filesystem::path& data_directory) {
    const std::filesystem::path file = file_in(data_directory);
    const Result<Bytes> text = read_file(file, kLargestFile);
    if (!text.ok() && text.error().code() == ErrorCode::not_found) return std::vector<RecordedGap>();
    if (!text.ok()) return text.error();
    std::optional<Content> content = parse(as_text(*text));
    if (!content) return Error(ErrorCode::corrupt_object, formatted("file \"{}\" is damaged", file.native())).object(file.native());
    return std::move(content->gaps);
}

std::optional<GivenUpWal::Content> GivenUpWal::parse(std::string_view text) {
    const Json json = parse_json(text);
    const auto has_list = [&](const char* name) { return json.contains(name) && json[name].is_array(); };
    if (!json.is_object() || !has_list("gaps") || !has_list("histories")) return std::nullopt;
    Content content;
    for (const Json& each : json["gaps"]) {
        std::optional<RecordedGap> gap = parse_gap(each);
        if (!gap) return std::nullopt;
        content.gaps.push_back(std::move(*gap));
    }
    for (const Json& each : json["histories"]) {
        if (!each.is_string() || classify_wal_file(each.get<std::string>()) != WalFileKind::kTimelineHistory) return std::nullopt;
        content.histories.insert(each.get<std::string>());
    }
    return content;
}

Result<void> GivenUpWal::add(std::span<const RecordedGap> gaps, std::span<const std::string> histories) {
    const std::lock_guard lock(mutex_);
    Content content = content_;
    for (const RecordedGap& gap : gaps) {
        if (!content.gaps.empty() && content.gaps.back().timeline == gap.timeline && content.gaps.back().end == gap.begin)
            content.gaps.back().end = gap.end;
        else
            content.gaps.push_back(gap);
    }
    content.histories.insert(histories.begin(), histories.end());
    return replace(std::move(content));
}

std::vector<RecordedGap> GivenUpWal::gaps() const {
    const std::lock_guard lock(mutex_);
    return content_.gaps;
}

std::set<std::string> GivenUpWal::owed_histories() const {
    const std::lock_guard lock(mutex_);
    return content_.histories;
}

bool GivenUpWal::covers(std::string_view name) const {
    if (classify_wal_file(name) != WalFileKind::kSegment) return false;
    const Result<WalSegmentName> segment = parse_wal_segment_name(name, wal_segment_size_);
    if (!segment.ok()) return false;
    const Lsn begin = start_lsn(segment->segment_number, wal_segment_size_);
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(content_.gaps, [&](const RecordedGap& gap) {
        return gap.timeline == segment->timeline && gap.begin <= begin && begin < gap.end;
    });
}

Result<void> GivenUpWal::settle(std::span<const RecordedGap> gaps) {
    const std::lock_guard lock(mutex_);
    Content content = content_;
    std::erase_if(content.gaps, [&](const RecordedGap& gap) { return std::ranges::find(gaps, gap) != gaps.end(); });
    if (content.gaps.size() == content_.gaps.size()) return {};
    return replace(std::move(content));
}

Result<void> GivenUpWal::settle_history(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (!content_.histories.contains(name)) return {};
    Content content = content_;
    content.histories.erase(name);
    return replace(std::move(content));
}

Result<void> GivenUpWal::replace(Content content) {
    Json json = {{"gaps", Json::array()}, {"histories", content.histories}};
    for (const RecordedGap& gap : content.gaps) json["gaps"].push_back(render_gap(gap));
    TRY(create_directories_durably(file_.parent_path()));
    TRY(write_file_durably(file_, as_bytes(render_json(json, JsonStyle::kIndented) + "\n")));
    content_ = std::move(content);
    return {};
}

std::vector<RecordedGap> dropped_ranges(std::span<const std::string> segments, uint32_t wal_segment_size, TimePoint now, const std::string& note) {
    std::vector<RecordedGap> ranges;
    for (const std::string& name : segments) {
        const Result<WalSegmentName> segment = parse_wal_segment_name(name, wal_segment_size);
        if (!segment.ok()) continue;
        const Lsn begin = start_lsn(segment->segment_number, wal_segment_size);
        const Lsn end = start_lsn(segment->segment_number + 1, wal_segment_size);
        if (!ranges.empty() && ranges.back().timeline == segment->timeline && ranges.back().end == begin)
            ranges.back().end = end;
        else
            ranges.push_back({segment->timeline, begin, end, GapReason::kDropped, now, note});
    }
    return ranges;
}

}  // namespace steward
