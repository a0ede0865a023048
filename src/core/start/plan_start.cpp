#include "core/start/plan_start.h"

#include <algorithm>
#include <utility>

#include "core/base/format.h"

namespace steward {

namespace {

class StartPlanner {
public:
    StartPlanner(const StartRequest& request, const StartEvidence& evidence) : request_(request), evidence_(evidence) {}

    Result<StartPlan> plan() {
        TRY(check_server());
        TRY(check_asked_version());
        TRY(choose_owner());
        TRY(check_directory());
        TRY(check_major());
        TRY(check_password());
        add_directory();
        add_permissions();
        add_owner();
        add_preseed();
        add_upgrade();
        add_password();
        add_server();
        return std::move(plan_);
    }

private:
    const SeedEvidence& found() const { return evidence_.directory; }
    const std::string& directory() const { return found().directory.native(); }
    bool has_cluster() const { return found().content == SeedContent::kCluster; }
    bool is_root() const { return evidence_.user == 0; }

    Result<void> check_server() const {
        if (!evidence_.server) return {};
        return Error(ErrorCode::busy, formatted("data directory \"{}\" is in use by a running server", directory()))
            .detail(formatted("Process {} works in it.", *evidence_.server))
            .hint("It runs already. To start it anew, stop it first.")
            .object(directory());
    }

    Result<void> check_asked_version() const {
        if (!request_.major || *request_.major == evidence_.programs_major) return {};
        return Error(ErrorCode::wrong_version,
                     formatted("the programs in \"{}\" are of PostgreSQL {}, and {} is asked for", evidence_.bindir.native(), evidence_.programs_major, *request_.major))
            .hint(formatted("Name the directory of PostgreSQL {}'s programs with --bindir, or correct --pg-version or {}.", *request_.major, kVersionVariable))
            .object(evidence_.bindir.native());
    }

    Result<void> choose_owner() {
        if (!is_root()) return check_user();
        plan_.owner = evidence_.asked_owner ? evidence_.asked_owner : found().owner;
        if (plan_.owner && plan_.owner->user != 0) return {};
        if (evidence_.asked_owner) return Error(ErrorCode::usage, "root cannot own a cluster").hint("Name the server's user with --owner.");
        return Error(ErrorCode::usage, "as root, the server's user has to be known")
            .detail(found().owner ? formatted("Data directory \"{}\" belongs to root, and PostgreSQL refuses to run as root.", directory())
                                  : formatted("There is no data directory \"{}\" whose owner could be taken.", directory()))
            .hint("Name the user with --owner.")
            .object(directory());
    }

    Result<void> check_user() const {
        if (evidence_.asked_owner && evidence_.asked_owner->user != evidence_.user)
            return Error(ErrorCode::usage, "only root can run the server as another user").hint("Leave --owner out, or run this as root.");
        if (!found().owner || found().owner->user == evidence_.user) return {};
        return Error(ErrorCode::permission_denied, formatted("data directory \"{}\" belongs to another user", directory()))
            .hint("Run this as that user, or as root.")
            .object(directory());
    }

    /// What preseed would refuse whatever the repositories hold is refused before owners and modes are changed.
    Result<void> check_directory() const {
        const SeedContent content = found().content;
        const bool has_nothing = content == SeedContent::kMissing || content == SeedContent::kEmpty || content == SeedContent::kInterrupted;
        if (has_nothing && found().unmounted.empty() && request_.seed.restore) return {};
        SeedDecision decision = decide_seed(request_.seed, found(), {});
        if (decision.refusal) return *std::move(decision.refusal);
        return {};
    }

    Result<void> check_major() const {
        if (!has_cluster() || found().cluster->major == evidence_.programs_major) return {};
        const int cluster = found().cluster->major;
        Error error(ErrorCode::wrong_version, formatted("the cluster is of PostgreSQL {}, and the programs are of {}", cluster, evidence_.programs_major));
        const std::string detail = formatted("The cluster is \"{}\", the programs are in \"{}\".", directory(), evidence_.bindir.native());
        if (cluster > evidence_.programs_major)
            return std::move(error).detail(detail).hint("A cluster cannot be used by an older release. Name the programs of its own with --bindir.").object(directory());
        return std::move(error)
            .detail(detail)
            .hint(formatted("Upgrade the cluster to {} with pg_upgrade, or name the programs of {} with --bindir or --pg-version.", evidence_.programs_major, cluster))
            .object(directory());
    }

    Result<void> check_password() const {
        if (request_.reset_role.empty() || has_cluster() || request_.seed.initialize) return {};
        return Error(ErrorCode::wrong_state, "no password can be set in a cluster that is yet to be restored")
            .detail("Its recovery comes first, and that is for the server to do.")
            .hint(formatted("Start without --reset-password and {}, and set the password when the server runs.", kResetVariable))
            .object(directory());
    }

    void add(StartStepKind kind, bool is_due, std::string reason) { plan_.steps.push_back({kind, is_due, std::move(reason)}); }

    void add_directory() {
        const bool is_foreign = is_root() && found().content == SeedContent::kEmpty && found().owner && found().owner->user != plan_.owner->user;
        add(StartStepKind::kTakeDirectory, is_foreign,
            is_foreign ? "The data directory is empty, and another user's: it is given to the server's user." : "There is no empty directory of another user.");
    }

    void add_permissions() {
        const auto kind = StartStepKind::kPermissions;
        if (!request_.permissions) return add(kind, false, "--skip-permissions says so.");
        if (!has_cluster()) return add(kind, false, "There is no cluster yet.");
        plan_.fixes_permissions = is_root();
        add(kind, true, is_root() ? "As root, what is wrong with owners and modes is changed." : "Owners and modes are checked; to change them is for root.");
    }

    void add_owner() {
        add(StartStepKind::kBecomeOwner, is_root(), is_root() ? "PostgreSQL refuses to run as root, and all that follows needs no root." : "This is not root.");
    }

    std::string describe_content() const {
        if (has_cluster()) return formatted("It holds cluster {} of PostgreSQL {}.", found().cluster->system_identifier, found().cluster->major);
        const std::string_view allowed = request_.seed.restore && request_.seed.initialize ? "a restore and a new cluster are allowed"
                                         : request_.seed.restore                           ? "a restore is allowed"
                                                                                           : "a new cluster is allowed";
        return formatted("What is there is: {}; {}.", to_string(found().content), allowed);
    }

    void add_preseed() { add(StartStepKind::kPreseed, true, describe_content()); }

    void add_upgrade() {
        add(StartStepKind::kUpgrade, false,
            has_cluster() ? formatted("Cluster and programs are of PostgreSQL {}.", evidence_.programs_major)
                          : formatted("What is made is of PostgreSQL {}, as the programs are.", evidence_.programs_major));
    }

    void add_password() {
        const auto kind = StartStepKind::kPassword;
        if (!request_.reset_role.empty()) return add(kind, true, "A role's password is to be set.");
        if (request_.password == PasswordSource::kNone) return add(kind, false, "No password is given.");
        plan_.password_is_for_new_cluster = !has_cluster() && request_.seed.initialize;
        add(kind, false,
            plan_.password_is_for_new_cluster ? "Should preseed make a new cluster, its superuser gets the password."
                                              : formatted("A password is given and not used: --reset-password or {} names no role, and no new cluster is made.", kResetVariable));
    }

    void add_server() {
        add(StartStepKind::kServer, request_.start, request_.start ? "The server takes this process's place." : formatted("--prepare-only or {} says so.", kStartVariable));
    }

    const StartRequest& request_;
    const StartEvidence& evidence_;
    StartPlan plan_;
};

}  // namespace

std::string_view to_string(StartStepKind kind) {
    switch (kind) {
        case StartStepKind::kTakeDirectory: return "directory";
        case StartStepKind::kPermissions: return "permissions";
        case StartStepKind::kBecomeOwner: return "user";
        case StartStepKind::kPreseed: return "preseed";
        case StartStepKind::kUpgrade: return "upgrade";
        case StartStepKind::kPassword: return "password";
        case StartStepKind::kServer: return "server";
    }
    return {};
}

bool StartPlan::is_due(StartStepKind kind) const {
    return std::ranges::any_of(steps, [&](const StartStep& step) { return step.kind == kind && step.is_due; });
}

Result<StartPlan> plan_start(const StartRequest& request, const StartEvidence& evidence) { return StartPlanner(request, evidence).plan(); }

std::vector<std::string> server_command(const std::filesystem::path& bindir, const std::filesystem::path& data_directory,
                                        const std::optional<std::filesystem::path>& config_file, const std::vector<std::string>& options) {
    std::vector<std::string> command = {(bindir / "postgres").native(), "-D", data_directory.native()};
    // Such a configuration names a data directory of its own, which would win over -D.
    if (config_file)
        command.insert(command.end(), {"-c", formatted("config_file={}", config_file->native()), "-c", formatted("data_directory={}", data_directory.native())});
    command.insert(command.end(), options.begin(), options.end());
    return command;
}

}  // namespace steward
