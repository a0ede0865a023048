#include "program/server_programs.h"

#include <string>
#include <system_error>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/configuration.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMostOptions = 1 << 20;

Result<RunningServer> last_start(const fs::path& data_directory) {
    TRY_ASSIGN(const Bytes options, read_file(data_directory / "postmaster.opts", kMostOptions));
    return parse_postmaster_opts(as_text(options));
}

/// Whether this configuration, or its directory, is that of the data directory.
bool names_directory(const fs::path& file, const fs::path& data_directory) {
    const Result<ServerConfiguration> settings = read_configuration_file(file);
    if (!settings.ok()) return false;
    const auto named = settings->find("data_directory");
    std::error_code problem;
    return named != settings->end() && fs::equivalent(named->second, data_directory, problem) && !problem;
}

}  // namespace

Result<RunningServer> find_server_programs(const std::optional<fs::path>& bindir, const fs::path& data_directory) {
    if (bindir) return RunningServer{*bindir / "postgres", std::nullopt};
    Result<RunningServer> server = last_start(data_directory);
    if (server.ok()) return server;
    std::error_code problem;
    const fs::path program = fs::read_symlink("/proc/self/exe", problem);
    if (problem) return Error::from_errno(problem.value(), "could not find out the path of this program");
    return RunningServer{program.parent_path() / "postgres", std::nullopt};
}

Result<fs::path> find_configuration_file(const fs::path& data_directory, int major) {
    std::error_code problem;
    if (const Result<RunningServer> server = last_start(data_directory); server.ok() && server->config_file) {
        const fs::path file = data_directory / *server->config_file;
        if (fs::exists(file, problem)) return file;
    }
    if (fs::path file = data_directory / "postgresql.conf"; fs::exists(file, problem)) return file;
    const fs::path clusters = fs::path("/etc/postgresql") / std::to_string(major);
    for (fs::directory_iterator entry(clusters, problem), end; !problem && entry != end; entry.increment(problem))
        if (fs::path file = entry->path() / "postgresql.conf"; names_directory(file, data_directory)) return file;
    return Error(ErrorCode::not_found, formatted("there is no configuration file of the server of \"{}\"", data_directory.native()))
        .hint("Name its postgresql.conf with --config-file.")
        .object(data_directory.native());
}

}  // namespace steward
