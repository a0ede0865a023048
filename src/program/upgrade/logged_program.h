// Programs whose output is kept.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/storage/retry_storage.h"

namespace steward {

struct LoggedProgram {
    int status = 0;      ///< as waitpid gives it
    std::string output;  ///< what it has said, of standard output and error

    bool succeeded() const { return status == 0; }
    /// "exited with status 1", then the last lines of what it said, and of the log that these name.
    std::string failure() const;
};

/// Run `command` (the absolute path of a program, then its arguments) to its end in this process's current directory, with nothing to read and a
/// C locale; what it says is appended to `log`. It is killed when this process ends. Errors: engine_failed when it cannot be started; cancelled;
/// by errno.
Result<LoggedProgram> run_logged(std::vector<std::string> command, const std::filesystem::path& log, RetryTimer& timer, const CancelToken& cancel);

}  // namespace steward
