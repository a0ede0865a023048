#include "core/expiry/keep.h"

#include "core/base/format.h"
#include "core/repository/lease.h"
#include "core/repository/pins.h"

namespace steward {

namespace {

/// An expiry that has planned already would not see the pin: the lease keeps it out.
Result<void> pin_under_lease(const Repository& repository, std::string_view label, std::string_view note, const KeepContext& context) {
    TRY_ASSIGN(Lease lease, Lease::acquire(repository, {.mode = LeaseMode::kShared, .name = formatted("keep-{}", label),
                                                        .purpose = formatted("the pinning of backup \"{}\"", label), .clock = context.clock,
                                                        .timer = context.timer, .cancel = context.cancel, .patience = context.patience}));
    TRY(pin_backup(repository, label, note, context.clock));
    return lease.release();
}

Result<bool> has_backup(const Repository& repository, std::string_view label) {
    TRY_ASSIGN(const std::optional<ObjectInfo> manifest, repository.storage().stat(repository.layout().manifest(label)));
    return manifest.has_value();
}

}  // namespace

Result<std::vector<std::string>> keep_backup(std::span<const Repository> repositories, KeepAction action, std::string_view label,
                                             std::string_view note, const KeepContext& context) {
    TRY(check_label(label));
    std::vector<std::string> urls;
    for (const Repository& repository : repositories) {
        TRY_ASSIGN(const bool there, has_backup(repository, label));
        if (!there) continue;
        Result<void> done = action == KeepAction::kKeep ? pin_under_lease(repository, label, note, context) : unpin_backup(repository, label);
        if (!done.ok()) return std::move(done).error().context(formatted("while changing repository \"{}\"", repository.url()));
        urls.push_back(repository.url());
    }
    if (!urls.empty()) return urls;
    return Error(ErrorCode::not_found, formatted("there is no backup \"{}\"", label))
        .object(std::string(label))
        .hint("\"pg_steward info\" and the view steward.backups list the backups.");
}

}  // namespace steward
