// What the program says: errors and log records on standard error, as PostgreSQL's programs do, and progress.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "core/base/log.h"
#include "core/base/result.h"
#include "core/restore/restore_progress.h"

namespace steward {

/// Print "pg_steward: error: ..." with detail, hint and context on standard error. Returns the exit status for it.
int report_error(const Error& error);

/// Print "pg_steward: warning: ..." with the error's detail and hint.
void report_warning(const Error& error);

/// Print to standard output. Errors: io_error, so that a full disk behind a redirection is not a success.
Result<void> print(std::string_view text);

/// Log records as lines on standard error; what only developers want is left out.
class ConsoleLog final : public Log {
public:
    void write(const LogRecord& record) override;
};

/// Shows progress on standard error while it lives: a bar on a terminal, a line every few seconds otherwise.
class ProgressDisplay {
public:
    /// `progress` outlives this.
    explicit ProgressDisplay(const RestoreProgress& progress);
    ~ProgressDisplay();

private:
    void run(std::stop_token stop);
    void draw_bar(const ProgressSample& progress);
    void print_line(const ProgressSample& progress);
    std::chrono::milliseconds time_in_phase(const ProgressSample& progress);

    const RestoreProgress& progress_;
    const char* phase_ = nullptr;  ///< that was shown last
    std::chrono::steady_clock::time_point phase_began_;
    const bool terminal_;
    std::string last_line_;
    std::jthread thread_;
};

}  // namespace steward
