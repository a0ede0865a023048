#include "program/upgrade/trial_cluster.h"

#include <stdlib.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "core/base/format.h"
#include "program/captured_program.h"

namespace steward {

namespace fs = std::filesystem;

Result<TrialCluster> TrialCluster::make(const fs::path& bindir, int major, const ClusterTraits& traits, RetryTimer& timer, const CancelToken& cancel) {
    std::error_code problem;
    std::string pattern = (fs::temp_directory_path(problem) / "pg_steward.XXXXXX").native();
    if (problem || ::mkdtemp(pattern.data()) == nullptr)
        return Error::from_errno(problem ? problem.value() : errno, "could not make a directory for temporary files").hint("Set TMPDIR to a directory to write in.");
    TrialCluster trial(pattern, bindir, major);
    std::vector<std::string> command = {(bindir / "initdb").native(), "--no-sync", "--no-instructions", "--auth=trust", "--pgdata=" + trial.data_directory().native()};
    for (std::string& argument : initdb_arguments(traits, major)) command.push_back(std::move(argument));
    TRY_ASSIGN(const CapturedProgram initdb, run_captured(std::move(command), timer, cancel));
    if (initdb.succeeded()) return trial;
    return Error(ErrorCode::server_raised, formatted("could not make a cluster of PostgreSQL {} like the old one", major))
        .detail(formatted("initdb: {}", initdb.failure()))
        .hint("If a locale is missing, install it; if the disk is full, set TMPDIR to a directory elsewhere.");
}

TrialCluster::~TrialCluster() {
    std::error_code problem;
    if (!scratch_.empty()) fs::remove_all(scratch_, problem);
}

SingleUserServer TrialCluster::server() const {
    SingleUserServer server;
    server.program = bindir_ / "postgres";
    server.major = major_;
    server.data_directory = data_directory();
    server.config_file = data_directory() / "postgresql.conf";
    return server;
}

}  // namespace steward
