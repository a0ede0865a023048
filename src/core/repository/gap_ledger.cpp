#include "core/repository/gap_ledger.h"

#include <utility>

#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

static constexpr std::string_view kWhat = "a gap in the WAL";

std::string_view name_of(GapReason reason) {
    switch (reason) {
        case GapReason::kMissing: return "missing";
        case GapReason::kDropped: return "dropped";
        case GapReason::kPruned: return "pruned";
    }
    return "";
}

std::optional<GapReason> gap_reason_named(std::string_view name) {
    for (const GapReason reason : {GapReason::kMissing, GapReason::kDropped, GapReason::kPruned})
        if (name_of(reason) == name) return reason;
    return std::nullopt;
}

Json render_gap(const RecordedGap& gap) {
    return {{"timeline", gap.timeline},           {"begin", to_string(gap.begin)},    {"end", to_string(gap.end)},
            {"reason", name_of(gap.reason)},      {"time", format_time(gap.time)},    {"note", gap.note}};
}

std::optional<RecordedGap> parse_gap(const Json& record) {
    const auto timeline = timeline_member(record, "timeline");
    const auto begin = lsn_member(record, "begin");
    const auto end = lsn_member(record, "end");
    const auto reason = gap_reason_named(text_member(record, "reason").value_or(""));
    const auto time = time_member(record, "time");
    if (!timeline || !begin || !end || *begin >= *end || !reason || !time) return std::nullopt;
    return RecordedGap{*timeline, *begin, *end, *reason, *time, text_member(record, "note").value_or("")};
}

Result<StoreOutcome> record_gap(const Repository& repository, const RecordedGap& gap) {
    const uint32_t size = repository.identity().wal_segment_size;
    if (gap.timeline == 0 || gap.begin >= gap.end || gap.begin.value % size != 0 || gap.end.value % size != 0)
        return Error(ErrorCode::invalid_argument, formatted("WAL from {} to {} of timeline {} is no range of segments", gap.begin, gap.end, gap.timeline));
    return store_record(repository, repository.layout().gap(gap.timeline, gap.begin, gap.end), ObjectKind::kGap, render_gap(gap));
}

namespace {

/// The gap that the record under `key` tells of.
std::optional<RecordedGap> gap_under(const Repository& repository, const std::string& key, const Json& record) {
    std::optional<RecordedGap> gap = parse_gap(record);
    if (gap && repository.layout().gap(gap->timeline, gap->begin, gap->end) != key) return std::nullopt;
    return gap;
}

}  // namespace

Result<RecordedGap> load_gap(const Repository& repository, const std::string& key) {
    TRY_ASSIGN(const Bytes content, repository.load(key, ObjectKind::kGap));
    std::optional<RecordedGap> gap = gap_under(repository, key, parse_json(as_text(content)));
    if (!gap) return malformed_record(key, kWhat);
    return std::move(*gap);
}

Result<std::vector<RecordedGap>> GapLedger::read(const Repository& repository) {
    TRY(records_.read(repository, repository.layout().gaps_prefix()));
    damaged_ = records_.damaged();
    std::vector<RecordedGap> gaps;
    for (const auto& [key, record] : records_.records()) {
        if (std::optional<RecordedGap> gap = gap_under(repository, key, record))
            gaps.push_back(std::move(*gap));
        else
            damaged_.push_back(malformed_record(key, kWhat));
    }
    return gaps;
}

}  // namespace steward
