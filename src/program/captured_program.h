// Programs whose output is wanted.
#pragma once

#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/storage/retry_storage.h"

namespace steward {

struct CapturedProgram {
    int status = 0;      ///< as waitpid gives it
    std::string output;  ///< standard output
    std::string errors;  ///< standard error

    bool succeeded() const { return status == 0; }
    /// "exited with status 1", then what it said, the last lines of it.
    std::string failure() const;
};

/// Run `command` (the absolute path of a program, then its arguments) to its end, with nothing to read and a C locale. It is killed when this
/// process ends. Errors: engine_failed when it cannot be started; cancelled; by errno.
Result<CapturedProgram> run_captured(std::vector<std::string> command, RetryTimer& timer, const CancelToken& cancel);

}  // namespace steward
