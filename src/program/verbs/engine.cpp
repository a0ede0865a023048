// `pg_steward engine JOB`: started by the server's background workers, never by people.

#include <sys/stat.h>

#include <memory>
#include <string>

#include "program/commands.h"
#include "program/engine/engines.h"

namespace steward {

namespace {

Result<int> run(const std::string& job) {
    struct stat st;
    if (::fstat(kEngineSocket, &st) != 0 || !S_ISSOCK(st.st_mode))
        return Error(ErrorCode::usage, "engines are started by the PostgreSQL server, with a socket on descriptor 3")
            .hint("Load pg_steward in the server with \"shared_preload_libraries = 'pg_steward'\".");
    return run_engine(job);
}

}  // namespace

void add_engine_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("engine", "Run an engine for the server (started by it)");
    app.group("");
    const auto job = std::make_shared<std::string>();
    app.add_option("JOB", *job, "wal, backup or upkeep")->required();
    on_chosen(app, chosen, [job] { return run(*job); });
}

}  // namespace steward
