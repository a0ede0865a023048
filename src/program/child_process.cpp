#include "program/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "core/base/file.h"
#include "core/base/format.h"
#include "program/niceness.h"

extern char** environ;

namespace steward {

namespace {

/// How often a child is looked at: soon at first, since many a one has little to do.
constexpr std::chrono::milliseconds kFirstLook{1}, kChildLook{50};

/// What a child is made of, prepared before the fork: other threads may hold any lock of the C library when it happens.
struct Prepared {
    std::vector<char*> arguments;
    std::vector<char*> environment;
    ChildStreams streams;
    ChildPriority priority;
    int error_pipe;
    int death_signal;
    pid_t parent;
};

/// Between fork and exec: system calls only.
[[noreturn]] void become(const Prepared& prepared) {
    constexpr int kFirstOther = 3;
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, prepared.death_signal);
    if (prepared.priority == ChildPriority::kYielding) be_nice();
    const int pipe = ::fcntl(prepared.error_pipe, F_DUPFD_CLOEXEC, kFirstOther);
    const int input = prepared.streams.input == kNoInput ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : prepared.streams.input;
    const bool ready = ::getppid() == prepared.parent && pipe >= 0 && input >= 0 && ::dup2(input, 0) >= 0 && ::dup2(prepared.streams.output, 1) >= 0 &&
                       ::dup2(prepared.streams.errors, 2) >= 0;
    if (ready) {
        ::syscall(SYS_close_range, static_cast<unsigned>(kFirstOther), ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
        struct sigaction plain = {};
        plain.sa_handler = SIG_DFL;
        for (int number = 1; number < NSIG; ++number) ::sigaction(number, &plain, nullptr);
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::execve(prepared.arguments[0], prepared.arguments.data(), prepared.environment.data());
    }
    const int cause = errno;
    [[maybe_unused]] const ssize_t n = ::write(pipe, &cause, sizeof cause);
    ::_exit(127);
}

Error could_not_start(const std::string& program, int cause) {
    return Error(ErrorCode::engine_failed, formatted("could not start program \"{}\": {}", program, std::strerror(cause)))
        .hint("Install the programs of the server's release where the server's own are.")
        .object(program);
}

/// What exec reported, 0 when it succeeded.
int read_exec_cause(int pipe) {
    int cause = 0;
    ssize_t n;
    do n = ::read(pipe, &cause, sizeof cause);
    while (n < 0 && errno == EINTR);
    return n == sizeof cause ? cause : 0;
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const ChildPlan& plan) {
    TRY_ASSIGN(const UniqueFd output, open_file(plan.output, O_WRONLY | O_CREAT | O_APPEND));
    TRY_ASSIGN(const UniqueFd errors, open_file(plan.errors, O_WRONLY | O_CREAT | O_APPEND));
    return start(plan.command, {kNoInput, output.get(), errors.get()}, ChildPriority::kYielding, plan.death_signal);
}

Result<ChildProcess> ChildProcess::start(std::vector<std::string> words, const ChildStreams& streams, ChildPriority priority, int death_signal) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return Error::from_errno(errno, "could not create a pipe");
    const UniqueFd read_end(ends[0]);
    UniqueFd write_end(ends[1]);

    std::string language = "LC_ALL=C";
    Prepared prepared{{}, {}, streams, priority, write_end.get(), death_signal, ::getpid()};
    for (std::string& word : words) prepared.arguments.push_back(word.data());
    prepared.arguments.push_back(nullptr);
    for (char** variable = environ; *variable != nullptr; ++variable)
        if (const std::string_view text = *variable; !text.starts_with("PG") && !text.starts_with("LC_ALL=")) prepared.environment.push_back(*variable);
    prepared.environment.push_back(language.data());
    prepared.environment.push_back(nullptr);

    const pid_t pid = ::fork();
    if (pid == 0) become(prepared);
    if (pid < 0) return could_not_start(words.front(), errno);
    write_end.reset();
    if (const int cause = read_exec_cause(read_end.get()); cause != 0) {
        ::waitpid(pid, nullptr, 0);
        return could_not_start(words.front(), cause);
    }
    return ChildProcess(pid);
}

ChildProcess::~ChildProcess() {
    if (pid_ <= 0 || ended()) return;
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

std::optional<int> ChildProcess::ended() {
    int status = 0;
    if (!status_ && pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
    return status_;
}

void ChildProcess::signal(int number) {
    if (pid_ > 0 && !ended()) ::kill(pid_, number);
}

Result<int> ChildProcess::wait(RetryTimer& timer, const CancelToken& cancel) {
    for (std::chrono::milliseconds look = kFirstLook;; look = std::min(2 * look, kChildLook)) {
        if (const std::optional<int> status = ended()) return *status;
        TRY(check_cancel(cancel));
        timer.wait(look, cancel);
    }
}

std::string describe_end(int wait_status) {
    if (WIFEXITED(wait_status)) return formatted("exited with status {}", WEXITSTATUS(wait_status));
    if (WIFSIGNALED(wait_status)) return formatted("was terminated by signal {}: {}", WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
    return "ended in a way that is not known";
}

std::string end_of_file(const std::filesystem::path& file, size_t most) {
    std::error_code problem;
    const uint64_t size = std::filesystem::file_size(file, problem);
    const auto fd = open_file(file, O_RDONLY);
    if (problem || !fd.ok()) return {};
    std::string text(std::min<uint64_t>(size, most), '\0');
    const auto n = read_at(fd->get(), size - text.size(), MutableByteView(reinterpret_cast<std::byte*>(text.data()), text.size()), file);
    text.resize(n.ok() ? *n : 0);
    return text;
}

std::string last_lines_of(std::string_view text, size_t lines) {
    while (text.ends_with('\n')) text.remove_suffix(1);
    size_t begin = text.size();
    for (size_t i = 0; i < lines && begin != 0 && begin != text.npos; ++i) begin = text.rfind('\n', begin - 1);
    return std::string(begin == text.npos || begin == 0 ? text : text.substr(begin + 1));
}

}  // namespace steward
