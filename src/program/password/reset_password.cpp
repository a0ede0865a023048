#include "program/password/reset_password.h"

#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <utility>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/crypto/scram_verifier.h"
#include "core/postgres/configuration.h"
#include "core/postgres/hba.h"
#include "core/postgres/sql_quoting.h"
#include "program/console.h"
#include "program/password/reset_report.h"
#include "program/password/role_session.h"
#include "program/single_user/offline_cluster.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// libpq before 14 does not prepare longer ones (src/common/saslprep.c there).
constexpr size_t kMostBytesOfOldClients = 1023;

Result<OfflineCluster> find_cluster(const PasswordReset& task) {
    Result<OfflineCluster> cluster = inspect_offline_cluster(task.data_directory);
    if (cluster.ok() || cluster.error().code() != ErrorCode::busy) return cluster;
    const std::string name = quote_sql_identifier(task.role);
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

Result<std::string> make_verifier(const Secret& password, int iterations) {
    std::array<std::byte, kScramSaltSize> salt;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size())) != 1)
        return Error(ErrorCode::internal, "could not get random numbers");
    return scram_verifier(password.view(), salt, iterations);
}

/// The work between looking at the cluster and telling what was done.
class Reset {
public:
    Reset(const PasswordReset& task, const OfflineCluster& cluster, const SingleUserServer& server) : task_(task), cluster_(cluster), server_(server) {
        report_.role = task.role;
        report_.enable_login = task.enable_login;
        report_.needs_recovery = !cluster.was_shut_down();
        report_.dry_run = task.dry_run;
        if (auto note = hba_note(server)) report_.notes.push_back(std::move(*note));
    }

    /// Find out everything without a server.
    Result<void> look() {
        if (report_.needs_recovery) return {};
        TRY_ASSIGN(const std::vector<Role> roles, read_roles(cluster_.data_directory));
        TRY(find(roles));
        report_.statement = change_statement(*report_.before, "SCRAM-SHA-256$...", cured());
        return {};
    }

    Result<void> change(const Secret& password, std::optional<SavedStatement>& old, const CancelToken& cancel) {
        if (password.view().size() > kMostBytesOfOldClients)
            report_.notes.emplace_back("Clients older than PostgreSQL 14 cannot use a password of more than 1023 bytes.");
        if (is_current_without_server(password)) return {};
        SteadyRetryTimer timer;
        TRY_ASSIGN(SingleUserSession session, SingleUserSession::start(server_, timer, cancel));
        TRY_ASSIGN(const std::vector<Role> roles, select_roles(session, cancel));
        TRY(find(roles));
        if (!is_current(password)) TRY(change_in(session, password, old, cancel));
        const CancelSource never;
        return session.finish(never.get_token());
    }

    const ResetReport& report() const { return report_; }

private:
    Result<void> find(const std::vector<Role>& roles) {
        TRY_ASSIGN(report_.before, find_role(roles, task_.role));
        report_.obstacles = login_obstacles(*report_.before, clock_.now());
        return {};
    }

    std::vector<LoginObstacle> cured() const { return task_.enable_login ? report_.obstacles : std::vector<LoginObstacle>(); }

    bool is_current(const Secret& password) {
        report_.kept = task_.keep_current && cured().empty() && is_verifier_of(report_.before->verifier, password.view());
        return report_.kept;
    }

    /// A new verifier for the same password would lock out those who keep the old one, as connection poolers do. What cannot be read is read
    /// by the server.
    bool is_current_without_server(const Secret& password) {
        if (!task_.keep_current || report_.needs_recovery) return false;
        const Result<std::vector<Role>> roles = read_roles(cluster_.data_directory);
        return roles.ok() && find(*roles).ok() && is_current(password);
    }

    Result<void> change_in(SingleUserSession& session, const Secret& password, std::optional<SavedStatement>& old, const CancelToken& cancel) {
        TRY_ASSIGN(report_.iterations, select_scram_iterations(session, cancel));
        TRY_ASSIGN(const std::string verifier, make_verifier(password, report_.iterations));
        if (old) {
            TRY(old->write(undo_statement(*report_.before, cured()) + ";\n"));
            report_.notes.push_back(formatted("\"{}\" brings the old password back: run it with psql, then remove it.", old->path().native()));
        }
        return change_role(session, change_statement(*report_.before, verifier, cured()), changed_role(*report_.before, verifier, cured()));
    }

    const PasswordReset& task_;
    const OfflineCluster& cluster_;
    const SingleUserServer& server_;
    const SystemClock clock_;
    ResetReport report_;
};

Result<std::optional<SavedStatement>> open_files(const PasswordReset& task) {
    if (!task.open_files || task.dry_run) return std::optional<SavedStatement>();
    return task.open_files();
}

/// The password that was made goes alone to standard output.
Result<void> show(const PasswordReset& task, const ResetReport& report, const Secret& password) {
    const bool generated = task.generated && !task.dry_run;
    if (task.format == OutputFormat::kJson) return print(render_reset_json(report, generated ? password.view() : ""));
    if (!generated) return print(render_reset(report));
    const std::string text = render_reset(report);
    TRY(write_all(STDERR_FILENO, as_bytes(text), "standard error"));
    TRY(print(password.view()));
    return print("\n");
}

}  // namespace

Result<void> reset_password(const PasswordReset& task, const CancelToken& cancel) {
    if (task.role.empty()) return Error(ErrorCode::usage, "the role's name is empty");
    TRY_ASSIGN(const OfflineCluster cluster, find_cluster(task));
    TRY_ASSIGN(std::optional<SavedStatement> old, open_files(task));
    TRY(become_owner(cluster));
    TRY_ASSIGN(const SingleUserServer server, find_single_user_server(cluster, task.bindir, task.config_file));
    Reset reset(task, cluster, server);
    Secret password;
    if (task.dry_run) {
        TRY(reset.look());
    } else {
        TRY_ASSIGN(password, task.obtain_password(cancel));
        TRY(reset.change(password, old, cancel));
    }
    return show(task, reset.report(), password);
}

}  // namespace steward
