#include "program/drill/scratch_server.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string_view>

#include "core/base/file.h"
#include "core/base/format.h"
#include "program/child_server.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kServerLook{100};
constexpr size_t kMostOutput = 64 * 1024;
constexpr size_t kLogLines = 6;

std::string own_user() {
    const passwd* const user = ::getpwuid(::geteuid());
    return user == nullptr ? std::string("postgres") : user->pw_name;
}

}  // namespace

Result<ScratchServer> ScratchServer::start(const ScratchServerFiles& files, const fs::path& logs, RetryTimer& timer) {
    // The postmaster ends its children in order at SIGQUIT; killed, it would leave them to find out.
    TRY_ASSIGN(ChildProcess postmaster, ChildProcess::start({scratch_server_command(files), logs / "server.log", logs / "server.log", SIGQUIT}));
    return ScratchServer(files, logs, timer, std::move(postmaster));
}

ScratchServer::~ScratchServer() {
    if (postmaster_.pid() > 0) end_at_once(postmaster_, files_.data_directory, *timer_);
}

std::string ScratchServer::log_end() const { return last_lines_of(end_of_file(logs_ / "server.log", kMostOutput), kLogLines); }

Result<void> ScratchServer::wait_until_recovered(const CancelToken& cancel) {
    while (!accepts_connections(files_.data_directory, postmaster_.pid())) {
        if (const auto status = postmaster_.ended())
            return Error(ErrorCode::server_raised, "the restored server ended instead of recovering")
                .detail(formatted("It {}. The end of its log:\n{}", describe_end(*status), log_end()));
        TRY(check_cancel(cancel));
        timer_->wait(kServerLook, cancel);
    }
    return {};
}

Result<ProgramOutput> ScratchServer::run(const std::string& program, const std::vector<std::string>& arguments, const CancelToken& cancel) {
    const fs::path output = logs_ / formatted("output.{}", ++runs_), errors = logs_ / formatted("errors.{}", runs_);
    std::vector<std::string> command = {(files_.program.parent_path() / program).native(), "-h", files_.socket_directory.native(), "-p", "5432"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    TRY_ASSIGN(ChildProcess child, ChildProcess::start({std::move(command), output, errors, SIGKILL}));
    TRY_ASSIGN(const int status, child.wait(*timer_, cancel));
    return ProgramOutput{status, end_of_file(output, kMostOutput), end_of_file(errors, kMostOutput)};
}

Result<void> ScratchServer::find_superuser(const CancelToken& cancel) {
    for (const std::string& user : {own_user(), std::string("postgres")}) {
        superuser_ = user;
        const Result<std::string> answer = query("template1", "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user", cancel);
        if (answer.ok() && *answer == "t") return {};
        TRY(check_cancel(cancel));
    }
    return Error(ErrorCode::server_raised, formatted("neither \"{}\" nor \"postgres\" is a superuser of the restored server", own_user()))
        .detail(formatted("The end of its log:\n{}", log_end()))
        .hint("A restore drill connects as the operating system's user or as \"postgres\": make such a role, with SUPERUSER.");
}

Result<std::string> ScratchServer::query(const std::string& database, const std::string& statement, const CancelToken& cancel) {
    TRY_ASSIGN(const ProgramOutput output, run("psql", {"-U", superuser_, "-w", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement}, cancel));
    std::string text = output.text;
    while (text.ends_with('\n')) text.pop_back();
    if (output.status == 0) return text;
    return Error(ErrorCode::server_raised, "a query failed on the restored server").detail(formatted("psql {}: {}", describe_end(output.status), last_lines_of(output.errors, kLogLines)));
}

Result<void> ScratchServer::check_all(const CancelToken& cancel) {
    TRY_ASSIGN(const ProgramOutput output, run("pg_amcheck", {"-U", superuser_, "-w", "--all", "--install-missing"}, cancel));
    if (output.status == 0) return {};
    return Error(ErrorCode::corrupt_object, "pg_amcheck is not content with the restored server")
        .detail(formatted("It {}. The end of what it says:\n{}", describe_end(output.status), last_lines_of(output.text + output.errors, kLogLines)))
        .hint("If the extension \"amcheck\" is not available, install PostgreSQL's contrib modules. Else take a new backup, and look whether the "
              "running server has the same damage.");
}

}  // namespace steward
