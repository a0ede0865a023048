#include "core/storage/file_object_error.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "core/base/format.h"

namespace steward {

Error file_object_error(int errno_value, std::string_view verb, std::string_view key, const std::filesystem::path& root) {
    const std::string what = formatted("could not {} object \"{}\" in \"{}\"", verb, key, root.native());
    const auto error = [&](ErrorCode code) {
        return Error(code, formatted("{}: {}", what, std::strerror(errno_value))).object(std::string(key));
    };
    switch (errno_value) {
        case ENOSPC:
        case EDQUOT:
            return error(ErrorCode::no_space)
                .hint(formatted("Free space on the file system that holds \"{}\", enlarge it, or shorten the retention.",
                                root.native()));
        case EACCES:
        case EPERM:
            return error(ErrorCode::permission_denied)
                .hint(formatted("Give everything below \"{}\" to the operating system user that runs the server.",
                                root.native()));
        case EROFS:
            return error(ErrorCode::permission_denied)
                .hint(formatted("Mount the file system that holds \"{}\" for writing.", root.native()));
        case ENOTDIR:
        case EISDIR:
            return error(ErrorCode::wrong_state)
                .detail("A file stands where the key needs a directory, or a directory where it needs a file.")
                .hint("If no other program writes to the repository, check what has put it there.");
        case EXDEV:
            return error(ErrorCode::wrong_state)
                .detail(
                    "A part of the repository lies on another file system, where finished objects cannot be moved in one step.")
                .hint("Keep the whole repository on one file system.");
        case ENAMETOOLONG: return error(ErrorCode::invalid_argument).hint("Choose a shorter path for the repository.");
        default: return error(ErrorCode::io_error);
    }
}

}  // namespace steward
