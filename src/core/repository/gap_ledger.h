// The gap ledger: WAL that is known not to be in the repository, and why. A restore across it is refused.
//
// An entry is a statement about a moment; what is stored wins over it. When the segments of an entry are stored after all (an
// archive that was repaired by hand), the entry is void by that alone: nothing has to be removed, and where only some of them are
// stored it stands for the others.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/repository/record_list.h"

namespace steward {

enum class GapReason {
    kMissing,  ///< between stored segments, without anyone's intent
    kDropped,  ///< given up by the server, as steward.archive_queue_limit told it
    kPruned,   ///< removed by retention
};

/// "missing", "dropped", "pruned": in the format and in SQL.
std::string_view name_of(GapReason reason);
std::optional<GapReason> gap_reason_named(std::string_view name);

struct RecordedGap {
    uint32_t timeline = 0;
    Lsn begin;  ///< both at segment boundaries
    Lsn end;    ///< exclusive, after `begin`
    GapReason reason = GapReason::kMissing;
    TimePoint time{};  ///< when it was recorded
    std::string note;  ///< free text, may be empty

    bool operator==(const RecordedGap&) const = default;
};

/// Enter a gap. Durable on return. kAlreadyStored when the same range is entered already, for whatever reason: the first entry stands.
/// Whoever removes WAL on purpose enters the gap first, so that no watcher takes it for a loss. Errors: as Repository::store;
/// invalid_argument for a range that is no range of whole segments.
Result<StoreOutcome> record_gap(const Repository& repository, const RecordedGap& gap);

/// Read the entry under `key`. Errors: corrupt_object when it makes no sense, or is not that of the key; as Repository::load.
Result<RecordedGap> load_gap(const Repository& repository, const std::string& key);

/// Reads the ledger of a repository; remembers what it has read. For one thread and one repository.
class GapLedger {
public:
    /// All entries, in the order of (timeline, begin, end). They may overlap. Errors: as RecordList::read.
    Result<std::vector<RecordedGap>> read(const Repository& repository);
    /// Entries that could not be understood at the last read.
    const std::vector<Error>& damaged() const { return damaged_; }

private:
    RecordList records_{ObjectKind::kGap};
    std::vector<Error> damaged_;
};

/// The entry's members, as the ledger and the server's own list of gaps to be entered hold them.
Json render_gap(const RecordedGap& gap);
/// Nothing when a member is missing or makes no sense.
std::optional<RecordedGap> parse_gap(const Json& record);

}  // namespace steward
