#include "server/engine_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "core/base/format.h"
#include "server/boundary.h"
#include "server/report.h"
#include "server/schedule.h"
#include "server/settings.h"

namespace steward {

namespace {

constexpr int kEngineSocket = 3;
constexpr int kSendTimeoutMs = 5000;

/// Between fork and exec: system calls only, since locks of the C library may be held by a thread that does not exist here
/// (the server has none, but libraries loaded into it may).
[[noreturn]] void become_engine(int socket, int error_pipe, pid_t parent, const char* program, char* const argv[]) {
    const auto give_up = [error_pipe] {
        const int cause = errno;
        [[maybe_unused]] const ssize_t n = ::write(error_pipe, &cause, sizeof cause);
        ::_exit(127);
    };
    ::setsid();  // a process group to be signalled, and a group for the scheduler that can be nice
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // it died before the line above took effect

    // Move both descriptors out of the way of 0..3 first.
    const int moved_pipe = ::fcntl(error_pipe, F_DUPFD_CLOEXEC, kEngineSocket + 1);
    const int moved_socket = ::fcntl(socket, F_DUPFD_CLOEXEC, kEngineSocket + 1);
    const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (moved_pipe < 0 || moved_socket < 0 || nowhere < 0) give_up();
    for (const int fd : {0, 1, 2})
        if (::dup2(nowhere, fd) < 0) give_up();
    if (::dup2(moved_socket, kEngineSocket) < 0) give_up();
    // Everything else is closed by exec; only then may the pipe go, which tells the parent that exec succeeded.
    if (::syscall(SYS_close_range, kEngineSocket + 1, ~0U, 4u /* CLOSE_RANGE_CLOEXEC, since Linux 5.11 */) != 0)
        for (int fd = kEngineSocket + 1; fd < 65536; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);

    struct sigaction plain = {};
    plain.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &plain, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execv(program, argv);
    errno = errno != 0 ? errno : ENOENT;
    const int cause = errno;
    [[maybe_unused]] const ssize_t n = ::write(moved_pipe, &cause, sizeof cause);
    ::_exit(127);
}

Error could_not_start(const std::string& program, int cause) {
    return Error(ErrorCode::engine_failed, formatted("could not start program \"{}\": {}", program, std::strerror(cause)))
        .hint("Install the pg_steward program of this release there, or set \"steward.program\" to where it is.")
        .object(program);
}

/// How a process ended, for people.
std::string describe_wait_status(int status) {
    if (WIFEXITED(status)) return formatted("It exited with status {}.", WEXITSTATUS(status));
    if (WIFSIGNALED(status)) return formatted("It was terminated by signal {}: {}.", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return "How it ended is not known.";
}

}  // namespace

Result<std::unique_ptr<EngineProcess>> EngineProcess::start(const std::string& job, const std::string& program) {
    int sockets[2];
    int error_pipe[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return Error::from_errno(errno, "could not create a socket pair for the engine");
    if (::pipe2(error_pipe, O_CLOEXEC) != 0) {
        const int cause = errno;
        ::close(sockets[0]);
        ::close(sockets[1]);
        return Error::from_errno(cause, "could not create a pipe for the engine");
    }
    std::string name = "pg_steward", verb = "engine", which = job;
    char* const argv[] = {name.data(), verb.data(), which.data(), nullptr};
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) become_engine(sockets[1], error_pipe[1], parent, program.c_str(), argv);
    const int fork_cause = errno;
    ::close(sockets[1]);
    ::close(error_pipe[1]);
    int exec_cause = 0;
    if (pid > 0) {
        // Ends at once: with the child's exec, its exit, or its report.
        ssize_t n;
        do n = ::read(error_pipe[0], &exec_cause, sizeof exec_cause);
        while (n < 0 && errno == EINTR);
        if (n != sizeof exec_cause) exec_cause = 0;
    }
    ::close(error_pipe[0]);
    if (pid < 0 || exec_cause != 0) {
        ::close(sockets[0]);
        if (pid > 0) ::waitpid(pid, nullptr, 0);
        return could_not_start(program, pid < 0 ? fork_cause : exec_cause);
    }
    return std::unique_ptr<EngineProcess>(new EngineProcess(pid, sockets[0], program));
}

EngineProcess::~EngineProcess() {
    ::close(socket_);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Result<void> EngineProcess::send_frame(const std::string& frame) {
    size_t done = 0;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kSendTimeoutMs);
    while (done < frame.size()) {
        const ssize_t n = ::send(socket_, frame.data() + done, frame.size() - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            done += static_cast<size_t>(n);
            continue;
        }
        if (errno == EPIPE || errno == ECONNRESET) return ended();
        if (errno != EAGAIN && errno != EINTR) return Error::from_errno(errno, "could not write to the engine's socket");
        if (std::chrono::steady_clock::now() > deadline)
            return Error(ErrorCode::engine_failed, formatted("engine with PID {} takes no messages", pid_));
        pollfd wait = {socket_, POLLOUT, 0};
        ::poll(&wait, 1, 100);
    }
    return {};
}

Result<std::optional<std::string>> EngineProcess::read_frame() {
    for (;;) {
        TRY_ASSIGN(std::optional<std::string> text, decoder_.next());
        if (text) return text;
        std::byte buffer[65536];
        const ssize_t n = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n > 0)
            decoder_.feed(ByteView(buffer, static_cast<size_t>(n)));
        else if (n == 0 || errno == ECONNRESET)
            return ended();
        else if (errno == EAGAIN)
            return std::optional<std::string>();
        else if (errno != EINTR)
            return Error::from_errno(errno, "could not read from the engine's socket");
    }
}

Result<std::optional<Json>> EngineProcess::receive() {
    for (;;) {
        TRY_ASSIGN(const std::optional<std::string> text, read_frame());
        if (!text) return std::optional<Json>();
        TRY_ASSIGN(Json json, parse_frame_text(*text));
        const std::string type = message_type(json);
        if (!greeted_) {
            TRY(check_greeting(json));
        } else if (type == LogMessage::kType) {
            TRY_ASSIGN(const LogMessage message, read_message<LogMessage>(json));
            TRY(report(message.record));
        } else if (type == FailedMessage::kType) {
            TRY_ASSIGN(FailedMessage message, read_message<FailedMessage>(json));
            return std::move(message.error);
        } else {
            return std::optional(std::move(json));
        }
    }
}

Result<void> EngineProcess::check_greeting(const Json& json) {
    const Result<HelloMessage> hello = read_message<HelloMessage>(json);
    if (!hello.ok() || message_type(json) != HelloMessage::kType)
        return Error(ErrorCode::engine_failed, formatted("program \"{}\" is not a pg_steward engine", program_)).object(program_);
    if (hello->version != STEWARD_VERSION || hello->protocol != kProtocolVersion)
        return Error(ErrorCode::wrong_version, formatted("program \"{}\" is of version {}, the server's module of version {}", program_, hello->version,
                                                         STEWARD_VERSION))
            .hint("Install the program and the module of one release, then restart the server.")
            .object(program_);
    greeted_ = true;
    return {};
}

Error EngineProcess::ended() {
    // The socket closes a moment before the process can be reaped; an engine that closed it and lives on is killed.
    int status = 0;
    pid_t reaped = 0;
    for (int i = 0; i < 100 && reaped == 0; ++i) {
        reaped = ::waitpid(pid_, &status, WNOHANG);
        if (reaped == 0) ::poll(nullptr, 0, 10);
    }
    Error error(ErrorCode::engine_failed, formatted("engine with PID {} ended unexpectedly", pid_));
    if (reaped == pid_) {
        error = std::move(error).detail(describe_wait_status(status));
        pid_ = 0;
    }
    return error;
}

ConfigureMessage configure_message() {
    ConfigureMessage message;
    message.facts.data_directory = DataDir;
    message.facts.system_identifier = GetSystemIdentifier();
    message.facts.major = PG_MAJORVERSION_NUM;
    message.facts.wal_segment_size = static_cast<uint32_t>(wal_segment_size);
    message.facts.server_version = PG_VERSION;
    message.settings = current_setting_texts();
    // Empty means a setting of the server's, which the engine does not see. One that cannot be found is in the scheduler's warning.
    if (const Result<TimeZone> zone = schedule_time_zone(); zone.ok()) message.settings["timezone"] = zone->name();
    return message;
}

std::string engine_program() {
    const std::string set = current_setting_texts().at("program");
    if (!set.empty()) return set;
    const std::string_view postgres = my_exec_path;
    return std::string(postgres.substr(0, postgres.rfind('/') + 1)) + "pg_steward";
}

}  // namespace steward
