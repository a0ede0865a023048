// The status file of a preseed, written at every change of state.
#pragma once

#include <filesystem>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/preseed/plan_seed.h"
#include "core/preseed/seed_status.h"

namespace steward {

class StatusFile {
public:
    /// Reads what an earlier attempt left at `path`. `clock` outlives this.
    StatusFile(std::filesystem::path path, const std::filesystem::path& directory, const Clock& clock);

    /// Tell what was decided, with the next change of state.
    void decide(const SeedDecision& decision);
    void name_backup(const std::string& label) { status_.backup = label; }
    void name_cluster(uint64_t system_identifier) { status_.system_identifier = system_identifier; }
    /// Durable on return. A file that cannot be written is warned of once: it informs, and keeps no server from starting.
    void enter(SeedState state);
    /// The same for an end by an error.
    void end(SeedState state, const Error& error);

private:
    const std::filesystem::path path_;
    const Clock& clock_;
    SeedStatus status_;
    bool warned_ = false;
};

}  // namespace steward
