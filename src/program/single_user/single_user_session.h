// A server in single-user mode that is asked and told things over its standard input and output.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/file.h"
#include "core/base/result.h"
#include "core/postgres/single_user_output.h"
#include "core/storage/retry_storage.h"
#include "program/child_process.h"
#include "program/single_user/single_user_command.h"

namespace steward {

/// Owns the server. It is the only process on the cluster, its user is the role with OID 10 whatever that is called, and it recovers by
/// itself what was not shut down cleanly. What it is sent appears neither in its arguments nor in its log. One statement at a time.
class SingleUserSession {
public:
    /// Start the server and wait until it answers, which takes as long as recovery does. The caller has looked whether another server runs,
    /// and is the owner of the data directory. Borrows `timer`. Errors: engine_failed when the program cannot be started; configuration for
    /// what the server does not understand; busy when another one holds the directory; server_raised with its messages; cancelled.
    static Result<SingleUserSession> start(const SingleUserServer& server, RetryTimer& timer, const CancelToken& cancel);

    SingleUserSession(SingleUserSession&&) = default;
    /// Has the server shut down in order, and kills it when that takes too long.
    ~SingleUserSession();

    /// Run "SELECT columns rest". Each of `columns` is an expression that can be cast to text; `rest` is the FROM clause and what follows.
    /// Whatever bytes the values hold, they come back as they are. Errors: server_raised; cancelled.
    Result<std::vector<SingleUserRow>> select(std::span<const std::string_view> columns, std::string_view rest, const CancelToken& cancel);

    /// Run a statement that returns nothing, without a semicolon at its end. The server ends with status 0 after errors too, but each is
    /// returned here. Errors: server_raised; cancelled, and then it may have been carried out or not.
    Result<void> execute(std::string_view statement, const CancelToken& cancel);

    /// Shut down: on return what was done is on disk and the cluster is as after a clean shutdown. Errors: server_raised; cancelled.
    Result<void> finish(const CancelToken& cancel);

private:
    SingleUserSession(ChildProcess server, UniqueFd input, UniqueFd output, UniqueFd errors, RetryTimer& timer)
        : server_(std::move(server)), input_(std::move(input)), output_(std::move(output)), errors_(std::move(errors)), timer_(&timer) {}

    Result<std::string> exchange(std::string_view statement, const CancelToken& cancel);
    void send(std::string_view text);
    bool receive();
    Error ended_error() const;

    ChildProcess server_;
    UniqueFd input_, output_, errors_;
    RetryTimer* timer_;
    std::string said_;      ///< standard output that nobody has looked at yet
    std::string messages_;  ///< standard error since the last statement began
    int statements_ = 0;
};

}  // namespace steward
