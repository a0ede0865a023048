// Job "verify": is everything in the repositories whole?

#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/proof/verify.h"
#include "program/random_number.h"
#include "program/upkeep/upkeep.h"
#include "program/upkeep/upkeep_progress.h"

namespace steward {

namespace {

constexpr int kReaders = 2;
/// A repository that is damaged through and through need not fill the server's log.
constexpr size_t kMostWarnings = 20;

bool flag(const Json& options, const char* name) {
    const auto found = options.find(name);
    return found != options.end() && found->is_boolean() && found->get<bool>();
}

/// What was found, in all repositories.
struct Findings {
    uint64_t objects = 0, bytes = 0, objects_read = 0, bytes_read = 0, backups = 0;
    Json repositories = Json::array();  ///< one row each
    Json rows = Json::array();          ///< one row a problem
    std::vector<Error> problems;
};

std::string text_of(const Error& problem) { return problem.detail().empty() ? problem.message() : formatted("{}: {}", problem.message(), problem.detail()); }

void add(Findings& findings, const Repository& repository, const VerifyReport& report) {
    findings.objects += report.objects;
    findings.bytes += report.bytes;
    findings.objects_read += report.objects_read;
    findings.bytes_read += report.bytes_read;
    findings.backups += report.backups;
    Json texts = Json::array();
    for (const Error& problem : report.problems) {
        texts.push_back(text_of(problem));
        findings.rows.push_back({{"repository", repository.url()}, {"object", problem.object()}, {"problem", problem.message()}});
        findings.problems.push_back(problem);
    }
    findings.repositories.push_back({{"repository", repository.url()},
                                     {"result", report.problems.empty() ? "good" : "damaged"},
                                     {"objects", report.objects},
                                     {"bytes", report.bytes},
                                     {"objects_read", report.objects_read},
                                     {"bytes_read", report.bytes_read},
                                     {"backups", report.backups},
                                     {"problems", std::move(texts)}});
}

std::string summary_of(const Findings& findings) {
    const std::string checked = formatted("{} objects, {} of them read, {}", findings.objects, findings.objects_read, pretty_size(findings.bytes_read));
    const size_t problems = findings.problems.size();
    return problems == 0 ? checked + ", all good" : formatted("{}, {} problem{}", checked, problems, problems == 1 ? "" : "s");
}

/// Damage is worse news than a gap.
const Error& worst_of(const std::vector<Error>& problems) {
    for (const Error& problem : problems)
        if (problem.code() != ErrorCode::missing_wal) return problem;
    return problems.front();
}

Error failure(const std::vector<Error>& problems) {
    const Error& worst = worst_of(problems);
    return Error(worst.code(), formatted("verification found {} problem{}, among them: {}", problems.size(), problems.size() == 1 ? "" : "s", worst.message()))
        .object(worst.object())
        .detail(worst.detail())
        .hint("Run \"SELECT * FROM steward.verify()\" or \"pg_steward verify\" to list them all.");
}

Result<VerifyReport> verify(const UpkeepContext& context, const Repository& repository, bool recheck) {
    RestoreProgress progress;
    const ProgressMirror mirror(progress, context.progress);
    const VerifyOptions options{.memory = recheck ? VerifyMemory::kRenew : VerifyMemory::kUse, .workers = kReaders, .random = random_number()};
    return verify_repository(repository, options, context.clock, progress, context.cancel).context([&] {
        return formatted("while verifying repository \"{}\"", repository.url());
    });
}

}  // namespace

Result<UpkeepResult> run_verify_job(const UpkeepContext& context, const Json& options) {
    Findings findings;
    for (const Repository& repository : context.repositories) {
        TRY_ASSIGN(const VerifyReport report, verify(context, repository, flag(options, "recheck")));
        if (report.not_remembered) context.log.warning("verify_not_remembered", *report.not_remembered);
        add(findings, repository, report);
    }
    for (size_t i = 0; i < findings.problems.size() && i < kMostWarnings; ++i) context.log.warning("verify_problem", findings.problems[i]);
    if (flag(options, "strict") && !findings.problems.empty()) return failure(findings.problems);
    std::string summary = summary_of(findings);
    Json report = {{"objects", findings.objects}, {"bytes", findings.bytes}, {"backups", findings.backups},
                   {"repositories", std::move(findings.repositories)}, {"rows", std::move(findings.rows)}};
    return UpkeepResult{std::move(report), std::move(summary), findings.bytes_read};
}

}  // namespace steward
