#include "program/server_version.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>

#include "core/base/file.h"
#include "core/base/format.h"

extern char** environ;

namespace steward {

namespace {

/// What the program prints; empty when it cannot be run.
std::string output_of(const std::filesystem::path& program, const char* argument) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return {};
    const UniqueFd read_end(ends[0]);
    UniqueFd write_end(ends[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
    std::string name = program.native(), option = argument;
    char* const argv[] = {name.data(), option.data(), nullptr};
    pid_t child = -1;
    const int problem = ::posix_spawn(&child, name.c_str(), &actions, nullptr, argv, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    write_end.reset();
    if (problem != 0) return {};

    std::string output;
    char buffer[256];
    for (ssize_t n = 0; (n = ::read(read_end.get(), buffer, sizeof buffer)) != 0;) {
        if (n > 0) output.append(buffer, static_cast<size_t>(n));
        if (n < 0 && errno != EINTR) break;
    }
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return output;
}

}  // namespace

Result<int> server_major_of(const std::filesystem::path& bindir) {
    constexpr std::string_view kBeginning = "postgres (PostgreSQL) ";
    const std::filesystem::path program = bindir / "postgres";
    const std::string output = output_of(program, "--version");
    int major = 0;
    if (output.starts_with(kBeginning)) std::from_chars(output.data() + kBeginning.size(), output.data() + output.size(), major);
    if (major >= 10) return major;
    return Error(ErrorCode::wrong_version, formatted("could not find out the version of \"{}\"", program.native()))
        .hint("Name the directory of the server's programs with --bindir.")
        .object(program.native());
}

std::string steward_version_of(const std::filesystem::path& program) {
    constexpr std::string_view kBeginning = "pg_steward ";
    const std::string output = output_of(program, "--version");
    if (!output.starts_with(kBeginning)) return {};
    return output.substr(kBeginning.size(), output.find_first_of(" \n", kBeginning.size()) - kBeginning.size());
}

}  // namespace steward
