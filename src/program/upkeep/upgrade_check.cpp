// The upkeep job "upgrade_check": steward.upgrade_check().

#include <string>
#include <utility>

#include "core/base/format.h"
#include "program/upgrade/upgrade_check.h"
#include "program/upkeep/upkeep.h"

namespace steward {

namespace {

std::string text_in(const Json& options, const char* name) {
    const auto found = options.find(name);
    return found != options.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<UpgradeCheckInputs> parse_options(const Json& options) {
    const auto target = options.find("target");
    if (target == options.end() || !target->is_number_integer())
        return Error(ErrorCode::invalid_argument, "job \"upgrade_check\" needs a major of PostgreSQL as option \"target\"");
    UpgradeCheckInputs inputs;
    inputs.to = target->get<int>();
    inputs.new_bindir = text_in(options, "new_bindir");
    if (inputs.new_bindir.is_relative() && !inputs.new_bindir.empty())
        return Error(ErrorCode::invalid_argument, formatted("directory \"{}\" is not an absolute path", inputs.new_bindir.native()));
    inputs.username = text_in(options, "username");
    return inputs;
}

}  // namespace

Result<UpkeepResult> run_upgrade_check_job(const UpkeepContext& context, const Json& options) {
    TRY_ASSIGN(UpgradeCheckInputs inputs, parse_options(options));
    inputs.data_directory = context.configuration.facts.data_directory;
    context.progress.enter("checking");
    TRY_ASSIGN(const UpgradeCheckReport report, check_upgrade(inputs, context.timer, context.cancel));
    UpkeepResult result{parse_json(render_upgrade_check_json(report)), {}, 0};
    Json findings = std::move(result.report["findings"]);
    result.report.erase("findings");
    result.report["rows"] = std::move(findings);
    result.summary = formatted("PostgreSQL {} to {}: {} {} in the way", report.hop.from, report.hop.to, report.count_of(FindingWeight::kObstacle),
                               report.count_of(FindingWeight::kObstacle) == 1 ? "obstacle" : "obstacles");
    return result;
}

}  // namespace steward
