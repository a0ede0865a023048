// The mark of succession: a file in a data directory that says for which earlier cluster this one goes on.
//
// A major upgrade makes another cluster of the same data, with another system identifier, and a cluster's name in a repository belongs to one
// system identifier. Who makes the new cluster leaves the mark, and by it the new cluster takes the name over when it first opens the
// repository (Repository::open_or_claim). The mark names its own cluster too: copied to another one it says nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/postgres/lsn.h"

namespace steward {

/// A cluster that another one goes on for.
struct Predecessor {
    uint64_t system_identifier = 0;
    int major = 0;  ///< 0: not known
    uint32_t timeline = 0;  ///< that it was on at its end
    /// No WAL of that timeline or a later one begins after this, unless it was used after it was succeeded. Invalid: not known.
    Lsn end{};

    bool operator==(const Predecessor&) const = default;
};

struct Succession {
    uint64_t system_identifier = 0;         ///< the successor's
    int major = 0;
    TimePoint time{};
    std::vector<Predecessor> predecessors;  ///< newest first: the one before last may never have used the repository

    bool operator==(const Succession&) const = default;
};

/// In a data directory. Never part of a backup, as nothing beside it is.
inline constexpr const char* kSuccessionFile = "pg_steward/succession.json";

/// One JSON object and a newline. Pure.
std::string render_succession(const Succession& succession);
/// Errors: corrupt_object. Pure.
Result<Succession> parse_succession(std::string_view text);

/// The mark of a cluster that goes on for `last`; `before` is the mark of `last` itself, whose predecessors it inherits. Names neither a cluster
/// twice nor its own. Pure.
Succession succeed(const Predecessor& last, const std::optional<Succession>& before, uint64_t system_identifier, int major, TimePoint now);

/// Those that the cluster `system_identifier` goes on for: none when the mark is another cluster's. Pure.
std::vector<Predecessor> predecessors_of(uint64_t system_identifier, const std::optional<Succession>& mark);

/// Read the mark in `data_directory`; nothing when there is none. Errors: corrupt_object; by errno.
Result<std::optional<Succession>> read_succession(const std::filesystem::path& data_directory);

/// Write it, and its directory as the server makes it where it is missing. Durable on return; done again, the later one counts. Errors: by errno.
Result<void> write_succession(const std::filesystem::path& data_directory, const Succession& succession);

}  // namespace steward
