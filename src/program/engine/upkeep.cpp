// The upkeep engine: runs one job on the repositories.

#include <string>
#include <string_view>
#include <vector>

#include "core/base/format.h"
#include "core/base/json.h"
#include "core/jobs/job_kind.h"
#include "core/protocol/frame.h"
#include "program/claim_repositories.h"
#include "program/engine/engines.h"
#include "program/engine/progress_reporter.h"
#include "program/upkeep/upkeep.h"

namespace steward {

namespace {

struct UpkeepJob {
    JobKind kind;
    Result<UpkeepResult> (*run)(const UpkeepContext&, const Json&);
};

constexpr UpkeepJob kJobs[] = {
    {JobKind::kDrill, run_drill_job},
    {JobKind::kExpire, run_expire_job},
    {JobKind::kKeep, run_keep_job},
    {JobKind::kRestorePoint, run_restore_point_job},
    {JobKind::kUpgradeCheck, run_upgrade_check_job},
    {JobKind::kVerify, run_verify_job},
};

Result<UpkeepJob> find_job(std::string_view name) {
    for (const UpkeepJob& job : kJobs)
        if (name_of(job.kind) == name) return job;
    return Error(ErrorCode::invalid_argument, formatted("there is no job \"{}\"", name));
}

Result<UpkeepDoneMessage> done_message(const std::string& job, const UpkeepResult& result) {
    UpkeepDoneMessage done{render_json(result.report), result.summary, result.bytes};
    if (render_message(done).size() <= kMaxFrameText) return done;
    return Error(ErrorCode::engine_failed, formatted("report of job \"{}\" is too long: {} bytes", job, done.report.size()))
        .detail(formatted("The job itself has ended: {}.", result.summary));
}

}  // namespace

Result<void> run_upkeep_engine(EngineLink& link) {
    TRY_ASSIGN(const ConfigureMessage configuration, link.expect<ConfigureMessage>());
    TRY_ASSIGN(const UpkeepStartMessage start, link.expect<UpkeepStartMessage>());
    TRY_ASSIGN(const UpkeepJob job, find_job(start.job));
    const Json options = parse_json(start.options);
    if (!options.is_object()) return Error(ErrorCode::invalid_argument, "options of a job must be one JSON object");
    TRY_ASSIGN(const Settings settings, parse_settings(configuration.settings));
    const SystemClock clock;
    SteadyRetryTimer timer;
    UpkeepProgress progress;
    const ProgressReporter reporter(link, [&progress] { return UpkeepProgressMessage{progress.phase(), progress.done, progress.total}; });
    std::vector<Repository> repositories;
    if (needs_repositories(job.kind)) {
        TRY_ASSIGN(repositories, claim_repositories_patiently(settings, configuration.facts, clock, timer, link.cancel()));
    }
    TRY_ASSIGN(const UpkeepResult result, job.run({configuration, settings, repositories, clock, timer, link, progress, link.cancel()}, options));
    TRY_ASSIGN(const UpkeepDoneMessage done, done_message(start.job, result));
    link.send(done);
    return {};
}

}  // namespace steward
