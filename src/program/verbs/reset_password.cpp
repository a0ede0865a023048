// `pg_steward reset-password`: a role's new password while the server is down.

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/crypto/scram_verifier.h"
#include "core/postgres/configuration.h"
#include "core/postgres/hba.h"
#include "core/postgres/sql_quoting.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/password/password_input.h"
#include "program/password/reset_report.h"
#include "program/password/role_session.h"
#include "program/signal_watch.h"
#include "program/single_user/offline_cluster.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// libpq before 14 does not prepare longer ones (src/common/saslprep.c there).
constexpr size_t kMostBytesOfOldClients = 1023;

struct ResetPasswordCommand {
    explicit ResetPasswordCommand(CLI::App& app);

    SettingOptions settings;
    std::string role;
    std::string password_file;
    bool generate = false;
    bool enable_login = false;
    std::string save_old;
    std::string bindir;
    std::string config_file;
    bool dry_run = false;
    OutputFormat format = OutputFormat::kText;
};

ResetPasswordCommand::ResetPasswordCommand(CLI::App& app) : settings(app, {}) {
    app.add_option("--role", role, "Role whose password is set")->type_name("ROLE")->required();
    CLI::Option* file = app.add_option("--password-file", password_file, "File that holds the password (default: standard input)")->type_name("FILE");
    app.add_flag("--generate", generate, "Make a password and print it, alone, on standard output")->excludes(file);
    app.add_flag("--enable-login", enable_login, "Change NOLOGIN, VALID UNTIL in the past and CONNECTION LIMIT 0 too");
    app.add_option("--save-old", save_old, "File for the statement that brings the old password back, for its owner's eyes")->type_name("FILE");
    app.add_option("--bindir", bindir, "Programs of the server's release (default: those the server was last started with)")->type_name("DIR");
    app.add_option("--config-file", config_file, "The server's postgresql.conf (default: the one the server was last started with)")->type_name("FILE");
    app.add_flag("-n,--dry-run", dry_run, "Show what would be done; start no server and change nothing");
    add_output_option(app, format);
}

fs::path absolute_or_empty(const std::string& path) { return path.empty() ? fs::path() : fs::absolute(path); }

/// A file that takes the way back. Opened before root becomes somebody else.
class SavedStatement {
public:
    /// Errors: by errno; already_exists when it has content.
    static Result<SavedStatement> open(const fs::path& path) {
        TRY_ASSIGN(UniqueFd fd, open_file(path, O_WRONLY | O_CREAT | O_NOFOLLOW));
        struct stat st;
        if (::fstat(fd.get(), &st) != 0) return Error::from_errno(errno, formatted("could not stat file \"{}\"", path.native())).object(path.native());
        if (!S_ISREG(st.st_mode) || st.st_size != 0)
            return Error(ErrorCode::already_exists, formatted("file \"{}\" exists", path.native())).hint("Name another file with --save-old.").object(path.native());
        if (::fchmod(fd.get(), 0600) != 0)
            return Error::from_errno(errno, formatted("could not change permissions of \"{}\"", path.native())).object(path.native());
        TRY(sync_directory(path.parent_path()));
        return SavedStatement(std::move(fd), path);
    }
    SavedStatement(SavedStatement&&) = default;
    /// An empty one is of no use. Where it cannot be removed any more, the next run takes it.
    ~SavedStatement() {
        if (fd_.valid() && !written_) ::unlink(path_.c_str());
    }

    Result<void> write(const std::string& statement) {
        TRY(write_all(fd_.get(), as_bytes(statement), path_));
        TRY(sync_file(fd_.get(), path_));
        written_ = true;
        return {};
    }

private:
    SavedStatement(UniqueFd fd, fs::path path) : fd_(std::move(fd)), path_(std::move(path)) {}

    UniqueFd fd_;
    fs::path path_;
    bool written_ = false;
};

/// Everything that is opened as the user who asks, before root becomes the cluster's owner.
struct OpenedFiles {
    std::optional<UniqueFd> password;
    std::optional<SavedStatement> old;
};

Result<OpenedFiles> open_files(const ResetPasswordCommand& command) {
    OpenedFiles files;
    if (command.dry_run) return files;
    if (!command.password_file.empty()) {
        TRY_ASSIGN(files.password, open_file(command.password_file, O_RDONLY));
    }
    if (!command.save_old.empty()) {
        TRY_ASSIGN(SavedStatement old, SavedStatement::open(fs::absolute(command.save_old)));
        files.old.emplace(std::move(old));
    }
    return files;
}

Result<OfflineCluster> find_cluster(const ResetPasswordCommand& command) {
    TRY_ASSIGN(const fs::path directory, command.settings.require_data_directory());
    Result<OfflineCluster> cluster = inspect_offline_cluster(directory);
    if (cluster.ok() || cluster.error().code() != ErrorCode::busy) return cluster;
    const std::string name = quote_sql_identifier(command.role);
    return std::move(cluster).error().hint(
        formatted("Set the password on the running server, as a superuser: with psql's \"\\password {}\", or ALTER ROLE {} PASSWORD '...'.", name, name));
}

/// Nothing where it cannot be told.
std::optional<std::string> hba_note(const SingleUserServer& server) {
    Result<ServerConfiguration> settings = read_configuration_file(server.config_file);
    const Result<ServerConfiguration> over = read_configuration_file(server.data_directory / "postgresql.auto.conf");
    fs::path file = server.config_file.parent_path() / "pg_hba.conf";
    for (const Result<ServerConfiguration>* part : {&std::as_const(settings), &over})
        if (part->ok() && (*part)->contains("hba_file")) file = server.data_directory / (*part)->at("hba_file");
    const Result<Bytes> content = read_file(file, 1 << 24);
    if (!content.ok() || may_ask_for_passwords(as_text(*content))) return std::nullopt;
    return formatted("No line of \"{}\" asks for a password: none of them has the method scram-sha-256, md5 or password.", file.native());
}

Result<Secret> obtain_password(const ResetPasswordCommand& command, const OpenedFiles& files, const CancelToken& cancel) {
    if (command.generate) return generate_password();
    if (files.password) return read_password_file(files.password->get(), command.password_file, cancel);
    return read_password_input(cancel);
}

Result<std::string> make_verifier(const Secret& password, int iterations) {
    std::array<std::byte, kScramSaltSize> salt;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size())) != 1)
        return Error(ErrorCode::internal, "could not get random numbers");
    return scram_verifier(password.view(), salt, iterations);
}

std::vector<LoginObstacle> cured_obstacles(const ResetReport& report) { return report.enable_login ? report.obstacles : std::vector<LoginObstacle>(); }

/// Find out everything without a server.
Result<void> look(ResetReport& report, const OfflineCluster& cluster, const Clock& clock) {
    if (report.needs_recovery) return {};
    TRY_ASSIGN(const std::vector<Role> roles, read_roles(cluster.data_directory));
    TRY_ASSIGN(report.before, find_role(roles, report.role));
    report.obstacles = login_obstacles(*report.before, clock.now());
    report.statement = change_statement(*report.before, "SCRAM-SHA-256$...", cured_obstacles(report));
    return {};
}

Result<void> reset(ResetReport& report, const SingleUserServer& server, const Secret& password, std::optional<SavedStatement>& old, const Clock& clock,
                   const CancelToken& cancel) {
    SteadyRetryTimer timer;
    TRY_ASSIGN(SingleUserSession session, SingleUserSession::start(server, timer, cancel));
    TRY_ASSIGN(const std::vector<Role> roles, select_roles(session, cancel));
    TRY_ASSIGN(report.before, find_role(roles, report.role));
    report.obstacles = login_obstacles(*report.before, clock.now());
    TRY_ASSIGN(report.iterations, select_scram_iterations(session, cancel));
    TRY_ASSIGN(const std::string verifier, make_verifier(password, report.iterations));
    const std::vector<LoginObstacle> cured = cured_obstacles(report);
    if (old) TRY(old->write(undo_statement(*report.before, cured) + ";\n"));
    TRY(change_role(session, change_statement(*report.before, verifier, cured), changed_role(*report.before, verifier, cured)));
    const CancelSource never;
    return session.finish(never.get_token());
}

/// The password that was made goes alone to standard output.
Result<void> show(const ResetPasswordCommand& command, const ResetReport& report, const Secret& password) {
    const bool generated = command.generate && !command.dry_run;
    if (command.format == OutputFormat::kJson) return print(render_reset_json(report, generated ? password.view() : ""));
    if (!generated) return print(render_reset(report));
    const std::string text = render_reset(report);
    TRY(write_all(STDERR_FILENO, as_bytes(text), "standard error"));
    TRY(print(password.view()));
    return print("\n");
}

Result<int> run(const ResetPasswordCommand& command) {
    if (command.role.empty()) return Error(ErrorCode::usage, "the role's name is empty");
    TRY_ASSIGN(const OfflineCluster cluster, find_cluster(command));
    TRY_ASSIGN(OpenedFiles files, open_files(command));
    const fs::path bindir = absolute_or_empty(command.bindir), config_file = absolute_or_empty(command.config_file);
    TRY(become_owner(cluster));
    TRY_ASSIGN(const SingleUserServer server, find_single_user_server(cluster, bindir, config_file));

    const SignalWatch signals;
    const SystemClock clock;
    ResetReport report;
    report.role = command.role;
    report.enable_login = command.enable_login;
    report.needs_recovery = !cluster.was_shut_down();
    report.dry_run = command.dry_run;
    if (auto note = hba_note(server)) report.notes.push_back(std::move(*note));
    Secret password;
    if (command.dry_run) {
        TRY(look(report, cluster, clock));
    } else {
        TRY_ASSIGN(password, obtain_password(command, files, signals.cancel()));
        if (password.view().size() > kMostBytesOfOldClients) report.notes.emplace_back("Clients older than PostgreSQL 14 cannot use a password of more than 1023 bytes.");
        TRY(reset(report, server, password, files.old, clock, signals.cancel()));
        if (files.old) report.notes.push_back(formatted("\"{}\" brings the old password back: run it with psql, then remove it.", command.save_old));
    }
    TRY(show(command, report, password));
    return 0;
}

}  // namespace

void add_reset_password_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("reset-password", "Set a role's password while the server is down");
    const auto command = std::make_shared<ResetPasswordCommand>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
