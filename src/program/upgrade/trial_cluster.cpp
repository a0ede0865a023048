#include "program/upgrade/trial_cluster.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/un.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"
#include "program/captured_program.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

Result<fs::path> make_directory_in(const fs::path& parent) {
    std::string pattern = (parent / "pg_steward.XXXXXX").native();
    if (::mkdtemp(pattern.data()) != nullptr) return fs::path(pattern);
    return Error::from_errno(errno, formatted("could not make a directory in \"{}\"", parent.native())).hint("Set TMPDIR to a directory to write in.");
}

bool has_room_for_socket(const fs::path& directory) { return (directory / ".s.PGSQL.50432.lock").native().size() < sizeof(sockaddr_un::sun_path); }

}  // namespace

Result<TrialCluster> TrialCluster::make(const fs::path& bindir, int major, const ClusterTraits& traits, RetryTimer& timer, const CancelToken& cancel) {
    std::error_code problem;
    const fs::path temporary = fs::temp_directory_path(problem);
    if (problem) return Error::from_errno(problem.value(), "could not find the directory for temporary files").hint("Set TMPDIR to a directory to write in.");
    TrialCluster trial(bindir, major);
    TRY_ASSIGN(trial.scratch_, make_directory_in(temporary));
    trial.sockets_ = trial.scratch_;
    if (!has_room_for_socket(trial.sockets_)) {
        TRY_ASSIGN(trial.sockets_, make_directory_in("/tmp"));
    }
    std::vector<std::string> command = {(bindir / "initdb").native(), "--no-sync", "--no-instructions", "--auth=trust", "--pgdata=" + trial.data_directory().native()};
    for (std::string& argument : initdb_arguments(traits, major)) command.push_back(std::move(argument));
    TRY_ASSIGN(const CapturedProgram initdb, run_captured(std::move(command), timer, cancel));
    if (initdb.succeeded()) {
        // It is thrown away.
        TRY(trial.configure({"fsync = off"}));
        return trial;
    }
    return Error(ErrorCode::server_raised, formatted("could not make a cluster of PostgreSQL {} like the old one", major))
        .detail(formatted("initdb: {}", initdb.failure()))
        .hint("If a locale is missing, install it; if the disk is full, set TMPDIR to a directory elsewhere.");
}

TrialCluster::~TrialCluster() {
    std::error_code problem;
    for (const fs::path& directory : {scratch_, sockets_})
        if (!directory.empty()) fs::remove_all(directory, problem);
}

Result<void> TrialCluster::configure(const std::vector<std::string>& lines) const {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    const fs::path file = data_directory() / "postgresql.conf";
    TRY_ASSIGN(const UniqueFd fd, open_file(file, O_WRONLY | O_APPEND));
    return write_all(fd.get(), as_bytes(text), file);
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
