#include "program/drill/drill_run.h"

#include <chrono>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/proof/scratch_directory.h"
#include "core/restore/restore.h"
#include "program/child_process.h"
#include "program/drill/scratch_server.h"
#include "program/niceness.h"
#include "program/own_wal_get.h"
#include "program/random_number.h"
#include "program/server_programs.h"
#include "program/server_version.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

/// What a killed drill has left running ends within this.
constexpr auto kLeftovers = 60s;
constexpr std::chrono::milliseconds kClaimLook{500};
/// As psql prints it.
constexpr std::string_view kTrue = "t";

class Drill {
public:
    explicit Drill(const DrillInputs& inputs) : in_(inputs) {}

    Result<DrillRecord> run() {
        be_nice();
        // The server's own programs prove more than others of the same major.
        TRY_ASSIGN(running_, find_server_programs(in_.bindir, in_.data_directory));
        TRY_ASSIGN(ScratchDirectory scratch, claim());
        TRY_ASSIGN(const RestoreOptions options, make_options(scratch));
        TRY_ASSIGN(const RestorePlan plan, plan_restore(in_.repositories, options, in_.clock, in_.progress, in_.cancel));
        TRY(check_drill_space(in_.settings.drill_directory, drill_space_needed(plan)));
        for (const DamagedBackup& damaged : plan.damaged) in_.log.warning("backup_damaged", damaged.error);

        record_.time = in_.clock.now();
        record_.backup = plan.manifest.summary.label;
        record_.data_bytes = plan.manifest.summary.data_bytes;
        record_.server_version = plan.manifest.summary.server_version;
        record_.query = in_.settings.drill_query;
        Result<void> outcome = prove(plan, scratch);
        TRY(check_cancel(in_.cancel));
        if (!outcome.ok()) {
            record_.failure = std::move(outcome).error();
            record_.phase = in_.progress.phase.load();
        }
        in_.progress.begin("cleaning up", 0, false);
        TRY(scratch.remove());
        return std::move(record_);
    }

private:
    using Seconds = std::chrono::duration<double>;

    bool is_inside_data_directory(const fs::path& directory) const {
        if (in_.data_directory.empty()) return false;
        std::error_code problem;
        const fs::path relative = fs::weakly_canonical(directory, problem).lexically_relative(fs::weakly_canonical(in_.data_directory, problem));
        return !relative.empty() && *relative.begin() != "..";
    }

    Result<ScratchDirectory> claim() const {
        const fs::path parent = in_.settings.drill_directory;
        if (parent.empty())
            return Error(ErrorCode::configuration, "no directory for restore drills is set")
                .hint("Set \"steward.drill_directory\" to a directory with room for a whole restored backup, and reload.");
        if (is_inside_data_directory(parent))
            return Error(ErrorCode::configuration, formatted("directory \"{}\" for restore drills is inside the data directory", parent.native()))
                .hint("Set \"steward.drill_directory\" to a directory elsewhere: what is in it would be part of every backup.")
                .object(parent.native());
        const auto deadline = in_.timer.now() + kLeftovers;
        for (;;) {
            Result<ScratchDirectory> scratch = ScratchDirectory::claim(parent);
            if (scratch.ok() || scratch.error().code() != ErrorCode::busy || in_.timer.now() >= deadline) return scratch;
            TRY(check_cancel(in_.cancel));
            in_.timer.wait(kClaimLook, in_.cancel);
        }
    }

    Result<RestoreOptions> make_options(const ScratchDirectory& scratch) const {
        RestoreOptions options;
        options.choice.label = in_.backup;
        options.data_directory = scratch.data_directory();
        options.tablespace_root = scratch.tablespaces();
        TRY_ASSIGN(options.server_major, server_major_of(running_.program.parent_path()));
        TRY_ASSIGN(options.wal_get, own_wal_get(in_.settings));
        options.workers = 1;
        return options;
    }

    /// Run one step, and add the time it takes to `spent`.
    template <typename Step>
    auto timed(Seconds& spent, Step step) -> decltype(step()) {
        const auto begin = in_.timer.now();
        auto result = step();
        spent += in_.timer.now() - begin;
        return result;
    }

    Result<void> prove(const RestorePlan& plan, const ScratchDirectory& scratch) {
        TRY(timed(record_.restore, [&] { return execute_restore(plan, in_.repositories, in_.log, in_.progress, in_.cancel); }));
        in_.progress.begin("recovering", 0, false);
        TRY_ASSIGN(const ScratchServerFiles files, prepare_server(scratch));
        TRY_ASSIGN(ScratchServer server, timed(record_.recovery, [&] { return recover(files, scratch); }));
        TRY(note_where_it_got(plan, files, server));
        return timed(record_.checks, [&] { return check(server); });
    }

    Result<ScratchServerFiles> prepare_server(const ScratchDirectory& scratch) const {
        ScratchServerFiles files{running_.program,          scratch.data_directory(), scratch.socket_directory(), scratch.file("pg_hba.conf"),
                                 scratch.file("pg_ident.conf"), std::nullopt};
        TRY(write_file_durably(files.hba_file, as_bytes(scratch_hba())));
        TRY(write_file_durably(files.ident_file, {}));
        std::error_code problem;
        if (!fs::exists(files.data_directory / "postgresql.conf", problem)) {
            // Kept outside the data directory, it is not part of a backup: the running server's is the one that a restore would use.
            files.config_file = running_.config_file.value_or(scratch.file("postgresql.conf"));
            if (!running_.config_file) TRY(write_file_durably(*files.config_file, {}));
        }
        return files;
    }

    Result<ScratchServer> recover(const ScratchServerFiles& files, const ScratchDirectory& scratch) {
        TRY_ASSIGN(ScratchServer server, ScratchServer::start(files, scratch.file(""), in_.timer));
        TRY(server.wait_until_recovered(in_.cancel));
        return server;
    }

    Result<void> note_where_it_got(const RestorePlan& plan, const ScratchServerFiles& files, ScratchServer& server) {
        TRY_ASSIGN(const RecoveryEnd end, find_recovery_end(files.data_directory));
        record_.timeline = plan.timeline;
        record_.recovered = end.lsn;
        TRY(server.find_superuser(in_.cancel));
        TRY_ASSIGN(record_.last_transaction,
                   server.query("template1",
                                "SELECT pg_catalog.to_char(pg_catalog.pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
                                in_.cancel));
        return {};
    }

    Result<void> check(ScratchServer& server) {
        in_.progress.begin("checking with pg_amcheck", 0, false);
        TRY(server.check_all(in_.cancel));
        if (in_.settings.drill_query.empty()) return {};
        in_.progress.begin("running the query", 0, false);
        TRY_ASSIGN(const std::string answer, server.query(in_.settings.database, in_.settings.drill_query, in_.cancel));
        if (std::string_view(answer) == kTrue) return {};
        return Error(ErrorCode::wrong_state, "the drill's query did not return true on the restored server")
            .detail(formatted("The query \"{}\" returned \"{}\".", in_.settings.drill_query, answer))
            .hint("What is restored is not what \"steward.drill_query\" expects: look at the query first, then at the data.");
    }

    const DrillInputs& in_;
    RunningServer running_;
    DrillRecord record_;
};

}  // namespace

Result<DrillRecord> run_drill(const DrillInputs& inputs) { return Drill(inputs).run(); }

Result<void> record_drill(std::span<const Repository> repositories, const DrillRecord& record) {
    Result<void> outcome;
    const uint64_t random = random_number();
    for (const Repository& repository : repositories) {
        Result<void> stored = store_drill(repository, record, random);
        if (!stored.ok() && outcome.ok())
            outcome = std::move(stored).context([&] { return formatted("while recording the drill in repository \"{}\"", repository.url()); });
    }
    return outcome;
}

}  // namespace steward
