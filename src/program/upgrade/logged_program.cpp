#include "program/upgrade/logged_program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "program/child_process.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMostLog = uint64_t{1} << 28;
constexpr size_t kMostNamedLog = 64 * 1024;
constexpr size_t kNamedLogLines = 12;

/// pg_upgrade tells where the cause is to be read: "Consult the last few lines of "/.../pg_upgrade_dump_5.log" for the probable cause".
std::string end_of_named_log(std::string_view output) {
    const size_t end = output.rfind(".log\"");
    if (end == output.npos) return {};
    const size_t begin = output.rfind('"', end);
    if (begin == output.npos) return {};
    const fs::path file(output.substr(begin + 1, end + 4 - begin - 1));
    const std::string content = end_of_file(file, kMostNamedLog);
    return content.empty() ? content : formatted("\nThe end of \"{}\":\n{}", file.native(), last_lines_of(content, kNamedLogLines));
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
