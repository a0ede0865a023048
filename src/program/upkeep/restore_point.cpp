// The upkeep job "restore_point": a restore point that the server has made is recorded in every repository.

#include "core/base/format.h"
#include "core/repository/restore_points.h"
#include "program/upkeep/upkeep.h"

namespace steward {

namespace {

Result<RecordedRestorePoint> parse_options(const Json& options) {
    const auto malformed = [](const char* member) {
        return Error(ErrorCode::invalid_argument, formatted("job \"restore_point\" needs a valid option \"{}\"", member));
    };
    const auto name = text_member(options, "name");
    const auto timeline = timeline_member(options, "timeline");
    const auto lsn = lsn_member(options, "lsn");
    const auto time = time_member(options, "time");
    if (!name || name->empty()) return malformed("name");
    if (!timeline) return malformed("timeline");
    if (!lsn || !lsn->valid()) return malformed("lsn");
    if (!time) return malformed("time");
    return RecordedRestorePoint{*name, text_member(options, "note").value_or(""), *timeline, *lsn, *time};
}

}  // namespace

Result<UpkeepResult> run_restore_point_job(const UpkeepContext& context, const Json& options) {
    TRY_ASSIGN(const RecordedRestorePoint point, parse_options(options));
    context.progress.enter("recording");
    context.progress.total = context.repositories.size();
    std::optional<Error> failure;
    UpkeepResult result;
    result.report = {{"rows", Json::array()}};
    for (const Repository& repository : context.repositories) {
        TRY(check_cancel(context.cancel));
        Result<StoreOutcome> stored = record_restore_point(repository, point);
        // One that is down must not keep the others from knowing.
        if (!stored.ok() && !failure)
            failure = std::move(stored).error().context(formatted("while recording restore point \"{}\" in repository \"{}\"", point.name, repository.url()));
        else if (stored.ok())
            result.report["rows"].push_back({{"repository", repository.url()}, {"recorded", *stored == StoreOutcome::kStored}});
        context.progress.done++;
    }
    if (failure) return std::move(*failure);
    result.summary = formatted("restore point \"{}\" at {} of timeline {}", point.name, point.lsn, point.timeline);
    return result;
}

}  // namespace steward
