// The error value that everything fallible returns inside a Result.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace steward {

/// What went wrong, as a stable name. The values and their two maps (SQLSTATE, exit status) are in error_codes.def.
enum class ErrorCode {
#define STEWARD_ERROR(name, sqlstate, exit_status, retryable, description) name,
#include "core/base/error_codes.def"
#undef STEWARD_ERROR
};

/// One row of error_codes.def.
struct ErrorCodeInfo {
    ErrorCode code;
    std::string_view name;         ///< as in error_codes.def, used in JSON output and in the engine protocol
    std::string_view sqlstate;     ///< five characters
    int exit_status;               ///< 2..125
    bool retryable;                ///< whether the same call may succeed later without anyone's help
    std::string_view description;  ///< a full sentence, for the reference pages
};

/// Return the row of `code`. O(1).
const ErrorCodeInfo& info(ErrorCode code);

/// Return every row, in the order of error_codes.def.
const std::vector<ErrorCodeInfo>& all_error_codes();

/// Return the code called `name`, or `internal` when there is none (a peer of another version sent it).
ErrorCode error_code_named(std::string_view name);

/// An error on its way to the operator.
///
/// `message` follows PostgreSQL's style: lowercase, no full stop, names quoted with double quotes, the operating
/// system's cause after a colon. `detail` and `hint` are full sentences; the hint says what to do now. `context` lines
/// ("while ...") are added by every module an error crosses, innermost first. Secrets never get in here.
///
/// The parts are added to a temporary and it is returned by value, so that both `return Error(...).hint(...)` and
/// `error = std::move(error).hint(...)` are right.
class [[nodiscard]] Error {
public:
    Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)), retryable_(info(code).retryable) {}

    /// Make an error from `errno_value`: the code is chosen from it (ENOSPC and EDQUOT become no_space, EACCES, EPERM and
    /// EROFS permission_denied, ENOENT not_found, EEXIST already_exists, all else io_error) and its text is appended.
    static Error from_errno(int errno_value, std::string message);

    ErrorCode code() const { return code_; }
    const std::string& message() const { return message_; }
    const std::string& object() const { return object_; }
    const std::string& detail() const { return detail_; }
    const std::string& hint() const { return hint_; }
    const std::vector<std::string>& context() const { return context_; }
    bool retryable() const { return retryable_; }
    /// Five characters: the row's, unless the server raised the error and named its own.
    std::string_view sqlstate() const { return sqlstate_.empty() ? info(code_).sqlstate : std::string_view(sqlstate_); }

    /// Name the file, key or segment this is about; machine-readable companion of the message.
    Error object(std::string object) && { object_ = std::move(object); return std::move(*this); }
    Error detail(std::string detail) && { detail_ = std::move(detail); return std::move(*this); }
    Error hint(std::string hint) && { hint_ = std::move(hint); return std::move(*this); }
    Error retryable(bool retryable) && { retryable_ = retryable; return std::move(*this); }
    Error sqlstate(std::string sqlstate) && { sqlstate_ = std::move(sqlstate); return std::move(*this); }
    /// Add one line of context, beginning with "while". The cause is never rewritten.
    Error context(std::string line) && { context_.push_back(std::move(line)); return std::move(*this); }

    /// Everything on several lines, for terminals and test failures: message, DETAIL, HINT, CONTEXT.
    std::string to_string() const;

private:
    ErrorCode code_;
    std::string message_;
    std::string object_;
    std::string detail_;
    std::string hint_;
    std::string sqlstate_;
    std::vector<std::string> context_;
    bool retryable_;
};

}  // namespace steward
