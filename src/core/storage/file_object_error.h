// What the operating system says about a file, told in terms of the object it holds.
#pragma once

#include <filesystem>
#include <string_view>

#include "core/base/error.h"

namespace steward {

/// Make the error "could not <verb> object "key" in "root"" from `errno_value`, with a hint where the operator can help.
/// ENOSPC and EDQUOT become no_space; EACCES, EPERM and EROFS permission_denied; ENOTDIR and EISDIR (a key runs through
/// another) and EXDEV wrong_state; ENAMETOOLONG invalid_argument; all else io_error, also ENOENT: only the caller knows
/// whether it proves that there is no object.
Error file_object_error(int errno_value, std::string_view verb, std::string_view key, const std::filesystem::path& root);

}  // namespace steward
