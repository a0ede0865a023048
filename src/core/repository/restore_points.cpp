#include "core/repository/restore_points.h"

#include <optional>
#include <utility>

#include "core/base/json.h"

namespace steward {

namespace {

std::optional<RecordedRestorePoint> parse(const Json& record) {
    const auto name = text_member(record, "name");
    const auto timeline = timeline_member(record, "timeline");
    const auto lsn = lsn_member(record, "lsn");
    const auto time = time_member(record, "time");
    if (!name || name->empty() || !timeline || !lsn || !lsn->valid() || !time) return std::nullopt;
    return RecordedRestorePoint{*name, text_member(record, "note").value_or(""), *timeline, *lsn, *time};
}

}  // namespace

Result<StoreOutcome> record_restore_point(const Repository& repository, const RecordedRestorePoint& point) {
    const Json record = {{"name", point.name},
                         {"note", point.note},
                         {"timeline", point.timeline},
                         {"lsn", to_string(point.lsn)},
                         {"time", format_time(point.time)}};
    return store_record(repository, repository.layout().restore_point(point.timeline, point.lsn), ObjectKind::kRestorePoint, record);
}

Result<std::vector<RecordedRestorePoint>> RestorePoints::read(const Repository& repository) {
    TRY(records_.read(repository, repository.layout().restore_points_prefix()));
    damaged_ = records_.damaged();
    std::vector<RecordedRestorePoint> points;
    for (const auto& [key, record] : records_.records()) {
        std::optional<RecordedRestorePoint> point = parse(record);
        // The key sorts and the content is believed: both say the same.
        if (point && repository.layout().restore_point(point->timeline, point->lsn) == key)
            points.push_back(std::move(*point));
        else
            damaged_.push_back(malformed_record(key, "a restore point"));
    }
    return points;
}

}  // namespace steward
