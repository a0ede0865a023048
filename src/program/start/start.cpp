#include "program/start/start.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/start/plan_start.h"
#include "program/become_user.h"
#include "program/console.h"
#include "program/password/password_input.h"
#include "program/password/reset_password.h"
#include "program/permissions/permission_run.h"
#include "program/preseed/look_at_directory.h"
#include "program/preseed/preseed.h"
#include "program/server_programs.h"
#include "program/signal_watch.h"
#include "program/start/choose_programs.h"
#include "program/start/start_report.h"
#include "program/upgrade/leftover_processes.h"
#include "program/upgrade/upgrade_run.h"

extern char** environ;

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr int kMostUpgradeJobs = 64;

/// Give an empty directory to the server's user. It is the one that was looked at: no link is followed, and nothing is in it.
Result<void> take_directory(const fs::path& directory, const FileOwner& owner) {
    TRY_ASSIGN(const UniqueFd fd, open_file(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (::fchown(fd.get(), owner.user, owner.group) != 0)
        return Error::from_errno(errno, formatted("could not change the owner of directory \"{}\"", directory.native())).object(directory.native());
    if (::fchmod(fd.get(), kDirectoryMode) != 0)
        return Error::from_errno(errno, formatted("could not change permissions of directory \"{}\"", directory.native())).object(directory.native());
    return {};
}

Result<std::optional<FileOwner>> find_asked_owner(const std::string& name) {
    if (name.empty()) return std::optional<FileOwner>();
    const passwd* const user = ::getpwnam(name.c_str());
    if (user == nullptr) return Error(ErrorCode::usage, formatted("there is no user \"{}\"", name)).hint("Name the server's user with --owner.");
    return std::optional(FileOwner{user->pw_uid, user->pw_gid});
}

bool names_configuration(const std::vector<std::string>& options) {
    return std::ranges::any_of(options, [](const std::string& option) {
        const size_t name = option.find_first_not_of('-');
        return name != option.npos && (option.substr(name).starts_with("config_file=") || option.substr(name).starts_with("config-file="));
    });
}

class Start {
public:
    explicit Start(StartTask& task) : task_(task), restore_(*task.restore) {}

    Result<int> run() {
        TRY(look());
        TRY_ASSIGN(plan_, plan_start(task_.request, evidence_));
        TRY(show(render_start(plan_, task_.dry_run), render_start_json(plan_, task_.dry_run)));
        TRY(read_password());
        if (is_due(StartStepKind::kTakeDirectory) && !task_.dry_run) TRY(take_directory(evidence_.directory.directory, *plan_.owner));
        if (is_due(StartStepKind::kPermissions)) TRY(see_to_permissions());
        // A dry run looks on as who it is: what root would cure first must not be in its way.
        if (is_due(StartStepKind::kBecomeOwner) && !task_.dry_run) TRY(become_owner_of_cluster());
        if (is_due(StartStepKind::kPreseed)) TRY(preseed());
        if (is_due(StartStepKind::kUpgrade)) TRY(upgrade());
        if (is_due(StartStepKind::kPassword)) TRY(set_password());
        if (!is_due(StartStepKind::kServer)) return status_;
        TRY_ASSIGN(const std::vector<std::string> command, find_command());
        if (!task_.dry_run) return give_way_to(command);
        TRY(show(render_server_command(command), render_server_command_json(command)));
        return status_;
    }

private:
    bool is_due(StartStepKind kind) const { return plan_.is_due(kind); }

    Result<void> show(const std::string& text, const std::string& json) const { return print(task_.format == OutputFormat::kJson ? json : text); }

    Result<void> look() {
        TRY_ASSIGN(evidence_.asked_owner, find_asked_owner(restore_.owner));
        evidence_.user = ::geteuid();
        TRY_ASSIGN(const ServerPrograms programs, choose_programs(restore_.bindir.empty() ? fs::path() : fs::absolute(restore_.bindir), task_.request.major));
        evidence_.bindir = programs.bindir;
        evidence_.programs_major = programs.major;
        Result<SeedEvidence> found = look_at_directory(task_.directory, task_.mount_points);
        if (!found.ok() && found.error().code() == ErrorCode::permission_denied && evidence_.user != 0)
            return std::move(found).error().hint(formatted("\"pg_steward permissions check --data-dir {}\" says what is wrong; run this as root to have it changed.",
                                                           task_.directory.native()));
        TRY_ASSIGN(evidence_.directory, std::move(found));
        evidence_.server = find_running_server(evidence_.directory.directory);
        evidence_.server_is_left = evidence_.server && find_left_server(evidence_.directory.directory);
        if (task_.request.auto_upgrade && has_cluster() && evidence_.directory.cluster->major < programs.major) {
            TRY_ASSIGN(evidence_.old_bindir, choose_old_programs(task_.old_bindir, evidence_.directory.directory, evidence_.directory.cluster->major, programs));
        }
        // From here on the steps go on as the owner, who gives nothing away.
        restore_.owner.clear();
        restore_.bindir = evidence_.bindir.native();
        return {};
    }

    /// As the user who asks: a file with a secret may be root's.
    Result<void> read_password() {
        if (task_.request.password != PasswordSource::kFile) return {};
        const fs::path& file = task_.request.password_file;
        TRY_ASSIGN(const UniqueFd fd, open_file(file, O_RDONLY));
        TRY_ASSIGN(task_.password, read_password_file(fd.get(), file, cancel_));
        return {};
    }

    Result<void> see_to_permissions() {
        PermissionTask task;
        task.survey = {.data_directory = evidence_.directory.directory, .owner = {}, .config_file = task_.config_file};
        if (plan_.owner) task.survey.owner = std::to_string(plan_.owner->user);
        task.dry_run = task_.dry_run;
        task.format = task_.format;
        TRY_ASSIGN(const int status, plan_.fixes_permissions ? fix_permissions(task, cancel_) : check_permissions(task, cancel_));
        if (status == 0) return {};
        if (task_.dry_run) {
            status_ = status;
            return {};
        }
        return Error(ErrorCode::wrong_state, "owners or modes of the cluster's files keep the server from working")
            .detail("What is wrong is told above.")
            .hint(plan_.fixes_permissions ? "Cure what could not be changed, and run this again; or leave the check out with --skip-permissions."
                                          : "Run this, or \"pg_steward permissions fix\", as root; or leave the check out with --skip-permissions.")
            .object(task_.directory.native());
    }

    Result<void> become_owner_of_cluster() {
        const passwd* const entry = ::getpwuid(plan_.owner->user);
        // Root's own are of no use to the server: libpq looks for files in HOME.
        if (entry != nullptr) {
            ::setenv("HOME", entry->pw_dir, 1);
            ::setenv("USER", entry->pw_name, 1);
            ::setenv("LOGNAME", entry->pw_name, 1);
        }
        if (::chdir("/") != 0) return Error::from_errno(errno, "could not change to directory \"/\"");
        return become_user(*plan_.owner);
    }

    Result<void> preseed() {
        PreseedTask task;
        task.request = task_.request.seed;
        task.directory = task_.directory;
        task.mount_points = task_.mount_points;
        task.status_file = task_.status_file;
        task.initdb_options = task_.initdb_options;
        if (plan_.password_is_for_new_cluster) task.superuser_password = &task_.password;
        task.dry_run = task_.dry_run;
        task.format = task_.format;
        task.settings = task_.settings;
        task.restore = &restore_;
        TRY(run_preseed(task, cancel_));
        return {};
    }

    Result<void> upgrade() {
        UpgradeRunInputs inputs;
        inputs.data_directory = evidence_.directory.directory;
        inputs.method = task_.request.upgrade_method;
        inputs.dry_run = task_.dry_run;
        // What an upgrade under way is by, the journal knows.
        if (!plan_.resumes_upgrade) {
            inputs.path = {evidence_.programs_major};
            inputs.bindir = *evidence_.old_bindir;
            inputs.new_bindirs = {evidence_.bindir};
            inputs.config_file = task_.config_file;
            inputs.jobs = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMostUpgradeJobs);
        }
        const SystemClock clock;
        SteadyRetryTimer timer;
        const auto say = [this](const std::string& line) { static_cast<void>(show(line.ends_with('\n') ? line : line + "\n", "").ok()); };
        TRY(run_upgrade(inputs, {clock, timer, cancel_, say}));
        // It has worked where its logs are.
        if (::chdir("/") != 0) return Error::from_errno(errno, "could not change to directory \"/\"");
        TRY_ASSIGN(const UpgradeStatus status, read_upgrade_status(inputs.data_directory));
        TRY_ASSIGN(const std::optional<SeenUpgrade> seen, see_upgrade(inputs.data_directory));
        return show(task_.dry_run || !seen ? "" : describe_rest(*seen) + "\n", render_upgrade_status_json(status));
    }

    bool has_cluster() const { return evidence_.directory.content == SeedContent::kCluster; }

    /// Whether the cluster is there that the server is started on: a dry run neither makes nor upgrades it.
    bool has_what_is_started() const { return !task_.dry_run || (has_cluster() && !is_due(StartStepKind::kUpgrade)); }

    Result<void> set_password() {
        if (!has_what_is_started()) return {};  // the plan says it; there is nothing to look at
        PasswordReset task;
        task.data_directory = task_.directory;
        task.role = task_.request.reset_role;
        task.enable_login = task_.request.enable_login;
        task.keep_current = true;
        task.dry_run = task_.dry_run;
        task.bindir = evidence_.bindir;
        task.config_file = task_.config_file;
        task.format = task_.format;
        task.obtain_password = [this](const CancelToken&) { return Result<Secret>(std::move(task_.password)); };
        return reset_password(task, cancel_);
    }

    Result<std::vector<std::string>> find_command() const {
        const fs::path& directory = evidence_.directory.directory;
        std::optional<fs::path> config_file;
        if (!task_.config_file.empty()) config_file = task_.config_file;
        // Of a cluster that a dry run does not make, nothing is known.
        if (!config_file && !names_configuration(task_.request.server_options) && has_what_is_started()) {
            TRY_ASSIGN(const fs::path found, find_configuration_file(directory, evidence_.programs_major));
            if (found != directory / "postgresql.conf") config_file = found;
        }
        return server_command(evidence_.bindir, directory, config_file, task_.request.server_options);
    }

    /// Returns when it fails.
    Result<int> give_way_to(std::vector<std::string> command) {
        task_.password.clear();
        std::vector<char*> arguments;
        for (std::string& word : command) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        // SIGINT and SIGTERM stay blocked, so that one that comes from here on waits for the server, which unblocks them when it can act on them.
        signals_.reset();
        TRY(check_cancel(cancel_));
        ::execve(arguments.front(), arguments.data(), environ);
        return Error(ErrorCode::engine_failed, formatted("could not start program \"{}\": {}", command.front(), std::strerror(errno))).object(command.front());
    }

    StartTask& task_;
    RestoreArguments restore_;
    std::optional<SignalWatch> signals_{std::in_place};  // before anything that may start a thread
    const CancelToken cancel_ = signals_->cancel();
    StartEvidence evidence_;
    StartPlan plan_;
    int status_ = 0;
};

}  // namespace

Result<int> run_start(StartTask& task) { return Start(task).run(); }

}  // namespace steward
