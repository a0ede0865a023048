// A server of a drill's own: started from a restored directory, asked over its private socket, gone with this object.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/proof/drill.h"
#include "core/storage/retry_storage.h"
#include "program/child_process.h"

namespace steward {

/// What a program that ran to its end has said.
struct ProgramOutput {
    int status = 0;    ///< as waitpid gives it
    std::string text;    ///< standard output, the last 64 kB of it
    std::string errors;  ///< standard error, the same
};

class ScratchServer {
public:
    /// Start the server; its log and the output of other programs go to `logs`. Borrows `timer`. Errors: as ChildProcess::start.
    static Result<ScratchServer> start(const ScratchServerFiles& files, const std::filesystem::path& logs, RetryTimer& timer);

    ScratchServer(ScratchServer&&) = default;
    /// Shuts the server down at once, and waits until none of its processes is left.
    ~ScratchServer();

    /// Wait until recovery has ended and the server accepts connections. Errors: server_raised with the end of its log when it ends
    /// instead; cancelled.
    Result<void> wait_until_recovered(const CancelToken& cancel);

    /// Find a superuser to connect as: the server's own user, or "postgres". Errors: server_raised.
    Result<void> find_superuser(const CancelToken& cancel);

    /// Run one statement in `database` and return what it prints, unaligned, without titles and without the last newline.
    /// Errors: server_raised with the server's message; cancelled.
    Result<std::string> query(const std::string& database, const std::string& statement, const CancelToken& cancel);

    /// Run pg_amcheck over all databases. Errors: corrupt_object with what it found; cancelled.
    Result<void> check_all(const CancelToken& cancel);

private:
    ScratchServer(ScratchServerFiles files, std::filesystem::path logs, RetryTimer& timer, ChildProcess postmaster)
        : files_(std::move(files)), logs_(std::move(logs)), timer_(&timer), postmaster_(std::move(postmaster)) {}

    Result<ProgramOutput> run(const std::string& program, const std::vector<std::string>& arguments, const CancelToken& cancel);
    std::string log_end() const;

    ScratchServerFiles files_;
    std::filesystem::path logs_;
    RetryTimer* timer_;
    ChildProcess postmaster_;
    std::string superuser_;
    int runs_ = 0;
};

}  // namespace steward
