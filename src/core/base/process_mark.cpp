#include "core/base/process_mark.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "core/base/file.h"
#include "core/base/format.h"

namespace steward {

namespace {

/// The beginning of a file of /proc, which is all of the ones read here; empty when it cannot be read.
std::string read_proc(const std::string& path) {
    const Result<UniqueFd> file = open_file(path, O_RDONLY);
    if (!file.ok()) return {};
    std::array<char, 4096> text;
    const ssize_t length = ::read(file->get(), text.data(), text.size());
    return length > 0 ? std::string(text.data(), static_cast<size_t>(length)) : std::string();
}

/// "BOOT-ID pid:[NAMESPACE]", or empty.
std::string this_place() {
    std::string boot = read_proc("/proc/sys/kernel/random/boot_id");
    boot.resize(std::min(boot.find('\n'), boot.size()));
    std::error_code problem;
    const std::filesystem::path name = std::filesystem::read_symlink("/proc/self/ns/pid", problem);
    if (boot.empty() || problem) return {};
    return formatted("{} {}", boot, name.string());
}

/// Field 22 of /proc/PID/stat (proc_pid_stat(5)), or 0. The second field is a name that may hold anything, also parentheses.
uint64_t start_of(int64_t pid) {
    const std::string stat = read_proc(formatted("/proc/{}/stat", pid));
    size_t at = stat.rfind(')');
    for (int field = 2; field < 22 && at != stat.npos; field++) at = stat.find(' ', at + 1);
    uint64_t ticks = 0;
    if (at != stat.npos) std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), ticks);
    return ticks;
}

std::string this_host() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

}  // namespace

ProcessMark mark_of_this_process() { return {this_host(), ::getpid(), this_place(), start_of(::getpid())}; }

bool is_provably_gone(const ProcessMark& mark) {
    if (mark.place.empty() || mark.pid <= 0 || mark.place != this_place()) return false;
    // Not by /proc alone: it may hide the processes of other users.
    if (::kill(static_cast<pid_t>(mark.pid), 0) != 0 && errno == ESRCH) return true;
    const uint64_t started = start_of(mark.pid);
    return started != 0 && mark.started != 0 && started != mark.started;
}

}  // namespace steward
