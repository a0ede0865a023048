#include "program/single_user/single_user_session.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>

#include "core/base/format.h"

namespace steward {

namespace {

using namespace std::chrono_literals;

constexpr int kLookMilliseconds = 100;
/// What a shutdown may take that nobody waits for any more. A server that is killed after it recovers at its next start.
constexpr auto kShutdown = 60s;
constexpr std::string_view kStatementEnd = ";\n\n";
/// After each statement comes a query for a text of ours: when its row is there, the statement is done. Values of other queries are
/// hexadecimal and cannot look like it.
constexpr std::string_view kMarkColumn = "statement_end";

struct Pipe {
    UniqueFd read_end, write_end;
};

Result<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return Error::from_errno(errno, "could not create a pipe");
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// A socket instead of a pipe: writing to a server that has ended is an error there, without a signal.
Result<Pipe> make_socket_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return Error::from_errno(errno, "could not create a pair of sockets");
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// Append what there is to read. Returns false at the end of the file.
bool append_available(int fd, std::string& text) {
    char buffer[16384];
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n > 0) text.append(buffer, static_cast<size_t>(n));
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/// The text after the label of the first line that begins with it: "ERROR:  ".
std::optional<std::string_view> labelled_line(std::string_view text, std::string_view label) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        if (line.starts_with(label)) {
            const size_t begin = line.find_first_not_of(' ', label.size());
            return begin == line.npos ? std::string_view() : line.substr(begin);
        }
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return std::nullopt;
}

std::optional<std::string_view> failure_in(std::string_view messages) {
    for (const std::string_view label : {"ERROR:", "FATAL:", "PANIC:"})
        if (const auto text = labelled_line(messages, label)) return text;
    return std::nullopt;
}

std::string detail_of(std::string_view messages) {
    std::string text = without_statements(messages);
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

}  // namespace

Result<SingleUserSession> SingleUserSession::start(const SingleUserServer& server, RetryTimer& timer, const CancelToken& cancel) {
    TRY_ASSIGN(Pipe input, make_socket_pair());
    TRY_ASSIGN(Pipe output, make_pipe());
    TRY_ASSIGN(Pipe errors, make_pipe());
    for (const int fd : {output.read_end.get(), errors.read_end.get()})
        if (::fcntl(fd, F_SETFL, O_NONBLOCK) != 0) return Error::from_errno(errno, "could not set up a pipe");
    // SIGTERM shuts it down in order.
    TRY_ASSIGN(ChildProcess child, ChildProcess::start(single_user_command(server), {input.read_end.get(), output.write_end.get(), errors.write_end.get()},
                                                       ChildPriority::kOwn, SIGTERM));
    SingleUserSession session(std::move(child), std::move(input.write_end), std::move(output.read_end), std::move(errors.read_end), timer);
    // Only the child's ends are to stay open, so that its end is seen.
    input.read_end.reset();
    output.write_end.reset();
    errors.write_end.reset();
    TRY(session.execute("SELECT", cancel));
    return session;
}

SingleUserSession::~SingleUserSession() {
    if (server_.pid() <= 0) return;
    input_.reset();
    const CancelSource never;
    const auto deadline = timer_->now() + kShutdown;
    // A pipe that nobody reads would stop it.
    while (!server_.ended() && timer_->now() < deadline)
        if (!receive()) timer_->wait(std::chrono::milliseconds(kLookMilliseconds), never.get_token());
}

/// Wait a little for more output. Returns false when the server has closed it, which it does at its end.
bool SingleUserSession::receive() {
    pollfd ready[] = {{output_.get(), POLLIN, 0}, {errors_.get(), POLLIN, 0}};
    if (::poll(ready, 2, kLookMilliseconds) <= 0) return true;
    // A message is written before what follows it on the other pipe: read in the other order, it is there.
    const bool open = append_available(output_.get(), said_);
    while (append_available(errors_.get(), messages_) && ::poll(&ready[1], 1, 0) > 0 && (ready[1].revents & POLLIN) != 0) {
    }
    return open;
}

/// An error is that the server has ended: what it said, which is read next, tells why.
void SingleUserSession::send(std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::send(input_.get(), text.data(), text.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return;
        text.remove_prefix(static_cast<size_t>(n));
    }
}

Error SingleUserSession::ended_error() const {
    const std::string text = detail_of(messages_);
    const std::string cause(failure_in(messages_).value_or("it ended unexpectedly"));
    const bool is_configuration = messages_.find("configuration file") != messages_.npos || messages_.find("syntax error in file") != messages_.npos ||
                                  messages_.find("unrecognized configuration parameter") != messages_.npos ||
                                  messages_.find("invalid value for parameter") != messages_.npos;
    // One that cannot be written says something else: a disk may be full.
    if (cause.starts_with("lock file \"") && cause.ends_with("already exists"))
        return Error(ErrorCode::busy, "another server uses the data directory").detail(text).hint("Stop it first.");
    if (is_configuration)
        return Error(ErrorCode::configuration, formatted("the server does not accept its configuration: {}", cause))
            .detail(text)
            .hint("Correct the file, or name another configuration file with --config-file.");
    return Error(ErrorCode::server_raised, formatted("the server could not run in single-user mode: {}", cause)).detail(text);
}

Result<std::string> SingleUserSession::exchange(std::string_view statement, const CancelToken& cancel) {
    const std::string mark = formatted("pg_steward {}", ++statements_);
    const std::string row = formatted(" = \"{}\"\t(typeid", mark), title = formatted("\t 1: {}\t(typeid", kMarkColumn), row_end = "\t----\n";
    said_.clear();
    messages_.clear();
    send(formatted("{}{}SELECT '{}'::pg_catalog.text AS {}{}", statement, kStatementEnd, mark, kMarkColumn, kStatementEnd));
    const auto is_complete = [&] {
        const size_t found = said_.find(row);
        return found != said_.npos && said_.find(row_end, found) != said_.npos;
    };
    while (!is_complete()) {
        TRY(check_cancel(cancel));
        if (!receive() && !is_complete()) return ended_error();
    }
    if (const auto failure = failure_in(messages_)) return Error(ErrorCode::server_raised, std::string(*failure)).detail(detail_of(messages_));
    return said_.substr(0, said_.rfind(title));
}

Result<std::vector<SingleUserRow>> SingleUserSession::select(std::span<const std::string_view> columns, std::string_view rest, const CancelToken& cancel) {
    std::string statement = "SELECT ";
    for (size_t i = 0; i < columns.size(); ++i)
        statement += formatted("{}pg_catalog.encode(pg_catalog.textsend(({})::pg_catalog.text), 'hex') AS c{}", i == 0 ? "" : ", ", columns[i], i + 1);
    TRY_ASSIGN(const std::string output, exchange(formatted("{} {}", statement, rest), cancel));
    return parse_single_user_rows(output, columns.size());
}

Result<void> SingleUserSession::execute(std::string_view statement, const CancelToken& cancel) {
    TRY_ASSIGN(const std::string output, exchange(statement, cancel));
    return {};
}

Result<void> SingleUserSession::finish(const CancelToken& cancel) {
    input_.reset();
    messages_.clear();
    while (receive()) TRY(check_cancel(cancel));
    TRY_ASSIGN(const int status, server_.wait(*timer_, cancel));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return Error(ErrorCode::server_raised, formatted("the server did not shut down in order: it {}", describe_end(status)))
        .detail(detail_of(messages_))
        .hint("It recovers by itself at its next start.");
}

}  // namespace steward
