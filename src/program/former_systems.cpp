#include "program/former_systems.h"

#include <utility>

#include "core/base/format.h"
#include "core/repository/catalog.h"

namespace steward {

bool has_backup_of(const Repository& repository, const Identity& former, const std::optional<std::string>& label) {
    const Layout layout(repository.cluster(), former.system_identifier);
    if (label) {
        const Result<std::optional<ObjectInfo>> manifest = repository.storage().stat(layout.manifest(*label));
        return manifest.ok() && manifest->has_value();
    }
    bool found = false;
    const Result<void> listed = for_each_object(repository.storage(), layout.backups_prefix(), [&](const ObjectInfo& object) -> Result<void> {
        found = found || layout.label_of_manifest(object.key).has_value();
        return {};
    });
    return listed.ok() && found;
}

bool may_be_in_former_system(ErrorCode code) { return code == ErrorCode::not_found || code == ErrorCode::unreachable_target; }

Error point_to_former_systems(Error error, std::span<const Repository> repositories, const std::optional<std::string>& label) {
    if (!may_be_in_former_system(error.code())) return error;
    for (const Repository& repository : repositories) {
        const Result<std::vector<Identity>> systems = list_former_systems(repository.storage(), repository.cluster());
        if (!systems.ok()) continue;
        for (const Identity& former : *systems) {
            if (former.system_identifier == repository.identity().system_identifier || !has_backup_of(repository, former, label)) continue;
            const std::string what = label ? formatted("backup \"{}\"", *label) : std::string("backups");
            return std::move(error).hint(formatted("Cluster {} of PostgreSQL {} had the name \"{}\" before and has {}: add \"--system-identifier {}\". What is restored "
                                                   "needs the programs of PostgreSQL {}.",
                                                   former.system_identifier, former.major, repository.cluster(), what, former.system_identifier, former.major));
        }
    }
    return error;
}

}  // namespace steward
