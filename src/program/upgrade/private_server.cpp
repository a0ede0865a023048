#include "program/upgrade/private_server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/connection_string.h"
#include "program/child_server.h"
#include "program/upgrade/full_disk.h"
#include "program/upgrade/leftover_processes.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 20ms;
constexpr size_t kMostSocketPath = 107;  // sun_path, without its zero byte
constexpr size_t kMostLog = 64 * 1024;
constexpr int kFirstWithArchiveLibrary = 15;
constexpr int kFirstWithEventTriggerSetting = 17;
constexpr int kFirstWithTransactionTimeout = 17;

constexpr std::pair<std::string_view, std::string_view> kSettings[] = {
    // Nobody but us comes in.
    {"listen_addresses", ""},
    {"unix_socket_permissions", "0700"},
    {"ssl", "off"},
    {"external_pid_file", ""},
    // With no way to archive, what is ready stays ready: after a rollback the old cluster's archive has no gap.
    {"archive_command", ""},
    {"logging_collector", "off"},
    {"log_destination", "stderr"},
    {"lc_messages", "C"},
    // What we say is done at once, and nothing else is.
    {"synchronous_standby_names", ""},
    {"default_transaction_read_only", "off"},
    {"statement_timeout", "0"},
    {"lock_timeout", "0"},
    {"autovacuum", "off"},
    // Compiling a question to the catalogs takes longer than answering it, and pg_dump has many.
    {"jit", "off"},
    {"max_logical_replication_workers", "0"},
    {"session_preload_libraries", ""},
    {"local_preload_libraries", ""},
    // On a full disk a server may crash, recover and crash again for ever, and never be open nor end.
    {"restart_after_crash", "off"},
    // An extension's own; without that extension nobody looks at it.
    {"cron.launch_active_jobs", "off"},
};

}  // namespace

Result<SocketDirectory> SocketDirectory::make(const fs::path& wanted) {
    if ((wanted / formatted(".s.PGSQL.{}", kPrivatePort)).native().size() <= kMostSocketPath) return SocketDirectory(wanted, false);
    std::error_code problem;
    std::string pattern = (fs::temp_directory_path(problem) / "pg_steward.XXXXXX").native();
    if (problem || ::mkdtemp(pattern.data()) == nullptr)
        return Error::from_errno(problem ? problem.value() : errno, "could not make a directory for sockets").hint("Set TMPDIR to a directory to write in.");
    return SocketDirectory(pattern, true);
}

SocketDirectory::~SocketDirectory() {
    std::error_code problem;
    if (temporary_) fs::remove_all(path_, problem);
}

std::vector<std::string> private_settings(const PrivateServerPlan& plan) {
    std::vector<std::string> settings;
    const auto set = [&](std::string_view name, std::string_view value) { settings.push_back(formatted("{}={}", name, value)); };
    set("config_file", plan.config_file.native());
    // A configuration may name another directory.
    set("data_directory", plan.data_directory.native());
    set("hba_file", plan.hba_file.native());
    set("shared_preload_libraries", plan.preload);
    for (const auto& [name, value] : kSettings) set(name, value);
    if (plan.major >= kFirstWithArchiveLibrary) set("archive_library", "");
    if (plan.major >= kFirstWithTransactionTimeout) set("transaction_timeout", "0");
    if (plan.major >= kFirstWithEventTriggerSetting) set("event_triggers", "off");
    return settings;
}

Result<PrivateServer> PrivateServer::start(const PrivateServerPlan& plan, RetryTimer& timer, const CancelToken& cancel) {
    std::vector<std::string> command = {(plan.bindir / "postgres").native(), "-D", plan.data_directory.native()};
    const auto set = [&](std::string setting) { command.insert(command.end(), {"-c", std::move(setting)}); };
    for (std::string& setting : private_settings(plan)) set(std::move(setting));
    set(formatted("unix_socket_directories={}", plan.socket_directory.native()));
    set(formatted("port={}", plan.port));
    set(std::string(kUpgradeClusterName));
    TRY_ASSIGN(const UniqueFd log, open_file(plan.log, O_WRONLY | O_CREAT | O_APPEND));
    reserve_log_space(log.get());
    TRY_ASSIGN(ChildProcess postmaster, ChildProcess::start(std::move(command), {kNoInput, log.get(), log.get()}, ChildPriority::kOwn, SIGQUIT));
    PrivateServer server(plan, std::move(postmaster), timer);
    while (!accepts_connections(plan.data_directory, server.postmaster_.pid())) {
        if (const auto status = server.postmaster_.ended()) return server.ended_error(*status);
        TRY(check_cancel(cancel));
        timer.wait(kLook, cancel);
    }
    return server;
}

PrivateServer::~PrivateServer() {
    if (postmaster_.pid() > 0 && !postmaster_.ended()) end_at_once(postmaster_, plan_.data_directory, *timer_);
}

Error PrivateServer::ended_error(int status) const {
    return Error(ErrorCode::server_raised, formatted("the server of \"{}\" ended unexpectedly", plan_.data_directory.native()))
        .detail(formatted("It {}. The end of its log:\n{}", describe_end(status), last_lines_of(end_of_file(plan_.log, kMostLog))))
        .hint(formatted("Its whole log is \"{}\".", plan_.log.native()))
        .object(plan_.data_directory.native());
}

Result<void> PrivateServer::run_client(const std::string& program, const std::vector<std::string>& arguments, const CancelToken& cancel) {
    std::vector<std::string> command = {(plan_.bindir / program).native(), "-h", plan_.socket_directory.native(), "-p", plan_.port, "-U", plan_.superuser, "-w"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    TRY_ASSIGN(const LoggedProgram client, run_logged(std::move(command), plan_.log.parent_path() / (program + ".log"), *timer_, cancel));
    if (client.succeeded()) return {};
    return Error(ErrorCode::server_raised, formatted("program \"{}\" failed on the new cluster", program))
        .detail(formatted("This is what was said: {}", client.failure()))
        .hint(formatted("All of it is in \"{}\".", (plan_.log.parent_path() / (program + ".log")).native()));
}

Result<void> PrivateServer::execute(const std::string& database, const std::string& statement, const CancelToken& cancel) {
    return run_client("psql", {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database_argument(database), "-c", statement}, cancel);
}

std::unique_ptr<ClusterCatalogs> PrivateServer::catalogs() const {
    return online_catalogs({plan_.bindir / "psql", plan_.socket_directory.native(), plan_.port, plan_.superuser}, *timer_);
}

Result<void> PrivateServer::stop(const CancelToken& cancel) {
    postmaster_.signal(SIGINT);
    TRY_ASSIGN(const int status, postmaster_.wait(*timer_, cancel));
    if (status != 0) return ended_error(status);
    return {};
}

std::string database_argument(const std::string& database) {
    const std::array<std::pair<std::string, std::string>, 1> parameters = {{{"dbname", database}}};
    return render_connection_string(parameters);
}

}  // namespace steward
