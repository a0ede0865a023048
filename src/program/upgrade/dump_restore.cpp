#include "program/upgrade/dump_restore.h"

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/sql_quoting.h"
#include "program/upgrade/cluster_directories.h"
#include "program/upgrade/logged_program.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMostGlobals = uint64_t{1} << 30;

class DumpRestore {
public:
    DumpRestore(const UpgradeContext& context, const UpgradeFacts& facts, int hop, PrivateServerPlan from, PrivateServerPlan to)
        : context_(context), facts_(facts), hop_(hop), from_(std::move(from)), to_(std::move(to)), dump_(context.places.root / "dump") {}

    Result<void> run() {
        TRY_ASSIGN(PrivateServer old_server, PrivateServer::start(from_, context_.timer, context_.cancel));
        TRY_ASSIGN(PrivateServer new_server, PrivateServer::start(to_, context_.timer, context_.cancel));
        TRY(restore_globals());
        for (const std::string& database : facts_.databases) TRY(move_database(database));
        TRY(old_server.stop(context_.cancel));
        TRY(new_server.stop(context_.cancel));
        // initdb was told to flush nothing.
        return run_program("initdb", {"--sync-only", "--pgdata=" + to_.data_directory.native()});
    }

private:
    static std::vector<std::string> address_of(const PrivateServerPlan& server) {
        return {"-h", server.socket_directory.native(), "-p", server.port, "-U", server.superuser, "-w"};
    }

    /// A program of the new major.
    Result<void> run_program(const std::string& program, std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), (to_.bindir / program).native());
        const fs::path log = context_.log_of(hop_, program);
        TRY_ASSIGN(const LoggedProgram done, run_logged(std::move(arguments), log, context_.timer, context_.cancel));
        if (done.succeeded()) return {};
        return Error(ErrorCode::server_raised, formatted("{} failed", program))
            .detail(formatted("This is what was said: {}", done.failure()))
            .hint(formatted("All of it is in \"{}\". When the cause is cured, run the upgrade again; \"pg_steward upgrade rollback\" takes it back.", log.native()))
            .object(log.native());
    }

    Result<void> run_on(const PrivateServerPlan& server, const std::string& program, std::vector<std::string> arguments) {
        const std::vector<std::string> address = address_of(server);
        arguments.insert(arguments.begin(), address.begin(), address.end());
        return run_program(program, std::move(arguments));
    }

    /// The superuser that initdb made is there already, and is only altered.
    std::string without_superuser(std::string_view script) const {
        const std::string needless = formatted("CREATE ROLE {};", quote_sql_identifier(facts_.traits.superuser));
        const std::string needless_unquoted = formatted("CREATE ROLE {};", facts_.traits.superuser);
        std::string text;
        while (!script.empty()) {
            const std::string_view line = script.substr(0, script.find('\n'));
            script.remove_prefix(std::min(script.size(), line.size() + 1));
            if (line != needless && line != needless_unquoted) text += formatted("{}\n", line);
        }
        return text;
    }

    Result<void> restore_globals() {
        const fs::path file = context_.places.root / "globals.sql";
        TRY(run_on(from_, "pg_dumpall", {"--globals-only", "-l", database_argument("template1"), "-f", file.native()}));
        TRY_ASSIGN(const Bytes script, read_file(file, kMostGlobals));
        TRY(write_file_durably(file, as_bytes(without_superuser(as_text(script)))));
        TRY(run_on(to_, "psql", {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "dbname=template1", "-f", file.native()}));
        return remove_tree(file);
    }

    Result<void> move_database(const std::string& database) {
        TRY(remove_tree(dump_));
        const std::string jobs = std::to_string(context_.request.jobs);
        TRY(run_on(from_, "pg_dump", {"--format=directory", "--jobs", jobs, "--file", dump_.native(), "-d", database_argument(database)}));
        std::vector<std::string> restore = {"--create", "--jobs", jobs, "--exit-on-error"};
        const bool is_there = database == "template1" || database == "postgres";
        // Those of initdb are made anew, so that they have the properties of the old ones.
        if (is_there) restore.insert(restore.end(), {"--clean", "--if-exists"});
        restore.insert(restore.end(), {"-d", database == "template1" ? "dbname=postgres" : "dbname=template1", dump_.native()});
        TRY(run_on(to_, "pg_restore", std::move(restore)));
        if (context_.grown) context_.grown();
        return remove_tree(dump_);
    }

    const UpgradeContext& context_;
    const UpgradeFacts& facts_;
    const int hop_;
    const PrivateServerPlan from_, to_;
    const fs::path dump_;
};

}  // namespace

Result<void> dump_and_restore(const UpgradeContext& context, const UpgradeFacts& facts, int hop) {
    TRY_ASSIGN(PrivateServerPlan from, context.server_plan(hop - 1, facts));
    TRY_ASSIGN(PrivateServerPlan to, context.server_plan(hop, facts));
    to.port = kSecondPrivatePort;
    from.log = context.log_of(hop, "old-server");
    return DumpRestore(context, facts, hop, std::move(from), std::move(to)).run();
}

}  // namespace steward
