// The job "drill": steward.drill() and steward.drill_schedule.

#include <optional>
#include <string>
#include <utility>

#include "core/base/format.h"
#include "program/drill/drill_run.h"
#include "program/upkeep/upkeep.h"
#include "program/upkeep/upkeep_progress.h"

namespace steward {

namespace {

std::optional<std::string> backup_in(const Json& options) {
    const auto found = options.find("backup");
    return found != options.end() && found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
}

Result<DrillRecord> drill(const UpkeepContext& context, const Json& options) {
    RestoreProgress progress;
    const ProgressMirror mirror(progress, context.progress);
    return run_drill({context.settings, context.repositories, context.configuration.facts.data_directory, {}, backup_in(options), context.clock, context.timer,
                      context.log, progress, context.cancel});
}

}  // namespace

Result<UpkeepResult> run_drill_job(const UpkeepContext& context, const Json& options) {
    TRY_ASSIGN(DrillRecord record, drill(context, options));
    Result<void> recorded = record_drill(context.repositories, record);
    if (record.failure) {
        if (!recorded.ok()) context.log.warning("drill_not_recorded", recorded.error());
        return std::move(*record.failure).context(formatted("while drilling a restore of backup \"{}\", {}", record.backup, record.phase));
    }
    TRY(std::move(recorded));
    UpkeepResult result{parse_json(render_drill(record)), {}, record.data_bytes};
    result.summary = formatted("backup \"{}\" restored in {:.1f} s and recovered to {} in {:.1f} s", record.backup, record.restore.count(), *record.recovered,
                               record.recovery.count());
    return result;
}

}  // namespace steward
