// What a preseed tells of itself in a file beside the data directory: for people and for whatever waits. No decision is made of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/error.h"

namespace steward {

enum class SeedState { kInspecting, kRestoring, kInitializing, kVerifying, kRenaming, kDone, kRefused, kFailed };

/// "inspecting", "restoring", "initializing", "verifying", "renaming", "done", "refused", "failed".
std::string_view to_string(SeedState state);

struct SeedStatus {
    SeedState state = SeedState::kInspecting;
    std::string directory;
    int attempt = 1;  ///< since the last one that was done
    int pid = 0;
    TimePoint started{};
    TimePoint updated{};
    std::string decision;  ///< a word of SeedAction; empty until it is made
    std::string reason;
    std::optional<uint64_t> system_identifier;
    std::string backup;    ///< label
    std::optional<int> exit_status;  ///< when it has ended
    std::optional<Error> error;
};

/// One JSON object and a newline. Numbers that JSON's readers round (the system identifier) are text.
std::string render_seed_status(const SeedStatus& status);

/// The number of the attempt after the one that `content` tells of: 1 after one that was done, and after anything that is not understood.
int next_attempt(std::string_view content);

}  // namespace steward
