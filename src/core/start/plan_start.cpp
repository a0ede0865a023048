#include "core/start/plan_start.h"

#include <algorithm>
#include <utility>

#include "core/base/format.h"

namespace steward {

namespace {

/// The oldest that can be upgraded.
constexpr int kOldestMajor = 13;

class StartPlanner {
public:
    StartPlanner(const StartRequest& request, const StartEvidence& evidence) : request_(request), evidence_(evidence) {}

    Result<StartPlan> plan() {
        TRY(check_server());
        TRY(check_asked_version());
        TRY(check_upgrade_under_way());
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

    bool is_upgrade_under_way() const { return found().upgrade && found().upgrade->state == UpgradeState::kUnderWay && !found().upgrade->at_work; }

    Result<void> check_server() const {
        if (!evidence_.server || (evidence_.server_is_left && is_upgrade_under_way())) return {};
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

    /// The other states of an upgrade are for decide_seed to judge: they are the same without its permission.
    Result<void> check_upgrade_under_way() {
        if (!is_upgrade_under_way()) return {};
        const SeenUpgrade& upgrade = *found().upgrade;
        if (!request_.auto_upgrade) return upgrade_in_the_way(upgrade, formatted("--auto-upgrade or {} with the programs of {}", kUpgradeVariable, upgrade.request.target()));
        if (upgrade.request.target() != evidence_.programs_major) {
            const Error error = upgrade_in_the_way(upgrade, formatted("starting with the programs of {}", upgrade.request.target()));
            return Error(ErrorCode::wrong_version, formatted("an upgrade of data directory \"{}\" to {} is under way, and the programs are of {}", directory(), upgrade.request.target(), evidence_.programs_major))
                .detail(error.detail())
                .hint(error.hint())
                .object(directory());
        }
        if (request_.upgrade_method.value_or(upgrade.request.method) != upgrade.request.method)
            return Error(ErrorCode::usage, formatted("the upgrade that is under way is one by {}, not by {}", name_of(upgrade.request.method), name_of(*request_.upgrade_method)))
                .hint("Leave --upgrade-method out, or take that upgrade back with \"pg_steward upgrade rollback\".")
                .object(directory());
        plan_.resumes_upgrade = true;
        return {};
    }

    Result<void> choose_owner() {
        if (!is_root()) return check_user();
        plan_.owner = evidence_.asked_owner ? evidence_.asked_owner : plan_.resumes_upgrade ? found().upgrade->owner : found().owner;
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
        if (plan_.resumes_upgrade && found().unmounted.empty()) return {};
        const SeedContent content = found().content;
        const bool has_nothing = content == SeedContent::kMissing || content == SeedContent::kEmpty || content == SeedContent::kInterrupted;
        const bool may_be_restored = found().unmounted.empty() && (!found().upgrade || found().upgrade->is_out_of_the_way());
        if (has_nothing && may_be_restored && request_.seed.restore) return {};
        SeedDecision decision = decide_seed(request_.seed, found(), {});
        if (decision.refusal) return *std::move(decision.refusal);
        return {};
    }

    Result<void> check_major() {
        if (plan_.resumes_upgrade || !has_cluster() || found().cluster->major == evidence_.programs_major) return {};
        if (found().cluster->major > evidence_.programs_major) return refuse_older_programs();
        TRY(check_permission_to_upgrade());
        TRY(check_upgrade());
        upgrades_ = true;
        return {};
    }

    Error version_error() const {
        return Error(ErrorCode::wrong_version, formatted("the cluster is of PostgreSQL {}, and the programs are of {}", found().cluster->major, evidence_.programs_major))
            .detail(formatted("The cluster is \"{}\", the programs are in \"{}\".", directory(), evidence_.bindir.native()))
            .object(directory());
    }

    Error refuse_older_programs() const {
        const bool can_go_back = found().upgrade && found().upgrade->state == UpgradeState::kUpgraded && found().upgrade->request.from == evidence_.programs_major;
        return version_error().hint(formatted("A cluster cannot be used by an older release. Name the programs of its own with --bindir.{}",
                                              can_go_back ? formatted(" It was upgraded: \"pg_steward upgrade rollback --data-dir {}\" brings the one of {} back.", directory(), evidence_.programs_major)
                                                          : std::string()));
    }

    Result<void> check_permission_to_upgrade() const {
        const int major = found().cluster->major;
        if (major < kOldestMajor) return version_error().hint(formatted("Clusters of {} and later can be upgraded. Bring it to one of these majors with pg_upgrade first.", kOldestMajor));
        if (request_.auto_upgrade) return {};
        return version_error().hint(formatted("Upgrade the cluster: allow it here with --auto-upgrade or {}, or do it with \"pg_steward upgrade run --data-dir {} --to {}\". "
                                              "Or name the programs of {} with --bindir or --pg-version.",
                                              kUpgradeVariable, directory(), evidence_.programs_major, major));
    }

    Result<void> check_upgrade() const {
        if (found().upgrade && found().upgrade->has_upgraded())
            return Error(ErrorCode::wrong_state, formatted("data directory \"{}\" has been upgraded before, and cannot be upgraded again yet", directory()))
                .detail(describe_rest(*found().upgrade))
                .hint(formatted("Look whether all is well with the programs of {}, and commit that upgrade.", found().cluster->major))
                .object(directory());
        if (found().in_place)
            return Error(ErrorCode::wrong_state, formatted("data directory \"{}\" is a mount point, and cannot be upgraded", directory()))
                .detail("The new cluster is made beside it and takes its place by a rename, which a mount point cannot have.")
                .hint(formatted("Move what is in it into a directory below it (\"{}\", for example), mode 0700, and name that one with --data-dir.", (found().directory / "data").native()))
                .object(directory());
        if (evidence_.old_bindir) return {};
        return Error(ErrorCode::not_found, formatted("an upgrade needs the programs of PostgreSQL {} too, which were not found", found().cluster->major))
            .hint(formatted("Install PostgreSQL {}, or name the directory of its programs with --old-bindir.", found().cluster->major))
            .object(directory());
    }

    Result<void> check_password() const {
        if (request_.reset_role.empty() || has_cluster() || plan_.resumes_upgrade || request_.seed.initialize) return {};
        return Error(ErrorCode::wrong_state, "no password can be set in a cluster that is yet to be restored")
            .detail("Its recovery comes first, and that is for the server to do.")
            .hint(formatted("Start without --reset-password and {}, and set the password when the server runs.", kResetVariable))
            .object(directory());
    }

    void add(StartStepKind kind, bool is_due, std::string reason) { plan_.steps.push_back({kind, is_due, std::move(reason)}); }

    void add_directory() {
        const bool is_foreign = is_root() && !plan_.resumes_upgrade && found().content == SeedContent::kEmpty && found().owner && found().owner->user != plan_.owner->user;
        add(StartStepKind::kTakeDirectory, is_foreign,
            is_foreign ? "The data directory is empty, and another user's: it is given to the server's user." : "There is no empty directory of another user.");
    }

    void add_permissions() {
        const auto kind = StartStepKind::kPermissions;
        if (!request_.permissions) return add(kind, false, "--skip-permissions says so.");
        if (plan_.resumes_upgrade) return add(kind, false, "An upgrade is under way, and what it makes belongs to the server's user.");
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

    void add_preseed() {
        if (plan_.resumes_upgrade) return add(StartStepKind::kPreseed, false, "What the data directory is to hold is known by the upgrade that is under way.");
        add(StartStepKind::kPreseed, true, describe_content());
    }

    void add_upgrade() {
        const auto kind = StartStepKind::kUpgrade;
        const int programs = evidence_.programs_major;
        if (plan_.resumes_upgrade) return add(kind, true, formatted("An upgrade from {} to {} is under way, and gone on with.", found().upgrade->request.from, programs));
        if (upgrades_)
            return add(kind, true, formatted("The cluster is of PostgreSQL {}, the programs are of {}, and --auto-upgrade or {} allows it.", found().cluster->major, programs, kUpgradeVariable));
        if (!has_cluster()) return add(kind, false, formatted("What is made is of PostgreSQL {}, as the programs are.", programs));
        const std::string rest = found().upgrade ? " " + describe_rest(*found().upgrade) : "";
        add(kind, false, formatted("Cluster and programs are of PostgreSQL {}.{}", programs, rest));
    }

    void add_password() {
        const auto kind = StartStepKind::kPassword;
        if (!request_.reset_role.empty()) return add(kind, true, "A role's password is to be set.");
        if (request_.password == PasswordSource::kNone) return add(kind, false, "No password is given.");
        plan_.password_is_for_new_cluster = !has_cluster() && !plan_.resumes_upgrade && request_.seed.initialize;
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
    bool upgrades_ = false;  ///< a cluster of an older major
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
