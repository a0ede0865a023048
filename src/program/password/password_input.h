// Where a new password comes from. Never from the command line or the environment, which others can see.
#pragma once

#include <filesystem>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/crypto/secret.h"

namespace steward {

/// Read all that an open file has, minus one final newline; `file` is for the message. Errors: by errno; invalid_argument when it is empty,
/// longer than 64 kB or holds a zero byte; cancelled.
Result<Secret> read_password_file(int fd, const std::filesystem::path& file, const CancelToken& cancel);

/// Ask for the password twice when standard input is a terminal, which does not show it; else read all of standard input as
/// read_password_file. Errors: as there; usage when the two differ.
Result<Secret> read_password_input(const CancelToken& cancel);

/// Make a password from the system's random numbers. Errors: internal when there are none.
Result<Secret> generate_password();

}  // namespace steward
