#include "core/expiry/remove_former.h"

#include <fmt/ranges.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/format.h"
#include "core/repository/catalog.h"
#include "core/repository/pins.h"

namespace steward {

namespace {

Result<void> check_is_former(const Repository& former, const Repository& in_force) {
    const uint64_t system = former.identity().system_identifier;
    if (system != in_force.identity().system_identifier) return {};
    return Error(ErrorCode::invalid_argument, formatted("cluster {} has the name \"{}\" in repository \"{}\"", system, former.cluster(), former.url()))
        .hint("Only what is left of a cluster that had the name before can be removed as a whole.")
        .object(former.url());
}

/// Whoever has the name now has to be able to do without.
Result<void> check_has_backup(const Repository& in_force) {
    Catalog catalog;
    TRY_ASSIGN(const std::vector<BackupSummary> backups, catalog.read(in_force));
    if (!backups.empty()) return {};
    return Error(ErrorCode::wrong_state, formatted("cluster {}, which has the name \"{}\" in repository \"{}\", has no backup yet", in_force.identity().system_identifier,
                                                   in_force.cluster(), in_force.url()))
        .detail("What would be removed is all there is to restore.")
        .hint("Take one with \"SELECT * FROM steward.backup()\" first.")
        .object(in_force.url());
}

Result<void> check_not_pinned(const Repository& former) {
    TRY_ASSIGN(const std::vector<std::string> pinned, list_pinned(former));
    if (pinned.empty()) return {};
    return Error(ErrorCode::wrong_state, formatted("backups of cluster {} in repository \"{}\" are kept", former.identity().system_identifier, former.url()))
        .detail(formatted("They are: {}.", fmt::join(pinned, ", ")))
        .hint(formatted("Release them with \"pg_steward keep LABEL --release --system-identifier {}\" first.", former.identity().system_identifier))
        .object(former.url());
}

/// Manifests first: what has none does not exist. Leases are for who is at work, and our own is among them.
Result<std::vector<ObjectInfo>> list_in_order_of_removal(const Repository& former) {
    std::vector<ObjectInfo> manifests, others;
    TRY(for_each_object(former.storage(), former.layout().prefix(), [&](const ObjectInfo& object) -> Result<void> {
        if (object.key.starts_with(former.layout().leases_prefix())) return {};
        (former.layout().label_of_manifest(object.key) ? manifests : others).push_back(object);
        return {};
    }));
    manifests.insert(manifests.end(), others.begin(), others.end());
    return manifests;
}

}  // namespace

Result<FormerRemoval> remove_former_system(const Repository& former, const Repository& in_force, const FormerRemovalOptions& options) {
    TRY(check_is_former(former, in_force));
    std::optional<Lease> lease;
    if (!options.dry_run) {
        TRY_ASSIGN(lease, Lease::acquire(former, {.mode = LeaseMode::kExclusive, .name = "expire", .purpose = "the removal of a former cluster",
                                                  .clock = options.clock, .timer = options.timer, .cancel = options.cancel}));
    }
    TRY(check_has_backup(in_force));
    TRY(check_not_pinned(former));
    TRY_ASSIGN(const std::vector<ObjectInfo> objects, list_in_order_of_removal(former));
    FormerRemoval removal;
    for (const ObjectInfo& object : objects) {
        TRY(check_cancel(options.cancel));
        if (lease) {
            TRY(lease->check());
            TRY(former.storage().remove(object.key));
        }
        removal.objects++;
        removal.bytes += object.size;
        if (former.layout().label_of_manifest(object.key)) removal.backups++;
    }
    if (lease) TRY(lease->release());
    return removal;
}

}  // namespace steward
