#include "program/upgrade/leftover_processes.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <system_error>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/restore/target_directory.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 50ms;
/// What a fast shutdown of the old server may take: its checkpoint.
constexpr auto kMostShutdown = 600s;
/// What a server takes to end that has lost its postmaster, or whose postmaster is gone but for the process.
constexpr auto kMostLastMoments = 30s;
constexpr uint64_t kMostProcessFile = 1 << 20;

constexpr std::array<std::string_view, 13> kPrograms = {"postgres", "pg_upgrade", "pg_dump",  "pg_dumpall",     "pg_restore", "psql",        "vacuumdb",
                                                        "initdb",   "pg_ctl",     "pg_resetwal", "pg_controldata", "reindexdb",  "pg_checksums"};

std::optional<pid_t> parse_process(std::string_view name) {
    pid_t pid = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
    return problem == std::errc() && end == name.data() + name.size() ? std::optional(pid) : std::nullopt;
}

/// A program of PostgreSQL, and not what an operator reads the logs with.
bool is_of_postgres(const fs::path& process) {
    std::error_code problem;
    std::string name = fs::read_symlink(process / "exe", problem).filename();
    if (const size_t deleted = name.find(" (deleted)"); deleted != name.npos) name.resize(deleted);
    return !problem && std::ranges::find(kPrograms, name) != kPrograms.end();
}

/// Kill what works in the work directory or below it. Returns whether there was anything.
bool kill_workers(const fs::path& root) {
    bool found = false;
    std::error_code problem;
    for (fs::directory_iterator process("/proc", problem), end; !problem && process != end; process.increment(problem)) {
        const std::optional<pid_t> pid = parse_process(process->path().filename().native());
        if (!pid || *pid == ::getpid()) continue;
        std::error_code unreadable;
        const fs::path directory = fs::read_symlink(process->path() / "cwd", unreadable);
        const bool is_below = !unreadable && (directory == root || directory.native().starts_with(root.native() + "/"));
        if (!is_below || !is_of_postgres(process->path())) continue;
        found = true;
        ::kill(*pid, SIGKILL);
    }
    return found;
}

struct Postmaster {
    pid_t pid;
    bool is_of_upgrade;  ///< started by pg_upgrade or a run
};

/// The postmaster that has locked the data directory and works there. One that ends has taken its lock away before, and has no words any more when
/// it is gone but for the process.
std::optional<Postmaster> find_postmaster(const fs::path& data_directory) {
    const Result<Bytes> lock = read_file(data_directory / "postmaster.pid", kMostProcessFile);
    if (!lock.ok()) return std::nullopt;
    const std::string_view text = as_text(*lock);
    const std::optional<pid_t> pid = parse_process(text.substr(0, text.find('\n')));
    if (!pid) return std::nullopt;
    const fs::path process = fs::path("/proc") / std::to_string(*pid);
    std::error_code problem;
    if (fs::read_symlink(process / "cwd", problem) != data_directory || problem || !is_of_postgres(process)) return std::nullopt;
    const Result<Bytes> words = read_file(process / "cmdline", kMostProcessFile);
    if (!words.ok() || words->empty()) return std::nullopt;
    const std::string_view arguments = as_text(*words);
    using namespace std::string_view_literals;
    return Postmaster{*pid, arguments.find("\0-b\0"sv) != arguments.npos || arguments.find(kUpgradeClusterName) != arguments.npos};
}

/// The server that an upgrade has left in the data directory, if there is one. When its starter was killed it may be about to end, and has no
/// postmaster any more that could be known: that is waited for, for a while.
Result<std::optional<pid_t>> find_server_to_end(const fs::path& data_directory, RetryTimer& timer, const CancelToken& cancel) {
    const auto deadline = timer.now() + kMostLastMoments;
    for (;;) {
        const std::optional<Postmaster> postmaster = find_postmaster(data_directory);
        const std::optional<pid_t> any = find_running_server(data_directory);
        if (!any) return std::optional<pid_t>();
        if (postmaster && postmaster->is_of_upgrade) return std::optional(postmaster->pid);
        if (postmaster || timer.now() > deadline)
            return Error(ErrorCode::busy, formatted("data directory \"{}\" is in use by a running server", data_directory.native()))
                .detail(formatted("Process {} works in it.", *any))
                .hint("Stop the server, with \"pg_ctl stop\" or as its service.")
                .object(data_directory.native());
        TRY(check_cancel(cancel));
        timer.wait(kLook, cancel);
    }
}

}  // namespace

std::optional<pid_t> find_left_server(const fs::path& data_directory) {
    const std::optional<Postmaster> postmaster = find_postmaster(data_directory);
    return postmaster && postmaster->is_of_upgrade ? std::optional(postmaster->pid) : std::nullopt;
}

Result<void> end_leftover_processes(const UpgradePlaces& places, RetryTimer& timer, const CancelToken& cancel) {
    const auto deadline = timer.now() + kMostShutdown;
    TRY_ASSIGN(const std::optional<pid_t> postmaster, find_server_to_end(places.data_directory, timer, cancel));
    if (postmaster) ::kill(*postmaster, SIGINT);
    while (kill_workers(places.root) || (postmaster && find_running_server(places.data_directory))) {
        TRY(check_cancel(cancel));
        if (timer.now() > deadline)
            return Error(ErrorCode::timed_out, "programs that an interrupted upgrade has left do not end").hint(formatted("Look for processes that work in \"{}\".", places.root.native()));
        timer.wait(kLook, cancel);
    }
    return {};
}

}  // namespace steward
