#include "program/upgrade/logged_program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "program/child_process.h"
#include "program/upgrade/full_disk.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMostLog = uint64_t{1} << 28;
constexpr size_t kMostNamedLog = 64 * 1024;
constexpr size_t kNamedLogLines = 12;
constexpr size_t kServerLogLines = 4;
/// Beside the log that pg_upgrade names.
constexpr std::string_view kServerLog = "pg_upgrade_server.log";

/// Lines of a server's log that tell why it ended.
std::string reasons_in(std::string_view log) {
    std::string reasons;
    while (!log.empty()) {
        const std::string_view line = log.substr(0, log.find('\n'));
        log.remove_prefix(std::min(log.size(), line.size() + 1));
        if (line.find("PANIC:") != line.npos || line.find("FATAL:") != line.npos || names_full_disk(line)) reasons += formatted("{}\n", line);
    }
    return reasons;
}

std::string titled_end(const fs::path& file, std::string_view content, size_t lines) {
    return content.empty() ? std::string() : formatted("\nThe end of \"{}\":\n{}", file.native(), last_lines_of(content, lines));
}

/// pg_upgrade tells where the cause is to be read: "Consult the last few lines of "/.../pg_upgrade_dump_5.log" for the probable cause".
/// Where that says no more than that the server is gone, the server's own log says why.
std::string end_of_named_log(std::string_view output) {
    const size_t end = output.rfind(".log\"");
    if (end == output.npos) return {};
    const size_t begin = output.rfind('"', end);
    if (begin == output.npos) return {};
    const fs::path file(output.substr(begin + 1, end + 4 - begin - 1));
    const fs::path server_log = file.parent_path() / kServerLog;
    return titled_end(file, end_of_file(file, kMostNamedLog), kNamedLogLines) +
           titled_end(server_log, reasons_in(end_of_file(server_log, kMostNamedLog)), kServerLogLines);
}

Result<uint64_t> size_of(int fd, const fs::path& log) {
    struct stat st;
    if (::fstat(fd, &st) != 0) return Error::from_errno(errno, formatted("could not look at \"{}\"", log.native())).object(log.native());
    return static_cast<uint64_t>(st.st_size);
}

}  // namespace

std::string LoggedProgram::failure() const { return formatted("it {}:\n{}{}", describe_end(status), last_lines_of(output), end_of_named_log(output)); }

Result<LoggedProgram> run_logged(std::vector<std::string> command, const fs::path& log, RetryTimer& timer, const CancelToken& cancel) {
    TRY_ASSIGN(const UniqueFd file, open_file(log, O_RDWR | O_CREAT | O_APPEND));
    std::string line = "#";
    for (const std::string& word : command) line += " " + word;
    TRY(write_all(file.get(), as_bytes(line + "\n"), log));
    reserve_log_space(file.get());
    TRY_ASSIGN(const uint64_t before, size_of(file.get(), log));
    TRY_ASSIGN(ChildProcess child, ChildProcess::start(std::move(command), {kNoInput, file.get(), file.get()}, ChildPriority::kOwn, SIGKILL));
    LoggedProgram program;
    TRY_ASSIGN(program.status, child.wait(timer, cancel));
    TRY_ASSIGN(const uint64_t after, size_of(file.get(), log));
    program.output.resize(std::min(after - before, kMostLog));
    TRY_ASSIGN(const size_t n, read_at(file.get(), before, MutableByteView(reinterpret_cast<std::byte*>(program.output.data()), program.output.size()), log));
    program.output.resize(n);
    return program;
}

}  // namespace steward
