#include "core/upgrade/seen_upgrade.h"

#include "core/base/format.h"

namespace steward {

namespace {

std::string verb(const SeenUpgrade& upgrade, std::string_view name) {
    return formatted("\"pg_steward upgrade {} --data-dir {}\"", name, upgrade.data_directory.native());
}

std::string majors_of(const SeenUpgrade& upgrade) { return formatted("from {} to {}", upgrade.request.from, upgrade.request.target()); }

std::string describe_content(const SeenUpgrade& upgrade) {
    return upgrade.major == 0 ? std::string("The data directory holds no cluster.") : formatted("The data directory holds a cluster of PostgreSQL {}.", upgrade.major);
}

std::string detail_of(const SeenUpgrade& upgrade) {
    const std::string content = describe_content(upgrade);
    switch (upgrade.state) {
        case UpgradeState::kUpgraded: return formatted("{} The new cluster was put there, and the old one is kept in \"{}\".", content, upgrade.work_directory.native());
        case UpgradeState::kCommitting: return formatted("{} The new cluster was there when the removal of the old one began.", content);
        default: return upgrade.reason.empty() ? content : formatted("{} {}", upgrade.reason, content);
    }
}

std::string cure_of(const SeenUpgrade& upgrade, const std::string& how_to_resume) {
    switch (upgrade.state) {
        case UpgradeState::kUnderWay:
            return formatted("Go on with it by {}{}{}; or take it back with {}.", how_to_resume, how_to_resume.empty() ? "" : ", or by ", verb(upgrade, "run"), verb(upgrade, "rollback"));
        case UpgradeState::kUpgraded:
            return formatted("If somebody has moved the new cluster, move it back. {} brings the old one back.", verb(upgrade, "rollback"));
        case UpgradeState::kCommitting:
            return formatted("If somebody has moved the new cluster, move it back. Else restore it from a backup, after moving \"{}\" away.", upgrade.work_directory.native());
        default: return formatted("Take it back with {}.", verb(upgrade, "rollback"));
    }
}

}  // namespace

bool SeenUpgrade::is_out_of_the_way() const {
    if (at_work && state != UpgradeState::kCommitting) return false;
    return state == UpgradeState::kNotBegun || state == UpgradeState::kRolledBack || has_upgraded();
}

Error upgrade_in_the_way(const SeenUpgrade& upgrade, const std::string& how_to_resume) {
    const std::string& directory = upgrade.data_directory.native();
    if (upgrade.at_work)
        return Error(ErrorCode::busy, formatted("data directory \"{}\" is being upgraded {}", directory, majors_of(upgrade)))
            .detail("A process is at work on it.")
            .hint(formatted("Wait until it has ended; {} tells how far it is.", verb(upgrade, "status")))
            .object(directory);
    return Error(ErrorCode::wrong_state, formatted("an upgrade of data directory \"{}\" {} is in state \"{}\"", directory, majors_of(upgrade), name_of(upgrade.state)))
        .detail(detail_of(upgrade))
        .hint(cure_of(upgrade, how_to_resume))
        .object(directory);
}

std::string describe_rest(const SeenUpgrade& upgrade) {
    switch (upgrade.state) {
        case UpgradeState::kUpgraded:
            return formatted("The upgrade {} is not committed: the old cluster is kept in \"{}\" until {}, and {} brings it back.", majors_of(upgrade), upgrade.work_directory.native(),
                             verb(upgrade, "commit"), verb(upgrade, "rollback"));
        case UpgradeState::kCommitting: return formatted("The commit of the upgrade {} is to be finished with {}.", majors_of(upgrade), verb(upgrade, "commit"));
        case UpgradeState::kRolledBack: return formatted("An upgrade {} was rolled back; {} removes its logs.", majors_of(upgrade), verb(upgrade, "commit"));
        default: return formatted("There is an upgrade {} in state \"{}\".", majors_of(upgrade), name_of(upgrade.state));
    }
}

}  // namespace steward
