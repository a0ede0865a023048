#include "program/preseed/make_cluster.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "core/base/format.h"
#include "core/restore/target_directory.h"
#include "program/child_process.h"
#include "program/server_version.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// The first release whose initdb can keep its advice to itself: it names a directory that is renamed next.
constexpr int kFirstWithoutInstructions = 14;

bool names_directory(std::string_view option) { return option.starts_with("-D") || option == "--pgdata" || option.starts_with("--pgdata="); }

Result<void> check_initdb(const std::vector<std::string>& options) {
    if (::geteuid() == 0)
        return Error(ErrorCode::usage, "root cannot make a new cluster").detail("initdb refuses to run as root.").hint("Run this as the server's user.");
    if (std::ranges::any_of(options, names_directory))
        return Error(ErrorCode::usage, "initdb's options cannot name a data directory").hint("Name it with --data-dir.");
    return {};
}

/// Children have LC_ALL=C, so that their messages are understood. The locale of a new cluster is the operator's.
std::vector<std::string> with_own_locale(std::vector<std::string> command) {
    const char* const locale = std::getenv("LC_ALL");
    std::vector<std::string> words = {"/usr/bin/env"};
    if (locale != nullptr)
        words.push_back(formatted("LC_ALL={}", locale));
    else
        words.insert(words.end(), {"-u", "LC_ALL"});
    words.insert(words.end(), command.begin(), command.end());
    return words;
}

}  // namespace

Result<UniqueFd> lock_preseed(const fs::path& directory) {
    const fs::path file = directory.native() + ".preseed-lock";
    TRY_ASSIGN(UniqueFd fd, open_file(file, O_RDWR | O_CREAT | O_NOFOLLOW, 0644));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
    if (errno != EWOULDBLOCK) return Error::from_errno(errno, formatted("could not lock file \"{}\"", file.native())).object(file.native());
    return Error(ErrorCode::busy, formatted("another preseed of data directory \"{}\" is running", directory.native()))
        .hint("Wait for it, and run this again.")
        .object(file.native());
}

Result<void> remove_initdb_leftover(const fs::path& workplace) {
    if (const std::optional<pid_t> server = find_running_server(workplace))
        return Error(ErrorCode::busy, formatted("directory \"{}\" is in use by a running server", workplace.native()))
            .detail(formatted("Process {} works in it.", *server))
            .object(workplace.native());
    std::error_code problem;
    fs::remove_all(workplace, problem);
    if (problem)
        return Error::from_errno(problem.value(), formatted("could not remove directory \"{}\"", workplace.native())).object(workplace.native());
    return {};
}

Result<void> run_initdb(const fs::path& bindir, const fs::path& workplace, const std::vector<std::string>& options, const CancelToken& cancel) {
    TRY(check_initdb(options));
    TRY_ASSIGN(const int major, server_major_of(bindir));
    std::vector<std::string> command = {(bindir / "initdb").native(), "-D", workplace.native()};
    if (major >= kFirstWithoutInstructions) command.emplace_back("--no-instructions");
    command.insert(command.end(), options.begin(), options.end());
    TRY_ASSIGN(ChildProcess initdb,
               ChildProcess::start(with_own_locale(std::move(command)), {kNoInput, STDERR_FILENO, STDERR_FILENO}, ChildPriority::kOwn, SIGKILL));
    SteadyRetryTimer timer;
    TRY_ASSIGN(const int status, initdb.wait(timer, cancel));
    if (status == 0) return {};
    return Error(ErrorCode::engine_failed, formatted("initdb {}", describe_end(status)))
        .detail("Its messages are above.")
        .hint("No cluster was made. Check --bindir and the options after \"--\".")
        .retryable(false);
}

Result<void> put_in_place(const fs::path& workplace, const fs::path& directory) {
    // rename(2) replaces an empty directory in one step, and nothing else.
    if (::rename(workplace.c_str(), directory.c_str()) == 0) return sync_directory(directory.parent_path());
    const int cause = errno;
    const std::string message = formatted("could not rename directory \"{}\" to \"{}\"", workplace.native(), directory.native());
    if (cause != ENOTEMPTY && cause != EEXIST && cause != ENOTDIR) return Error::from_errno(cause, message).object(directory.native());
    return Error(ErrorCode::already_exists, message)
        .detail("Something appeared there meanwhile.")
        .hint("Look what it is. What was made is whole and stays where it is.")
        .object(directory.native());
}

}  // namespace steward
