#include "core/base/error.h"

#include <cerrno>
#include <cstring>

namespace steward {

const std::vector<ErrorCodeInfo>& all_error_codes() {
    static const std::vector<ErrorCodeInfo> rows = {
#define STEWARD_ERROR(name, sqlstate, exit_status, retryable, description) \
    {ErrorCode::name, #name, sqlstate, exit_status, retryable, description},
#include "core/base/error_codes.def"
#undef STEWARD_ERROR
    };
    return rows;
}

const ErrorCodeInfo& info(ErrorCode code) { return all_error_codes()[static_cast<size_t>(code)]; }

ErrorCode error_code_named(std::string_view name) {
    for (const ErrorCodeInfo& row : all_error_codes())
        if (row.name == name) return row.code;
    return ErrorCode::internal;
}

static ErrorCode code_of_errno(int errno_value) {
    switch (errno_value) {
        case ENOSPC:
        case EDQUOT: return ErrorCode::no_space;
        case EACCES:
        case EPERM:
        case EROFS: return ErrorCode::permission_denied;
        case ENOENT: return ErrorCode::not_found;
        case EEXIST: return ErrorCode::already_exists;
        default: return ErrorCode::io_error;
    }
}

Error Error::from_errno(int errno_value, std::string message) {
    return Error(code_of_errno(errno_value), std::move(message) + ": " + std::strerror(errno_value));
}

std::string Error::to_string() const {
    std::string text = message_;
    if (!detail_.empty()) text += "\nDETAIL:  " + detail_;
    if (!hint_.empty()) text += "\nHINT:  " + hint_;
    for (const std::string& line : context_) text += "\nCONTEXT:  " + line;
    return text;
}

}  // namespace steward
