// Job "verify": is everything in the repositories whole?

#include <string>

#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/proof/verify.h"
#include "program/upkeep.h"
#include "program/upkeep_progress.h"

namespace steward {

namespace {

constexpr int kReaders = 2;

Json row_of(const Repository& repository, const Error& problem) {
    return {{"repository", repository.url()}, {"object", problem.object()}, {"problem", problem.message()}};
}

std::string summary_of(uint64_t objects, uint64_t bytes, size_t problems) {
    const std::string checked = formatted("{} objects, {}", objects, pretty_size(bytes));
    return problems == 0 ? checked + ", all good" : formatted("{}, {} problem{}", checked, problems, problems == 1 ? "" : "s");
}

}  // namespace

Result<UpkeepResult> run_verify_job(const UpkeepContext& context, const Json&) {
    Json rows = Json::array();
    uint64_t objects = 0, bytes = 0, backups = 0;
    for (const Repository& repository : context.repositories) {
        RestoreProgress progress;
        const ProgressMirror mirror(progress, context.progress);
        TRY_ASSIGN(const VerifyReport report, verify_repository(repository, {.workers = kReaders}, context.clock, progress, context.cancel));
        objects += report.objects;
        bytes += report.bytes;
        backups += report.backups;
        for (const Error& problem : report.problems) {
            rows.push_back(row_of(repository, problem));
            context.log.warning("verify_problem", problem);
        }
    }
    std::string summary = summary_of(objects, bytes, rows.size());
    Json report = {{"objects", objects}, {"bytes", bytes}, {"backups", backups}, {"rows", std::move(rows)}};
    return UpkeepResult{std::move(report), std::move(summary), bytes};
}

}  // namespace steward
