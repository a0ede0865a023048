// Programs run as children: never longer than this process, and known by their process ids.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/storage/retry_storage.h"

namespace steward {

struct ChildPlan {
    std::vector<std::string> command;  ///< absolute path of the program, then its arguments
    std::filesystem::path output;      ///< file that standard output is appended to
    std::filesystem::path errors;      ///< file that standard error is appended to; may be the same
    int death_signal;                  ///< sent to the child when the thread that started it ends, however that happens
};

/// Descriptors that become the child's standard ones; borrowed.
struct ChildStreams {
    int input;  ///< or kNoInput
    int output;
    int errors;
};
inline constexpr int kNoInput = -1;  ///< the child reads /dev/null

enum class ChildPriority {
    kYielding,  ///< be_nice
    kOwn,       ///< that of this process
};

/// Owns a child, in a process group of its own. It has no descriptor but the standard ones, and no variable of the environment that
/// begins with "PG".
class ChildProcess {
public:
    /// Start the program, which yields to others. Call from a thread that outlives the child. Errors: engine_failed when it cannot be
    /// started; by errno.
    static Result<ChildProcess> start(const ChildPlan& plan);
    /// The same on descriptors of the caller's. `command` and `death_signal` are as in ChildPlan.
    static Result<ChildProcess> start(std::vector<std::string> command, const ChildStreams& streams, ChildPriority priority, int death_signal);

    ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, 0)), status_(other.status_) {}
    /// Kills the group of a child that still runs, and waits for it.
    ~ChildProcess();

    pid_t pid() const { return pid_; }
    /// The wait status once it has ended, nothing while it runs.
    std::optional<int> ended();
    /// Signal the child alone, if it runs.
    void signal(int number);
    /// Wait for its end. Errors: cancelled; the child runs on then.
    Result<int> wait(RetryTimer& timer, const CancelToken& cancel);

private:
    explicit ChildProcess(pid_t pid) : pid_(pid) {}

    pid_t pid_ = 0;              ///< 0 when it was moved from or waited for
    std::optional<int> status_;
};

/// "exited with status 1", "was terminated by signal 9: Killed".
std::string describe_end(int wait_status);

/// What a child has said, for an error's detail: the last lines of a text, and the last `most` bytes of a file, empty when it cannot be read.
std::string last_lines_of(std::string_view text, size_t lines = 20);
std::string end_of_file(const std::filesystem::path& file, size_t most);

}  // namespace steward
