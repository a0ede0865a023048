// The job "keep": pins backups and releases them.

#include "core/base/format.h"
#include "core/expiry/keep.h"
#include "program/upkeep/upkeep.h"

namespace steward {

Result<UpkeepResult> run_keep_job(const UpkeepContext& context, const Json& options) {
    if (!options.contains("label") || !options["label"].is_string())
        return Error(ErrorCode::invalid_argument, "the backup to keep is not named").hint("Give the label of a backup, as the view steward.backups shows it.");
    const auto label = options["label"].get<std::string>();
    const bool keep = options.value("keep", true);
    const std::string note = options.contains("note") && options["note"].is_string() ? options["note"].get<std::string>() : std::string();
    context.progress.enter(keep ? "keeping" : "releasing");
    TRY_ASSIGN(const std::vector<std::string> urls, keep_backup(context.repositories, keep ? KeepAction::kKeep : KeepAction::kRelease, label, note,
                                                                {.clock = context.clock, .timer = context.timer, .cancel = context.cancel}));
    Json rows = Json::array();
    for (const std::string& url : urls) rows.push_back({{"repository", url}, {"label", label}, {"kept", keep}});
    return UpkeepResult{{{"rows", std::move(rows)}}, formatted("backup \"{}\" {}", label, keep ? "is kept" : "is released"), 0};
}

}  // namespace steward
